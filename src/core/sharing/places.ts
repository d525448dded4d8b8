/** Places for calls, in this process. */

import type { Place, PlaceLimit, PlaceStore } from "../ports.ts";

/** Callers come and go: of those with no call under way, so many are remembered. */
const REMEMBERED = 1_000;

/**
 * Gives places to the calls of this process.
 *
 * @example
 * ```ts
 * const places = memoryPlaceStore();
 * const place = await places.take("export", { max: 2, queue: 0, wait: 0 }, ctx);
 * ```
 */
export function memoryPlaceStore(): PlaceStore {
  const all = new Map<string, Places>();
  return {
    take(key, limit, seeker) {
      let places = all.get(key);
      if (!places) {
        const emptied = () => all.size > REMEMBERED && all.delete(key);
        all.set(key, (places = new Places(limit.max, emptied)));
      }
      return places.take(limit, seeker);
    },
  };
}

/** So many places, and those who wait for one in the order in which they came. Each place is as good as another. */
class Places implements Place {
  #free: number;
  readonly #max: number;
  readonly #emptied: () => unknown;
  readonly #waiting = new Set<() => void>();

  constructor(max: number, emptied: () => unknown) {
    this.#max = max;
    this.#free = max;
    this.#emptied = emptied;
  }

  take(
    { queue, wait }: PlaceLimit,
    seeker: { readonly signal: AbortSignal },
  ): Place | undefined | Promise<Place | undefined> {
    if (this.#free > 0) {
      this.#free--;
      return this;
    }
    return this.#waiting.size < queue ? this.#wait(wait, seeker.signal) : undefined;
  }

  #wait(longest: number, signal: AbortSignal): Promise<Place | undefined> {
    return new Promise((resolve, reject) => {
      const settle = (done: () => void) => () => {
        if (!this.#waiting.delete(enter)) return;
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        done();
      };
      const enter = settle(() => resolve(this));
      const abort = settle(() => reject(signal.reason as Error));
      const timer = setTimeout(
        settle(() => resolve(undefined)),
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
