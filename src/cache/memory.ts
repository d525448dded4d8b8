/** Results kept in this process, in bounded memory. */

import type { CacheRead, CacheStore, IdempotencyStore } from "../core/ports.ts";
import { BoundedEntries, type MemoryCacheOptions } from "./bounded.ts";

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
  return new MemoryCache(options);
}

interface Stamped {
  readonly text: string;
  readonly stamp: string;
}

class MemoryCache implements CacheStore {
  readonly #entries: BoundedEntries<Stamped>;
  /** How often each tag has been invalidated, of those that have been read. */
  readonly #generations = new Map<string, number>();

  constructor(options: MemoryCacheOptions) {
    this.#entries = new BoundedEntries("memoryCache()", options);
  }

  read(key: string, tags: readonly string[]): CacheRead {
    const stamp = this.#stamp(tags);
    const kept = this.#entries.get(key);
    if (!kept) return { stamp };
    const { value, expiresIn } = kept;
    if (value.stamp === stamp) return { stamp, entry: { value: value.text, expiresIn } };
    this.#entries.delete(key);
    return { stamp };
  }

  write(key: string, text: string, stamp: string, lifetime: number): boolean {
    return this.#entries.set(key, { text, stamp }, text.length + stamp.length, lifetime);
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
}

/**
 * Keeps in this process what calls of idempotent tools came to. Where there is no room, what was not used for longest is
 * forgotten.
 *
 * @throws {@link ConfigurationError} where `maxSize` or `maxBytes` is no whole number from 1.
 * @example
 * ```ts
 * new MCPServer({ name: "shop", version: "1.0.0", idempotency: { store: memoryIdempotencyStore({ maxSize: 100_000 }) } });
 * ```
 */
export function memoryIdempotencyStore(options: MemoryCacheOptions = {}): IdempotencyStore {
  const records = new BoundedEntries<string>("memoryIdempotencyStore()", options);
  return {
    claim(key, record, lifetime) {
      const there = records.get(key)?.value;
      if (there === undefined) records.set(key, record, record.length, lifetime);
      return there;
    },
    replace(key, claimed, record, lifetime) {
      const fits = records.fits(key, record.length);
      if (fits && records.get(key)?.value === claimed) records.set(key, record, record.length, lifetime);
      return fits;
    },
    release(key, claimed) {
      if (records.get(key)?.value === claimed) records.delete(key);
    },
  };
}
