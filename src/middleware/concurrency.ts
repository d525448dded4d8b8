/** How many calls may be under way at once. */

import { type Pass, pass } from "../core/calls/compose.ts";
import { type RequestContext, cancellationOf, servicesOf } from "../core/calls/context.ts";
import { milliseconds } from "../core/options/duration.ts";
import { ConfigurationError, MCPError, refusal } from "../core/errors.ts";
import { type Names, checkKnown, shown } from "../core/options/known-options.ts";
import {
  CONCURRENCY,
  type ConcurrencyOptions,
  type LimitingLayer,
  checkConcurrency,
  checkLayerName,
} from "../core/components/limits.ts";
import { NOUNS, type OperationKind } from "../core/calls/operation.ts";
import { memoryPlaceStore } from "../core/sharing/places.ts";
import type { Place, PlaceStore } from "../core/ports.ts";
import { after, isPromise } from "../core/values/promises.ts";
import type { CallEvent } from "../core/calls/observers.ts";
import { whenAnswered } from "../core/calls/time-limit.ts";
import { callerOf, goesByIdentity } from "./callers.ts";

/** How many calls may be under way at once, as a layer says it. */
export interface ConcurrencyLayerOptions extends ConcurrencyOptions {
  /** Whether each tool, resource and prompt has places of its own. Default: `false`. */
  readonly perTool?: boolean;
  /** What takes a place. Default: `["tool", "resource", "prompt", "completion"]`, all that reaches a handler. */
  readonly kinds?: readonly OperationKind[];
  /**
   * Under which name processes with one `backend` share its places: letters, digits, `_`, `-` and `.`. Default: made of the other
   * options; only where two layers come to have the same one is each to be given its own.
   */
  readonly name?: string;
}

const OPTIONS: Names<ConcurrencyLayerOptions> = { ...CONCURRENCY, perTool: true, kinds: true, name: true };
const KINDS: readonly OperationKind[] = ["tool", "resource", "prompt", "completion"];

/**
 * Limits how many calls are under way at once, in this process, or in all that share the server's `backend`. Calls beyond that
 * wait for a place where there is a `queue`, or are refused as `CONCURRENCY_LIMIT_EXCEEDED`. A place is free again when its call is
 * answered, also where its handler ignores that its time is up.
 *
 * @throws {@link ConfigurationError} where options are wrong.
 * @example
 * ```ts
 * server.use(concurrency({ max: 200 }));
 * server.use(concurrency({ max: 5, by: "client", queue: { wait: "2s" } }));
 * ```
 */
export function concurrency(options: ConcurrencyLayerOptions): LimitingLayer {
  if (typeof options !== "object" || options === null)
    throw new ConfigurationError(`concurrency() got ${shown(options)}: write concurrency({ max: 100 }).`);
  checkKnown("concurrency()", options, OPTIONS);
  const { name, perTool = false, kinds = KINDS } = options;
  checkLayerName("concurrency()", name);
  const { max, by = "server" } = checkConcurrency("concurrency()", options);
  const who = typeof by === "function" ? "custom" : by;
  const id = name ?? [max, who, ...(perTool ? ["tool"] : []), ...kinds].join(".");
  return layer(options, { id, perTool, kinds });
}

/** The layer of a limit that a component declares. */
export function declaredConcurrency(
  options: ConcurrencyOptions,
  kind: OperationKind,
  key: string,
): LimitingLayer {
  return layer(options, { id: `${kind}:${key}`, perTool: true, kinds: [kind] });
}

interface Layer {
  /** What has places: the first part of every key. */
  readonly id: string;
  readonly perTool: boolean;
  readonly kinds: readonly OperationKind[];
}

function layer(options: ConcurrencyOptions, { id, perTool, kinds }: Layer): LimitingLayer {
  const { max, by = "server", queue } = options;
  const limit = {
    max,
    queue: queue ? (queue.max ?? max) : 0,
    wait: queue ? milliseconds(queue.wait, "queue.wait") : 0,
  };
  const caller = callerOf(by);
  const own = memoryPlaceStore();
  const enter: Pass = (ctx, rest) => {
    const who = caller(ctx);
    if (who === undefined) return rest();
    const { kind, component = "" } = ctx.operation;
    // Neither names nor URIs hold spaces: no two limits, components and callers share a key.
    const part = perTool ? `${kind}:${component} ${who}` : who;
    const shared = servicesOf(ctx).places;
    if (!shared) return seat(ctx, own.take(part, limit, ctx), rest);
    return seat(ctx, shared.take(`${id} ${part}`, limit, ctx), rest);
  };
  const seat = (ctx: RequestContext, taken: ReturnType<PlaceStore["take"]>, rest: () => unknown) => {
    const started = isPromise(taken) ? performance.now() : undefined;
    return after(taken, (place) => {
      if (!place) {
        servicesOf(ctx).observe?.(ctx, REFUSED);
        throw atCapacity(ctx, max, by === "server", perTool);
      }
      const event = started === undefined ? ALLOWED : { ...ALLOWED, waited: performance.now() - started };
      return seated(ctx, place, rest, event);
    });
  };
  const limiting = { store: "places", id, byIdentity: goesByIdentity(by), perTool } as const;
  return { name: "concurrency", passive: true, kinds, handle: enter, [pass]: enter, limiting };
}

const ALLOWED = { kind: "limit", limit: "concurrency", outcome: "allowed" } as const;
const REFUSED: CallEvent = { kind: "limit", limit: "concurrency", outcome: "refused" };

/** Runs a call that has a place, and gives the place back. */
function seated(ctx: RequestContext, place: Place, rest: () => unknown, event: CallEvent): unknown {
  servicesOf(ctx).observe?.(ctx, event);
  let result;
  try {
    // It may have ended while it waited.
    const cancellation = cancellationOf(ctx);
    if (cancellation.cancelled) throw cancellation.reason;
    result = rest();
  } catch (error) {
    place.leave();
    throw error;
  }
  if (!isPromise(result)) {
    place.leave();
    return result;
  }
  const leave = once(() => place.leave());
  // A layer further in that never settles would keep the place for ever.
  whenAnswered(ctx, leave);
  return result.finally(leave);
}

function once(effect: () => void): () => void {
  let done = false;
  return () => {
    if (!done) effect();
    done = true;
  };
}

function atCapacity(ctx: RequestContext, max: number, forAll: boolean, perTool: boolean): MCPError {
  const { kind, component } = ctx.operation;
  const what = perTool && component !== undefined ? `${NOUNS[kind]} '${component}'` : "Server";
  const noun = perTool ? "calls" : "requests";
  const whose = forAll ? "" : " of one caller";
  return refusal(
    () =>
      new MCPError(`${what} at capacity (${max} concurrent ${noun}${whose})`, {
        code: "CONCURRENCY_LIMIT_EXCEEDED",
        suggestion: forAll
          ? "The server is busy. Retry in a moment."
          : "Wait for one of your calls to end, then retry.",
        // Nobody knows when a call will end.
        details: { retry_after_seconds: 1 },
      }),
  );
}
