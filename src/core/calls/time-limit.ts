/** How long an operation may take: its handler, and the layers around it. */

import { NO_KINDS, type Middleware, type PassiveLayer, type Run, compose, concerns } from "./compose.ts";
import { type RequestContext, cancellationOf, limitBy, limitOf } from "./context.ts";
import { MCPError } from "../errors.ts";
import { Suspension } from "../dialogue/inquiry.ts";
import { NOUNS, type OperationKind } from "./operation.ts";
import { isPromise } from "../values/promises.ts";

/**
 * Wraps `heart` in `layers` and holds the whole to `milliseconds`: then its signal fires and its caller is told
 * `TIMEOUT`. The layers see that of a handler that takes too long, and have {@link LAYERS_AFTER} left to answer.
 */
export function timed<A>(
  milliseconds: number,
  layers: readonly Middleware[],
  kind: OperationKind,
  heart: Run<A>,
): Run<A> {
  if (!layers.some((layer) => concerns(layer, kind))) {
    return (ctx, ask) => {
      const result = heart(ctx, ask);
      return isPromise(result) ? new TimeLimit(milliseconds, ctx).hold(result) : result;
    };
  }
  const onion = compose<A>(layers, kind, (ctx, ask) => {
    const limit = limitOf(ctx) as TimeLimit;
    return limit.run(() => heart(ctx, ask));
  });
  return (ctx, ask) => {
    const limit = new TimeLimit(milliseconds, ctx);
    limitBy(ctx, limit);
    let result: unknown;
    try {
      result = onion(ctx, ask);
    } catch (error) {
      limit.answered();
      return asked(ctx, error);
    }
    if (isPromise(result)) return limit.hold(result.catch((error: unknown) => asked(ctx, error)));
    limit.answered();
    return result;
  };
}

/** A layer that says how long the operations that it is around may take. */
export interface TimeLimitLayer extends PassiveLayer {
  /** In milliseconds. */
  readonly timeLimit: number;
}

/** It is read when the server is sealed: nothing is left to do for a call. */
export function timeLimitLayer(milliseconds: number): TimeLimitLayer {
  return {
    name: "timeout",
    passive: true,
    timeLimit: milliseconds,
    kinds: NO_KINDS,
    handle: (_ctx, next) => next(),
  };
}

/** What the innermost of `layers` that says so gives operations of time, in milliseconds. */
export function timeLimitIn(layers: readonly Middleware[], otherwise: number): number {
  const layer = layers.findLast((each) => typeof each === "object" && "timeLimit" in each);
  return (layer as TimeLimitLayer | undefined)?.timeLimit ?? otherwise;
}

/** Calls `listener` when the call has its answer, also where a layer further in never settles. For layers. */
export function whenAnswered(ctx: RequestContext, listener: () => void): void {
  limitOf(ctx)?.whenAnswered(listener);
}

/**
 * Runs `rest` and tells once how it ended, also where a layer further in never settles: then the call has had its answer all the same,
 * and has failed for what cancelled it. Gives what `rest` gives, or throws what it throws. For layers.
 */
export function witnessed(
  ctx: RequestContext,
  rest: () => unknown,
  succeeded: (result: unknown) => void,
  failed: (error: unknown) => void,
): unknown {
  let result;
  try {
    result = rest();
  } catch (error) {
    failed(error);
    throw error;
  }
  if (!isPromise(result)) {
    succeeded(result);
    return result;
  }
  let open = true;
  const once = (tell: (ending: unknown) => void, ending: unknown) => {
    if (open) tell(ending);
    open = false;
  };
  whenAnswered(ctx, () => once(failed, cancellationOf(ctx).reason));
  // A bare `then`, as queries of databases have, gives nothing that could be waited for.
  return Promise.resolve(result).then(
    (value) => {
      once(succeeded, value);
      return value;
    },
    (error: unknown) => {
      once(failed, error);
      throw error;
    },
  );
}

/** A layer may ask too: its question ends the call like a handler's. */
function asked({ inquiry }: RequestContext, error: unknown): unknown {
  if (error instanceof Suspension && inquiry?.pending) return inquiry.conclude();
  throw error;
}

/** How long layers have for what they make of a handler's `TIMEOUT`, in milliseconds. */
const LAYERS_AFTER = 1_000;

/** How often a call that waits for its client is looked after once its own time is up, in milliseconds. */
const LOOK_AFTER = 100;

/** The time of one call. */
export class TimeLimit {
  readonly #milliseconds: number;
  readonly #ctx: RequestContext;
  /** Whether the call has passed all that could refuse it. */
  admitted = false;
  #error: MCPError | undefined;
  /** Ends the wait for the handler, while it runs. */
  #interrupt: ((error: MCPError) => void) | undefined;
  #listeners: (() => void)[] | undefined;

  constructor(milliseconds: number, ctx: RequestContext) {
    this.#milliseconds = milliseconds;
    this.#ctx = ctx;
  }

  /** Waits for all of the call, as long as it may take. */
  hold(result: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const started = performance.now();
      const expire = () => {
        // The time that a user takes to answer is not the handler's.
        const { inquiry } = this.#ctx;
        const left = this.#milliseconds + (inquiry?.waited() ?? 0) - (performance.now() - started);
        if (left >= 1) {
          // Timers may come a little early, and a client may yet take long.
          timer = setTimeout(expire, inquiry ? Math.max(left, LOOK_AFTER) : left);
          return;
        }
        const error = (this.#error = timedOut(this.#ctx, this.#milliseconds));
        this.#ctx.cancel(error);
        if (!this.#interrupt) return settle(reject)(error);
        this.#interrupt(error);
        timer = setTimeout(() => settle(reject)(error), LAYERS_AFTER);
      };
      let timer = setTimeout(expire, this.#milliseconds);
      const settle = (done: (value: unknown) => void) => (value: unknown) => {
        clearTimeout(timer);
        done(value);
        this.answered();
      };
      result.then(settle(resolve), settle(reject));
    });
  }

  /** Tells those that wait for it that the call has its answer. */
  answered(): void {
    for (const listener of this.#listeners ?? []) listener();
    this.#listeners = undefined;
  }

  whenAnswered(listener: () => void): void {
    (this.#listeners ??= []).push(listener);
  }

  /** Runs the handler within the time that its layers have left of it. */
  run(handler: () => unknown): unknown {
    if (this.#error) throw this.#error;
    const result = handler();
    if (!isPromise(result)) return result;
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      const settle = (done: (value: unknown) => void) => (value: unknown) => {
        this.#interrupt = undefined;
        done(value);
      };
      result.then(settle(resolve), settle(reject));
    });
  }
}

function timedOut({ operation: { kind, name } }: RequestContext, milliseconds: number): MCPError {
  const seconds =
    milliseconds % 1_000 === 0 ? (milliseconds / 1_000).toFixed(1) : String(milliseconds / 1_000);
  return new MCPError(`${NOUNS[kind]} '${name}' timed out after ${seconds}s`, {
    code: "TIMEOUT",
    suggestion: `It did not finish within ${seconds} seconds. Try again later, ask for less, or go on without it.`,
  });
}
