/** Circuits of breakers, in this process. */

import type {
  CircuitAttempt,
  CircuitChange,
  CircuitPlan,
  CircuitState,
  CircuitStore,
  CircuitVerdict,
} from "../ports.ts";

/**
 * Keeps the circuits of breakers in this process.
 *
 * @param options.now - The time in milliseconds, from any beginning, never going back. Default: `performance.now`.
 * @example
 * ```ts
 * const circuits = memoryCircuitStore();
 * const attempt = await circuits.enter("billing", "tool:refund", { failures: 5, recovery: 60_000 });
 * ```
 */
export function memoryCircuitStore({
  now = () => performance.now(),
}: { readonly now?: () => number } = {}): CircuitStore {
  const breakers = new Map<string, Map<string, Circuit>>();
  return {
    enter(breaker, component, plan) {
      let circuits = breakers.get(breaker);
      if (!circuits) breakers.set(breaker, (circuits = new Map<string, Circuit>()));
      let circuit = circuits.get(component);
      if (!circuit) circuits.set(component, (circuit = new Circuit(plan, now)));
      return circuit.enter() ?? { wait: circuit.wait };
    },
    state: (breaker, component) => breakers.get(breaker)?.get(component)?.state ?? "closed",
    reset(breaker, component) {
      if (component === undefined) breakers.delete(breaker);
      else breakers.get(breaker)?.delete(component);
    },
  };
}

class Circuit {
  readonly #plan: CircuitPlan;
  readonly #now: () => number;
  #failures = 0;
  /** When it is tried again; `undefined` where it is closed. */
  #until: number | undefined;
  #probing = false;
  /** Grows with each change: calls that began before are no longer its business. */
  #epoch = 0;

  constructor(plan: CircuitPlan, now: () => number) {
    this.#plan = plan;
    this.#now = now;
  }

  get state(): CircuitState {
    if (this.#until === undefined) return "closed";
    return this.#probing || this.#now() >= this.#until ? "half-open" : "open";
  }

  get wait(): number {
    return Math.max(0, (this.#until ?? 0) - this.#now());
  }

  enter(): CircuitAttempt | undefined {
    const probe = this.#until !== undefined;
    if (probe) {
      if (this.state === "open" || this.#probing) return undefined;
      this.#probing = true;
    }
    const epoch = this.#epoch;
    let given = false;
    return {
      probe,
      settle: (verdict) => {
        if (given || epoch !== this.#epoch) return undefined;
        given = true;
        return this.#settle(verdict, probe);
      },
    };
  }

  #settle(verdict: CircuitVerdict, probe: boolean): CircuitChange {
    if (probe) this.#probing = false;
    if (verdict === "success") return this.#succeeded(probe);
    return verdict === "failure" ? this.#failed(probe) : undefined;
  }

  #succeeded(probe: boolean): CircuitChange {
    this.#failures = 0;
    if (!probe) return undefined;
    this.#until = undefined;
    this.#epoch++;
    return "closed";
  }

  #failed(probe: boolean): CircuitChange {
    if (++this.#failures < this.#plan.failures && !probe) return undefined;
    this.#until = this.#now() + this.#plan.recovery;
    this.#epoch++;
    return probe ? undefined : "open";
  }
}
