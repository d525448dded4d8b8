/** A backend that several servers of one process share, as several processes would: memory with claims. */

import {
  type Backend,
  type BackendOwner,
  type CacheStore,
  memoryCache,
  memoryCircuitStore,
  memoryEventBus,
  memoryEventStore,
  memoryIdempotencyStore,
  memoryLimitStore,
  memoryPlaceStore,
} from "gantry-mcp";

/** Gives a backend over the same stores for each server. */
export function sharedMemory() {
  const stores = {
    limits: memoryLimitStore(),
    places: memoryPlaceStore(),
    circuits: memoryCircuitStore(),
    cache: claiming(memoryCache()),
    idempotency: memoryIdempotencyStore(),
    eventBus: memoryEventBus(),
    eventStore: memoryEventStore(),
  };
  const journal: string[] = [];
  const backend = (part: Partial<Backend> = {}): Backend => ({
    ...stores,
    open: ({ name }: BackendOwner) => void journal.push(`open ${name}`),
    probe: () => true,
    close: () => void journal.push("close"),
    ...part,
  });
  return { backend, journal };
}

function claiming(store: CacheStore): CacheStore {
  const claims = new Map<string, Promise<void>>();
  return {
    read: (key, tags) => store.read(key, tags),
    write: (key, value, stamp, lifetime) => store.write(key, value, stamp, lifetime),
    invalidate: (tags) => store.invalidate(tags),
    async claim(key, stamp) {
      const name = `${stamp} ${key}`;
      const ended = claims.get(name);
      if (ended) return { ended };
      let release = () => {};
      claims.set(name, new Promise((resolve) => (release = resolve)));
      return {
        release() {
          claims.delete(name);
          release();
        },
      };
    },
  };
}
