/** What is told of calls besides how they end, to whoever watches them: metrics count it, traces show it. */

import type { Middleware, PassingLayer, PassiveLayer } from "./compose.ts";
import type { RequestContext } from "./context.ts";
import type { Stages } from "./stages.ts";

/** Something that happened on a call's way. */
export type Signal =
  | {
      readonly kind: "cache";
      /** Where a result came from: `stale` ones are made anew after the answer, `shared` ones another call was making. */
      readonly outcome: "hit" | "miss" | "stale" | "shared";
    }
  | {
      readonly kind: "idempotency";
      /** Whether an idempotent tool ran, or its caller was given what the same call came to before. */
      readonly outcome: "first" | "replayed";
    }
  | {
      readonly kind: "limit";
      readonly limit: "rate" | "concurrency";
      readonly outcome: "allowed" | "refused";
      /** For how long the call waited for its place, in milliseconds, where it did. */
      readonly waited?: number;
    }
  | {
      readonly kind: "circuit";
      /** The component that has a circuit of its own, as `tool:search`; empty for the circuit that several share. */
      readonly circuit: string;
      /** What it became; `refused`: it was open before, and this call is not let in. */
      readonly state: "closed" | "open" | "refused";
      /** For how long it stays open, in milliseconds: then it is half-open. */
      readonly recovery: number;
    };

/** Is told of a signal in the call that it belongs to. Must not throw. */
export type Signals = (ctx: RequestContext, signal: Signal) => void;

/** Somebody who watches every call of a server, the refused ones too, and changes none. */
export interface Observer {
  /** Stands around all other layers. */
  readonly layer: PassiveLayer & PassingLayer;
  readonly signals?: Signals;
  /** Follows calls through their parts. At most one observer does. */
  readonly stages?: Stages;
}

/** Who follows calls through their parts, if anybody does. */
export function stagesOf(observers: readonly Observer[]): Stages | undefined {
  return observers.find(({ stages }) => stages)?.stages;
}

/** A layer that is told of the signals of all calls. */
export interface SignalledLayer extends PassiveLayer {
  readonly signals: Signals;
}

/** Tells all observers and layers that listen; nothing where none wants to be told, so that it costs nothing. */
export function signalsOf(watching: readonly (Observer | Middleware)[]): Signals | undefined {
  const listeners = [...new Set(watching.flatMap((each) => ("signals" in each ? (each.signals ?? []) : [])))];
  if (listeners.length < 2) return listeners[0];
  return (ctx, signal) => {
    for (const tell of listeners) tell(ctx, signal);
  };
}
