/** Calls that would only fail again are refused at once, and what they need is left to recover. */

import { type Pass, type PassingLayer, type PassiveLayer, pass } from "../compose.ts";
import { type OperationKind, type RequestContext, servicesOf } from "../context.ts";
import { type Duration, timeLimit } from "../duration.ts";
import { ConfigurationError, MCPError, refusal } from "../errors.ts";
import { InputRequired, Suspension } from "../inquiry.ts";
import { type Names, checkCount, checkKnown, shown } from "../known-options.ts";
import { either } from "../promises.ts";
import type { Signal } from "../signals.ts";
import { whenAnswered } from "../time-limit.ts";

/** `closed`: calls run. `open`: they are refused. `half-open`: one call is tried. */
export type CircuitState = "closed" | "open" | "half-open";

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
}

/** A circuit breaker: a layer whose state can be read and reset. */
export interface CircuitBreaker extends PassiveLayer, PassingLayer {
  /** The state of a component's circuit, or of the one that all share. */
  state(ref?: CircuitRef): CircuitState;
  /** Closes a component's circuit; without `ref`, every one. */
  reset(ref?: CircuitRef): void;
}

const OPTIONS: Names<CircuitBreakerOptions> = {
  failures: true,
  recovery: true,
  perTool: true,
  isFailure: true,
  kinds: true,
};
const KINDS: readonly OperationKind[] = ["tool", "resource", "prompt"];

/**
 * Refuses calls as `CIRCUIT_OPEN` when so many in a row have failed. After the recovery time a single call is tried, whatever
 * number of them come: where it succeeds the circuit closes, where it fails it stays open for as long again. The state is this
 * process's, and every change of it is logged.
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
  if (typeof isFailure !== "function")
    throw new ConfigurationError(
      `circuitBreaker(): isFailure is ${shown(isFailure)}: write a function, such as (error) => error instanceof DatabaseError.`,
    );
  const pause = timeLimit(recovery, "circuitBreaker(): recovery");
  const circuits = new Map<string, Circuit>();
  const circuitOf = (key: string): Circuit => {
    let circuit = circuits.get(key);
    if (!circuit) circuits.set(key, (circuit = new Circuit(failures, pause)));
    return circuit;
  };

  const enter: Pass = (ctx, rest) => {
    const { kind, component } = ctx.operation;
    // What is not there breaks nothing.
    if (component === undefined) return rest();
    const key = perTool ? `${kind}:${component}` : SHARED;
    const circuit = circuitOf(key);
    const attempt = circuit.enter();
    if (!attempt) throw openCircuit(ctx, circuit.wait);
    const settle = (verdict: Verdict) => {
      const changed = attempt(verdict);
      if (!changed) return;
      tell(ctx, component, changed, pause);
      const signal: Signal = { kind: "circuit", circuit: key, state: changed, recovery: pause };
      servicesOf(ctx).signals?.(ctx, signal);
    };
    // A layer further in that never settles has not succeeded.
    whenAnswered(ctx, () => settle("failure"));
    return either(
      rest,
      (result) => {
        settle(result instanceof InputRequired ? "neither" : "success");
        return result;
      },
      (error) => {
        settle(!(error instanceof Suspension) && isFailure(error, ctx) ? "failure" : "neither");
        throw error;
      },
    );
  };
  return {
    name: "circuitBreaker",
    passive: true,
    kinds,
    state: (ref) => circuits.get(keyOf(ref, perTool))?.state ?? "closed",
    reset: (ref) => {
      if (ref) circuits.delete(keyOf(ref, perTool));
      else circuits.clear();
    },
    handle: enter,
    [pass]: enter,
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

type Verdict = "success" | "failure" | "neither";

class Circuit {
  readonly #threshold: number;
  readonly #pause: number;
  #failures = 0;
  /** When it is tried again; `undefined` where it is closed. */
  #until: number | undefined;
  #probing = false;
  /** Grows with each change: calls that began before are no longer its business. */
  #epoch = 0;

  constructor(threshold: number, pause: number) {
    this.#threshold = threshold;
    this.#pause = pause;
  }

  get state(): CircuitState {
    if (this.#until === undefined) return "closed";
    return this.#probing || performance.now() >= this.#until ? "half-open" : "open";
  }

  /** How long callers had better wait, in milliseconds. */
  get wait(): number {
    return Math.max(1_000, (this.#until ?? 0) - performance.now());
  }

  /** Lets a call run, unless it is open: gives what takes its verdict, once, and says what that changed. */
  enter(): ((verdict: Verdict) => "open" | "closed" | undefined) | undefined {
    const isProbe = this.#until !== undefined;
    if (isProbe) {
      if (this.state === "open" || this.#probing) return undefined;
      this.#probing = true;
    }
    const epoch = this.#epoch;
    let given = false;
    return (verdict) => {
      if (given || epoch !== this.#epoch) return undefined;
      given = true;
      if (isProbe) this.#probing = false;
      if (verdict === "success") return this.#succeeded(isProbe);
      return verdict === "failure" ? this.#failed(isProbe) : undefined;
    };
  }

  #succeeded(isProbe: boolean): "closed" | undefined {
    this.#failures = 0;
    if (!isProbe) return undefined;
    this.#until = undefined;
    this.#epoch++;
    return "closed";
  }

  #failed(isProbe: boolean): "open" | undefined {
    if (++this.#failures < this.#threshold && !isProbe) return undefined;
    this.#until = performance.now() + this.#pause;
    this.#epoch++;
    return isProbe ? undefined : "open";
  }
}

/** Errors that say nothing of what the call needs. */
const OTHERS: ReadonlySet<string> = new Set([
  "RATE_LIMIT_EXCEEDED",
  "CONCURRENCY_LIMIT_EXCEEDED",
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

function openCircuit({ operation: { kind, component } }: RequestContext, wait: number): MCPError {
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
