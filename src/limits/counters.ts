/** The two ways to count calls in time. */

import type { Limit } from "../core/ports.ts";

/** What one caller has used of one limit. Times are in milliseconds. */
export interface Counter {
  /** When so much more would fit, from now; 0 where it fits, `Infinity` where it never will. */
  wait(cost: number, now: number): number;
  add(cost: number, now: number): void;
  /** What is left, rounded down. */
  remaining(now: number): number;
  /** When nothing will be counted any more, from now. */
  reset(now: number): number;
  /** Which part of the limit is used: from 0, as if it had never been, to 1. */
  use(now: number): number;
}

/** What is lost to rounding, as a part of one call. */
const ROUNDING = 1e-6;

/**
 * A bucket that holds `burst` tokens and gets one whenever `window / quota` has passed. One number tells all: the time,
 * counted in tokens, at which it will be full (the "generic cell rate algorithm", ITU-T I.371).
 */
export class TokenBucket implements Counter {
  readonly #limit: Limit;
  #full = -Infinity;

  constructor(limit: Limit) {
    this.#limit = limit;
  }

  wait(cost: number, now: number): number {
    const { burst } = this.#limit;
    if (cost > burst) return Infinity;
    const over = this.#missing(now) + cost - burst;
    return over <= ROUNDING ? 0 : over * this.#each;
  }

  add(cost: number, now: number): void {
    this.#full = Math.max(this.#full, now / this.#each) + cost;
  }

  remaining(now: number): number {
    return Math.floor(this.#limit.burst - this.#missing(now) + ROUNDING);
  }

  reset(now: number): number {
    return this.#missing(now) * this.#each;
  }

  use(now: number): number {
    return this.#missing(now) / this.#limit.burst;
  }

  #missing(now: number): number {
    return Math.max(0, this.#full - now / this.#each);
  }

  get #each(): number {
    return this.#limit.window / this.#limit.quota;
  }
}

/** A window moves in so many steps: what it forgets, it forgets up to one step late, and never early. */
const STEPS = 60;

/** The calls of each of the last steps. */
export class SlidingWindow implements Counter {
  readonly #limit: Limit;
  /** Numbers of steps in which calls were counted, oldest first, each followed by how many. */
  #steps: number[] = [];
  #total = 0;

  constructor(limit: Limit) {
    this.#limit = limit;
  }

  wait(cost: number, now: number): number {
    const { quota } = this.#limit;
    if (cost > quota) return Infinity;
    this.#forget(now);
    let left = quota - this.#total - cost;
    if (left >= -ROUNDING) return 0;
    for (let at = 0; at < this.#steps.length; at += 2) {
      left += this.#steps[at + 1] as number;
      if (left >= -ROUNDING) return this.#end(this.#steps[at] as number) - now;
    }
    return 0;
  }

  add(cost: number, now: number): void {
    if (cost === 0) return;
    const step = Math.floor(now / this.#step);
    const last = this.#steps.length - 2;
    if (this.#steps[last] === step) this.#steps[last + 1] = (this.#steps[last + 1] as number) + cost;
    else this.#steps.push(step, cost);
    this.#total += cost;
  }

  remaining(now: number): number {
    this.#forget(now);
    return Math.max(0, Math.floor(this.#limit.quota - this.#total + ROUNDING));
  }

  reset(now: number): number {
    this.#forget(now);
    const newest = this.#steps.at(-2);
    return newest === undefined ? 0 : this.#end(newest) - now;
  }

  use(now: number): number {
    this.#forget(now);
    return this.#steps.length === 0 ? 0 : Math.max(this.#total, ROUNDING) / this.#limit.quota;
  }

  #forget(now: number): void {
    let gone = 0;
    while (gone < this.#steps.length && this.#end(this.#steps[gone] as number) <= now) {
      this.#total -= this.#steps[gone + 1] as number;
      gone += 2;
    }
    if (gone > 0) this.#steps.splice(0, gone);
    if (this.#steps.length === 0) this.#total = 0;
  }

  /** When a step has left the window whole. */
  #end(step: number): number {
    return (step + 1) * this.#step + this.#limit.window;
  }

  get #step(): number {
    return this.#limit.window / STEPS;
  }
}
