/** All stores over one pair of connections. */

import type { Backend } from "../core/ports.ts";
import { redisCacheStore } from "./cache.ts";
import { redisCircuitStore } from "./circuits.ts";
import { Connection } from "./connection.ts";
import { redisEventBus, redisEventStore } from "./events.ts";
import { redisIdempotencyStore } from "./idempotency.ts";
import { Leases } from "./leases.ts";
import { redisLimitStore } from "./limits.ts";
import { type RedisBackendOptions, type RedisSettings, redisSettings } from "./options.ts";
import { redisPlaceStore } from "./places.ts";

/**
 * Lets the processes of a server share what they count and keep, in Redis (from 6.2) or Valkey: limits, places, circuits, results, idempotent
 * calls, changes, and the messages of sessions. Servers of one name share it. Needs the package `ioredis`.
 *
 * Where Redis cannot be reached the server is not ready, and what depends on it fails soon, as `BACKEND_UNAVAILABLE`, or does
 * without it: see [what happens when](https://github.com/gantry-mcp/gantry/blob/main/docs/operations/fleet.md).
 *
 * @param options - A URL, or {@link RedisBackendOptions}.
 * @returns The backend of one server.
 * @throws {@link ConfigurationError} where options are wrong, or the connection to another machine would not be encrypted. The server's
 *   start throws one where `ioredis` is missing, Redis lets nobody in, is too old, or would forget what it keeps.
 * @example
 * ```ts
 * import { redis } from "gantry-mcp/redis";
 * new MCPServer({ name: "task-api", version: "1.0.0", backend: redis("rediss://redis.example.com:6379") });
 * ```
 */
export function redis(options: string | RedisBackendOptions): Backend {
  return redisBackend(redisSettings(options));
}

/** @param skew - Added to the clock of Redis, in milliseconds. */
export function redisBackend(settings: RedisSettings, skew?: () => number): Backend {
  const connection = new Connection(settings, skew);
  const leases = new Leases(connection);
  return {
    limits: redisLimitStore(connection, settings.open.has("limits")),
    places: redisPlaceStore(connection, leases, settings.open.has("places")),
    circuits: redisCircuitStore(connection, leases),
    cache: redisCacheStore(connection, leases),
    idempotency: redisIdempotencyStore(connection),
    eventBus: redisEventBus(connection),
    eventStore: redisEventStore(connection),
    open: (owner) => connection.open(owner),
    probe: () => connection.probe(),
    close: async () => {
      leases.close();
      await connection.close();
    },
  };
}
