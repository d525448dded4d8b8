/** Results kept in this process, in bounded memory. */

import { ConfigurationError } from "../errors.ts";
import { shown } from "../known-options.ts";
import type { CacheRead, CacheStore } from "../ports.ts";

/** How much is kept in memory. */
export interface MemoryCacheOptions {
  /** How many entries are kept. Default: 10,000. */
  readonly maxSize?: number;
  /** How many bytes they take together, keys included. Default: 16 MiB. */
  readonly maxBytes?: number;
  /** The time in milliseconds, from any beginning, never going back. Default: `performance.now`. */
  readonly now?: () => number;
}

/**
 * Keeps results in this process. Where there is no room, those that were not used for longest are forgotten; what is larger than
 * all the room is not kept.
 *
 * @throws {@link ConfigurationError} where `maxSize` or `maxBytes` is no whole number from 1.
 * @example
 * ```ts
 * new MCPServer({ name: "task-api", version: "1.0.0", cache: { store: memoryCache({ maxSize: 50_000 }) } });
 * ```
 */
export function memoryCache(options: MemoryCacheOptions = {}): CacheStore {
  const { maxSize = 10_000, maxBytes = 16 * 1024 * 1024, now = () => performance.now() } = options;
  for (const [name, value] of Object.entries({ maxSize, maxBytes })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new ConfigurationError(`memoryCache(): ${name} is ${shown(value)}: write a whole number from 1.`);
  }
  return new MemoryCache(maxSize, maxBytes, now);
}

interface Kept {
  readonly value: string;
  readonly stamp: string;
  readonly until: number;
  readonly bytes: number;
}

/** What an entry takes besides its texts, in bytes, rounded up. */
const ENTRY_BYTES = 256;

class MemoryCache implements CacheStore {
  readonly #maxSize: number;
  readonly #maxBytes: number;
  readonly #now: () => number;
  /** The one that was not used for longest comes first. */
  readonly #entries = new Map<string, Kept>();
  #bytes = 0;
  /** How often each tag has been invalidated, of those that have been read. */
  readonly #generations = new Map<string, number>();

  constructor(maxSize: number, maxBytes: number, now: () => number) {
    this.#maxSize = maxSize;
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  read(key: string, tags: readonly string[]): CacheRead {
    const stamp = tags.length === 0 ? "" : this.#stamp(tags);
    const kept = this.#entries.get(key);
    if (!kept) return { stamp };
    const expiresIn = kept.until - this.#now();
    this.#delete(key, kept);
    if (expiresIn <= 0 || kept.stamp !== stamp) return { stamp };
    this.#add(key, kept);
    return { stamp, entry: { value: kept.value, expiresIn } };
  }

  write(key: string, value: string, stamp: string, lifetime: number): void {
    const before = this.#entries.get(key);
    if (before) this.#delete(key, before);
    // Texts take one or two bytes for each character.
    const bytes = ENTRY_BYTES + 2 * (key.length + value.length + stamp.length);
    if (bytes > this.#maxBytes) return;
    this.#add(key, { value, stamp, until: this.#now() + lifetime, bytes });
    for (const [oldest, kept] of this.#entries) {
      if (this.#entries.size <= this.#maxSize && this.#bytes <= this.#maxBytes) break;
      this.#delete(oldest, kept);
    }
  }

  invalidate(tags: readonly string[]): void {
    for (const tag of tags) {
      const generation = this.#generations.get(tag);
      if (generation !== undefined) this.#generations.set(tag, generation + 1);
    }
  }

  #stamp(tags: readonly string[]): string {
    let stamp = "";
    for (const tag of tags) {
      let generation = this.#generations.get(tag);
      if (generation === undefined) this.#generations.set(tag, (generation = 0));
      stamp += `${generation}.`;
    }
    return stamp;
  }

  #add(key: string, kept: Kept): void {
    this.#entries.set(key, kept);
    this.#bytes += kept.bytes;
  }

  #delete(key: string, kept: Kept): void {
    this.#entries.delete(key);
    this.#bytes -= kept.bytes;
  }
}
