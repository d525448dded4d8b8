/** Whoever watches calls, and what they are told besides how calls end: metrics count it, traces and the log show it. */

import type { Middleware, PassingLayer, PassiveLayer } from "./compose.ts";
import type { RequestContext } from "./context.ts";
import type { Operation } from "./operation.ts";
import type { Stages } from "./stages.ts";

/** Something that happened on a call's way. */
export type CallEvent =
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

/** Is told of an event in the call that it belongs to. Must not throw. */
export type CallEventListener = (ctx: RequestContext, event: CallEvent) => void;

/** Is told what may be told of the calls of a component. */
export type Expect = (operation: Operation, events: readonly CallEvent[]) => void;

/** Somebody who watches every call of a server, the refused ones too, and changes none. */
export interface Observer {
  /** Stands around all other layers. */
  readonly layer: PassiveLayer & PassingLayer;
  readonly onCallEvent?: CallEventListener;
  /** Is told of each component when it is sealed, and of what may be told of its calls. */
  readonly expect?: Expect;
  /** Follows calls through their parts. At most one observer does. */
  readonly stages?: Stages;
}

/** Who follows calls through their parts, if anybody does. */
export function stagesOf(observers: readonly Observer[]): Stages | undefined {
  return observers.find(({ stages }) => stages)?.stages;
}

/** A layer that is told of the events of all calls. */
export interface ObservingLayer extends PassiveLayer {
  readonly onCallEvent: CallEventListener;
}

/** Tells all observers and layers that listen; nothing where none wants to be told, so that it costs nothing. */
export function eventListenerOf(watching: readonly (Observer | Middleware)[]): CallEventListener | undefined {
  const listeners = [
    ...new Set(watching.flatMap((each) => ("onCallEvent" in each ? (each.onCallEvent ?? []) : []))),
  ];
  if (listeners.length < 2) return listeners[0];
  return (ctx, event) => {
    for (const tell of listeners) tell(ctx, event);
  };
}
