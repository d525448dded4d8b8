/** Calls that would only fail again are refused at once, and what they need is left to recover. */

import { memoryCircuitStore } from "../core/sharing/circuits.ts";
import { type Pass, pass } from "../core/calls/compose.ts";
import { type RequestContext, servicesOf } from "../core/calls/context.ts";
import { type Duration, timeLimit } from "../core/options/duration.ts";
import { ConfigurationError, MCPError, refusal } from "../core/errors.ts";
import { InputRequired, Suspension } from "../core/dialogue/inquiry.ts";
import { type Names, checkCount, checkKnown, shown } from "../core/options/known-options.ts";
import { type LimitingLayer, checkLayerName } from "../core/components/limits.ts";
import type { OperationKind } from "../core/calls/operation.ts";
import type {
  CircuitAttempt,
  CircuitChange,
  CircuitState,
  CircuitStore,
  CircuitVerdict,
} from "../core/ports.ts";
import { after, either, isPromise } from "../core/values/promises.ts";
import type { CallEvent } from "../core/calls/observers.ts";
import { whenAnswered } from "../core/calls/time-limit.ts";

/** Names a component with a circuit of its own. A resource is named by its URI or template. */
export type CircuitRef =
  | { readonly tool: string }
  | { readonly resource: string }
  | { readonly prompt: string };

export interface CircuitBreakerOptions {
  /** How many failures in a row open the circuit. Default: 5. */
  readonly failures?: number;
  /** How long it stays open before one call is tried. Default: `"60s"`. */
  readonly recovery?: Duration;
  /**
   * Whether each tool, resource and prompt has a circuit of its own. With `false` all that the layer is around share one: for
   * components that need the same thing, such as those of one router. Default: `true`.
   */
  readonly perTool?: boolean;
  /**
   * Whether an error says that what the call needs is broken. Default: unexpected errors, `TIMEOUT`, and errors that are
   * `retryable`; not limits, refusals and calls that their client left.
   */
  readonly isFailure?: (error: unknown, ctx: RequestContext) => boolean;
  /** What is guarded. Default: `["tool", "resource", "prompt"]`. */
  readonly kinds?: readonly OperationKind[];
  /**
   * Under which name processes with one `backend` share its circuits: letters, digits, `_`, `-` and `.`. Default: made of the other
   * options; only where two layers come to have the same one is each to be given its own.
   */
  readonly name?: string;
}

type CircuitEvent = Extract<CallEvent, { kind: "circuit" }>;

/** A circuit breaker: a layer whose state can be read and reset. Where the server has a `backend`, both are promised. */
export interface CircuitBreaker extends LimitingLayer {
  /** The state of a component's circuit, or of the one that all share. */
  state(ref?: CircuitRef): CircuitState | Promise<CircuitState>;
  /** Closes a component's circuit; without `ref`, every one. */
  reset(ref?: CircuitRef): void | Promise<void>;
}

const OPTIONS: Names<CircuitBreakerOptions> = {
  failures: true,
  recovery: true,
  perTool: true,
  isFailure: true,
  kinds: true,
  name: true,
};
const KINDS: readonly OperationKind[] = ["tool", "resource", "prompt"];

