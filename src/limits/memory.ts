/** Calls counted in this process, in bounded memory. */

import { checkCount } from "../core/options/known-options.ts";
import type { Limit, LimitCharge, LimitState, LimitStore, LimitVerdict } from "../core/ports.ts";
import { type Counter, SlidingWindow, TokenBucket } from "./counters.ts";

/** How limits are counted in memory. */
export interface MemoryLimitOptions {
  /** How many callers are told apart at once, for each limit that they meet. Default: 50,000, at most some 15 MB. */
  readonly maxKeys?: number;
  /** The time in milliseconds, from any beginning, never going back. Default: `performance.now`. */
  readonly now?: () => number;
}

/** When nobody can be forgotten easily, so many who used much are looked at: time may have given it back to them. */
const LOOKED_AT = 32;

/**
 * Counts calls in this process. Where more than `maxKeys` are to be told apart, those that have used less than half of their
 * limit are forgotten first; one that has used more never is. Newcomers who find no place then are counted together.
 *
 * @throws {@link ConfigurationError} where `maxKeys` is no whole number from 1.
 * @example
 * ```ts
 * new MCPServer({ name: "task-api", version: "1.0.0", limits: { store: memoryLimitStore({ maxKeys: 200_000 }) } });
 * ```
 */
export function memoryLimitStore(options: MemoryLimitOptions = {}): LimitStore {
  const { maxKeys = 50_000, now = () => performance.now() } = options;
  checkCount("memoryLimitStore(): maxKeys", maxKeys);
  return new MemoryLimitStore(maxKeys, now);
}

class MemoryLimitStore implements LimitStore {
  readonly #maxKeys: number;
  readonly #now: () => number;
  /** Those who have used less than half, and may be forgotten; and the others. */
  readonly #light = new Ring();
  readonly #heavy = new Ring();
  /** Those who found no place, together for each limit. */
  readonly #strangers = new WeakMap<Limit, Counter>();

  constructor(maxKeys: number, now: () => number) {
    this.#maxKeys = maxKeys;
    this.#now = now;
  }

  charge(charges: readonly LimitCharge[]): LimitVerdict {
    const now = this.#now();
    const counters = charges.map(({ key, limit }) => this.#counter(key, limit, charges, now));
    const waits = charges.map(({ cost }, index) => (counters[index] as Counter).wait(cost, now));
    const allowed = waits.every((wait) => wait === 0);
    const states = charges.map(({ key, cost }, index): LimitState => {
      const counter = counters[index] as Counter;
      if (allowed) {
        counter.add(cost, now);
        if (counter.use(now) >= 0.5 && this.#light.delete(key)) this.#heavy.set(key, counter);
      }
      return { remaining: counter.remaining(now), wait: waits[index] as number, reset: counter.reset(now) };
    });
    return { allowed, states };
  }

  #counter(key: string, limit: Limit, charges: readonly LimitCharge[], now: number): Counter {
    const known = this.#light.get(key) ?? this.#heavy.get(key);
    if (known) return known;
    if (this.#light.size + this.#heavy.size < this.#maxKeys || this.#makeRoom(charges, now)) {
      const counter = counterOf(limit);
      this.#light.set(key, counter);
      return counter;
    }
    let strangers = this.#strangers.get(limit);
    if (!strangers) this.#strangers.set(limit, (strangers = counterOf(limit)));
    return strangers;
  }

  /** Forgets one: of those who used much one to whom time has given it back, or else the oldest of the others. */
  #makeRoom(charges: readonly LimitCharge[], now: number): boolean {
    const isCharged = (key: string) => charges.some((charge) => charge.key === key);
    const isRested = (key: string, counter: Counter) => counter.use(now) < 0.5 && !isCharged(key);
    return (
      this.#heavy.forget(1, isRested) ||
      this.#light.forget(charges.length + 1, (key) => !isCharged(key)) ||
      this.#heavy.forget(LOOKED_AT, isRested)
    );
  }
}

/** Counters in the order in which they came, with a hand that goes round them a few at a time. */
class Ring {
  readonly #counters = new Map<string, Counter>();
  #hand: Iterator<readonly [string, Counter]> = this.#counters.entries();

  get size(): number {
    return this.#counters.size;
  }

  get(key: string): Counter | undefined {
    return this.#counters.get(key);
  }

  set(key: string, counter: Counter): void {
    this.#counters.set(key, counter);
  }

  delete(key: string): boolean {
    return this.#counters.delete(key);
  }

  /** Looks at the next `most`, and deletes the first that may go. Whether there was one. */
  forget(most: number, mayGo: (key: string, counter: Counter) => boolean): boolean {
    for (let looked = 0; looked < Math.min(most, this.#counters.size); looked++) {
      let next = this.#hand.next();
      if (next.done) {
        this.#hand = this.#counters.entries();
        next = this.#hand.next();
      }
      const [key, counter] = next.value as readonly [string, Counter];
      if (mayGo(key, counter)) return this.#counters.delete(key);
    }
    return false;
  }
}

function counterOf(limit: Limit): Counter {
  return limit.algorithm === "token-bucket" ? new TokenBucket(limit) : new SlidingWindow(limit);
}
