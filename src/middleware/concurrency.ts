/** How many calls may be under way at once. */

import { type Pass, pass } from "../compose.ts";
import { type OperationKind, type RequestContext, servicesOf } from "../context.ts";
import { milliseconds } from "../duration.ts";
import { ConfigurationError, MCPError, refusal } from "../errors.ts";
import { type Names, checkKnown, shown } from "../known-options.ts";
import { CONCURRENCY, type ConcurrencyOptions, type LimitingLayer, checkConcurrency } from "../limits.ts";
import { isPromise } from "../promises.ts";
import type { Signal } from "../signals.ts";
import { whenAnswered } from "../time-limit.ts";
import { callerOf, goesByIdentity } from "./callers.ts";

/** How many calls may be under way at once, as a layer says it. */
export interface ConcurrencyLayerOptions extends ConcurrencyOptions {
  /** Whether each tool, resource and prompt has places of its own. Default: `false`. */
  readonly perTool?: boolean;
  /** What takes a place. Default: `["tool", "resource", "prompt", "completion"]`, all that reaches a handler. */
  readonly kinds?: readonly OperationKind[];
}

const OPTIONS: Names<ConcurrencyLayerOptions> = { ...CONCURRENCY, perTool: true, kinds: true };
const KINDS: readonly OperationKind[] = ["tool", "resource", "prompt", "completion"];

/**
 * Limits how many calls are under way at once, in this process; above, they wait for a place where there is a `queue`, or
 * are refused as `CONCURRENCY_LIMIT_EXCEEDED`. A place is free again when its call is answered, also where its handler
 * ignores that its time is up.
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
  const { perTool = false, kinds = KINDS } = options;
  return layer(checkConcurrency("concurrency()", options), perTool, kinds);
}

/** The layer of a limit that a component declares. */
export function declaredConcurrency(options: ConcurrencyOptions, kind: OperationKind): LimitingLayer {
  return layer(options, true, [kind]);
}

function layer(
  options: ConcurrencyOptions,
  perTool: boolean,
  kinds: readonly OperationKind[],
): LimitingLayer {
  const { max, by = "server", queue } = options;
  const most = queue ? (queue.max ?? max) : 0;
  const longest = queue ? milliseconds(queue.wait, "queue.wait") : 0;
  const caller = callerOf(by);
  const all = new Map<string, Places>();
  const full = (ctx: RequestContext) => {
    servicesOf(ctx).signals?.(ctx, REFUSED);
    return atCapacity(ctx, max, by === "server", perTool);
  };

  const waiting = async (ctx: RequestContext, places: Places, rest: () => unknown) => {
    await places.wait(ctx, longest, () => full(ctx));
    return seated(ctx, places, rest);
  };
  const enter: Pass = (ctx, rest) => {
    const who = caller(ctx);
    if (who === undefined) return rest();
    const { kind, component = "" } = ctx.operation;
    const key = perTool ? `${kind}:${component} ${who}` : who;
    let places = all.get(key);
    // Callers come and go; components are few, and stay.
    if (!places) all.set(key, (places = new Places(max, () => by !== "server" && all.delete(key))));
    if (places.take()) return seated(ctx, places, rest);
    if (places.waiting >= most) throw full(ctx);
    return waiting(ctx, places, rest);
  };
  const limiting = { id: undefined, byIdentity: goesByIdentity(by) };
  return { name: "concurrency", passive: true, kinds, handle: enter, [pass]: enter, limiting };
}

const ALLOWED: Signal = { kind: "limit", limit: "concurrency", outcome: "allowed" };
const REFUSED: Signal = { kind: "limit", limit: "concurrency", outcome: "refused" };

/** Runs a call that has a place, and gives the place back. */
function seated(ctx: RequestContext, places: Places, rest: () => unknown): unknown {
  servicesOf(ctx).signals?.(ctx, ALLOWED);
  let result;
  try {
    result = rest();
  } catch (error) {
    places.leave();
    throw error;
  }
  if (!isPromise(result)) {
    places.leave();
    return result;
  }
  const leave = once(() => places.leave());
  // A layer further in that never settles would keep the place for ever.
  whenAnswered(ctx, leave);
  return result.finally(leave);
}

/** So many places, and those who wait for one in the order in which they came. */
class Places {
  #free: number;
  readonly #max: number;
  readonly #emptied: () => unknown;
  readonly #waiting = new Set<() => void>();

  constructor(max: number, emptied: () => unknown) {
    this.#max = max;
    this.#free = max;
    this.#emptied = emptied;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  take(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Resolves with a place. Rejects after `longest` milliseconds, and when the call is over before. */
  wait(ctx: RequestContext, longest: number, refuse: () => MCPError): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = ctx;
      const settle = (done: () => void) => () => {
        if (!this.#waiting.delete(enter)) return;
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        done();
      };
      const enter = settle(resolve);
      const abort = settle(() => reject(signal.reason as Error));
      const timer = setTimeout(
        settle(() => reject(refuse())),
        longest,
      );
      this.#waiting.add(enter);
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
    });
  }

  /** Gives a place back: to whoever waits longest, if anybody does. */
  leave(): void {
    const [first] = this.#waiting;
    if (first) first();
    else if (++this.#free === this.#max) this.#emptied();
  }
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
  const what =
    perTool && component !== undefined
      ? `${(kind[0] as string).toUpperCase()}${kind.slice(1)} '${component}'`
      : "Server";
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