/**
 * Refuses calls as `CIRCUIT_OPEN` when so many in a row have failed. After the recovery time a single call is tried, whatever
 * number of them come: where it succeeds the circuit closes, where it fails it stays open for as long again. The state is this
 * process's, or that of all that share the server's `backend`, and every change of it is logged.
 *
 * @throws {@link ConfigurationError} where options are wrong.
 * @example
 * ```ts
 * server.use(circuitBreaker());
 * const billing = new MCPRouter({ middleware: [circuitBreaker({ failures: 3, recovery: "10s", perTool: false })] });
 * ```
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  checkKnown("circuitBreaker()", options, OPTIONS);
  const { failures = 5, recovery = "60s", perTool = true, isFailure = isBroken, kinds = KINDS } = options;
  checkCount("circuitBreaker(): failures", failures);
  checkLayerName("circuitBreaker()", options.name);
  if (typeof isFailure !== "function")
    throw new ConfigurationError(
      `circuitBreaker(): isFailure is ${shown(isFailure)}: write a function, such as (error) => error instanceof DatabaseError.`,
    );
  const plan = { failures, recovery: timeLimit(recovery, "circuitBreaker(): recovery") };
  const id = options.name ?? [failures, plan.recovery, ...(perTool ? ["tool"] : []), ...kinds].join(".");
  const own = memoryCircuitStore();
  let shared: CircuitStore | undefined;

  /** Where processes cannot be asked together, each goes by what it has seen. */
  const enterShared = async (circuits: CircuitStore, key: string) => {
    try {
      return await circuits.enter(id, key, plan);
    } catch {
      return own.enter(id, key, plan);
    }
  };
  const report = (ctx: RequestContext, key: string, state: CircuitEvent["state"], wait: number) =>
    servicesOf(ctx).observe?.(ctx, {
      kind: "circuit",
      circuit: perTool ? key : (options.name ?? key),
      state,
      recovery: wait,
    });
  const enter: Pass = (ctx, rest) => {
    const { kind, component } = ctx.operation;
    // What is not there breaks nothing.
    if (component === undefined) return rest();
    const key = perTool ? `${kind}:${component}` : SHARED;
    const { circuits } = servicesOf(ctx);
    return after(circuits ? enterShared(circuits, key) : own.enter(id, key, plan), (entered) => {
      if (!("wait" in entered)) return run(ctx, key, entered, rest);
      report(ctx, key, "refused", entered.wait);
      throw openCircuit(ctx, entered.wait);
    });
  };
  const run = (ctx: RequestContext, key: string, attempt: CircuitAttempt, rest: () => unknown) => {
    const { component = "" } = ctx.operation;
    const told = (changed: CircuitChange) => {
      if (!changed) return;
      tell(ctx, component, changed, plan.recovery);
      report(ctx, key, changed, plan.recovery);
    };
    const settle = (verdict: CircuitVerdict): void | Promise<void> => {
      const changed = attempt.settle(verdict);
      if (!isPromise(changed)) return told(changed);
      const settled = changed.then(told, (err: unknown) =>
        servicesOf(ctx).logger.warn({ err, name: component }, "A circuit could not be told how a call ended"),
      );
      // Only what may change the circuit for the next call is waited for.
      return verdict === "failure" || attempt.probe ? settled : undefined;
    };
    // A layer further in that never settles has not succeeded.
    whenAnswered(ctx, () => void settle("failure"));
    return either(
      rest,
      (result) => after(settle(result instanceof InputRequired ? "neither" : "success"), () => result),
      (error) =>
        after(settle(!(error instanceof Suspension) && isFailure(error, ctx) ? "failure" : "neither"), () => {
          throw error;
        }),
    );
  };
  return {
    name: "circuitBreaker",
    passive: true,
    kinds,
    state: (ref) => (shared ?? own).state(id, keyOf(ref, perTool)),
    reset: (ref) => {
      const key = ref && keyOf(ref, perTool);
      const done = own.reset(id, key);
      return shared ? shared.reset(id, key) : done;
    },
    handle: enter,
    [pass]: enter,
    limiting: {
      store: "circuits",
      id,
      byIdentity: false,
      perTool,
      circuit: options.name,
      share: ({ circuits }) => void (shared = circuits),
    },
  };
}

const SHARED = "";

function keyOf(ref: CircuitRef | undefined, perTool: boolean): string {
  if (!perTool) return SHARED;
  const [named] = Object.entries(ref ?? {});
  if (!named)
    throw new ConfigurationError(
      'Each component has a circuit of its own: name one, such as { tool: "search" }.',
    );
  return named.join(":");
}

/** Errors that say nothing of what the call needs. */
const OTHERS: ReadonlySet<string> = new Set([
  "RATE_LIMIT_EXCEEDED",
  "CONCURRENCY_LIMIT_EXCEEDED",
  "BACKEND_UNAVAILABLE",
  "CIRCUIT_OPEN",
  "CANCELLED",
  "INPUT_INVALID",
]);

function isBroken(error: unknown, ctx: RequestContext): boolean {
  if (error instanceof MCPError)
    return error.code === "INTERNAL_ERROR" || (error.retryable && !OTHERS.has(error.code));
  return !ctx.signal.aborted;
}

function tell(ctx: RequestContext, component: string, state: "open" | "closed", pause: number): void {
  const { requestId, operation } = ctx;
  const fields = { requestId, operation: operation.kind, name: component };
  if (state === "open") servicesOf(ctx).logger.warn({ ...fields, recoveryMs: pause }, "Circuit opened");
  else servicesOf(ctx).logger.info(fields, "Circuit closed");
}

function openCircuit({ operation: { kind, component } }: RequestContext, left: number): MCPError {
  const wait = Math.max(1_000, left);
  const seconds = wait / 1_000;
  return refusal(
    () =>
      new MCPError(`Circuit open for ${kind} '${component}'. Retry after ${seconds.toFixed(1)}s.`, {
        code: "CIRCUIT_OPEN",
        suggestion: `'${component}' is paused after repeated failures. Wait about ${Math.ceil(seconds)}s before calling it again, or continue without it.`,
        details: { [kind]: component, retry_after_seconds: Math.ceil(wait) / 1_000 },
      }),
  );
}
