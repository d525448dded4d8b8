/** A map of what is kept for a while, within bounds of number and bytes. */

import { checkCount } from "../core/options/known-options.ts";

/** How much is kept in memory. */
export interface MemoryCacheOptions {
  /** How many entries are kept. Default: 10,000. */
  readonly maxSize?: number;
  /** How many bytes they take together, keys included. Default: 16 MiB. */
  readonly maxBytes?: number;
  /** The time in milliseconds, from any beginning, never going back. Default: `performance.now`. */
  readonly now?: () => number;
}

interface Kept<V> {
  readonly value: V;
  readonly until: number;
  readonly bytes: number;
}

/** What an entry takes besides its texts, in bytes, rounded up. */
const ENTRY_BYTES = 256;

export class BoundedEntries<V> {
  readonly #maxSize: number;
  readonly #maxBytes: number;
  readonly #now: () => number;
  /** The one that was not used for longest comes first. */
  readonly #entries = new Map<string, Kept<V>>();
  #bytes = 0;

  /** Throws a {@link ConfigurationError}, which begins with `what`, where a bound is none. */
  constructor(what: string, options: MemoryCacheOptions) {
    const { maxSize = 10_000, maxBytes = 16 * 1024 * 1024, now = () => performance.now() } = options;
    this.#maxSize = checkCount(`${what}: maxSize`, maxSize);
    this.#maxBytes = checkCount(`${what}: maxBytes`, maxBytes);
    this.#now = now;
  }

  /** What is under `key`, and for how many milliseconds more; it counts as used. */
  get(key: string): { readonly value: V; readonly expiresIn: number } | undefined {
    const kept = this.#entries.get(key);
    if (!kept) return undefined;
    const expiresIn = kept.until - this.#now();
    this.#entries.delete(key);
    if (expiresIn > 0) {
      this.#entries.set(key, kept);
      return { value: kept.value, expiresIn };
    }
    this.#bytes -= kept.bytes;
    return undefined;
  }

  /** Whether there is room for a value of so many characters, were nothing else kept. */
  fits(key: string, characters: number): boolean {
    return sizeOf(key, characters) <= this.#maxBytes;
  }

  /** Keeps `value`, of so many characters, for `lifetime` milliseconds; gives `false` where it takes more than all the room. */
  set(key: string, value: V, characters: number, lifetime: number): boolean {
    this.delete(key);
    const bytes = sizeOf(key, characters);
    if (bytes > this.#maxBytes) return false;
    this.#entries.set(key, { value, until: this.#now() + lifetime, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxSize && this.#bytes <= this.#maxBytes) break;
      this.delete(oldest);
    }
    return true;
  }

  delete(key: string): void {
    const kept = this.#entries.get(key);
    if (!kept) return;
    this.#entries.delete(key);
    this.#bytes -= kept.bytes;
  }
}

/** In bytes: texts take one or two for each character. */
function sizeOf(key: string, characters: number): number {
  return ENTRY_BYTES + 2 * (key.length + characters);
}
