/** Places for calls of all processes, in Redis. */

import type { Place, PlaceLimit, PlaceStore } from "../core/ports.ts";
import type { Connection } from "./connection.ts";
import { LEASE, type Leases } from "./leases.ts";
import { Script } from "./script.ts";

/** How often a call that waits looks for a place by itself, in milliseconds: places of processes that ended come back untold. */
const LOOK_AFTER = 500;

/** Whoever waits is ahead of those who came later: they find a place where more are free than are waited for. */
const TAKE = new Script(`
local token, max, queue, wait, waiting = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local free = max - redis.call('ZCARD', KEYS[1])
local ahead
if waiting then
  ahead = redis.call('ZRANK', KEYS[2], token)
  if not ahead then return 'none' end
else
  ahead = redis.call('ZCARD', KEYS[2])
end
if free > ahead then
  redis.call('ZREM', KEYS[2], token)
  redis.call('ZADD', KEYS[1], now + ${LEASE}, token)
  redis.call('PEXPIRE', KEYS[1], ${LEASE})
  if free > 1 then
    local next = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
    if next then redis.call('PUBLISH', ARGV[7], next) end
  end
  return 'taken'
end
if waiting then return 'waiting' end
if ahead >= queue then return 'none' end
redis.call('ZADD', KEYS[2], string.format('%.3f', now + wait), token)
redis.call('PEXPIRE', KEYS[2], math.ceil(wait) + 1)
return 'waiting'
`);

/** Gives a place back, or stops waiting for one, and tells who waits longest. */
const LEAVE = new Script(`
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[2])
local next = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
if next then redis.call('PUBLISH', ARGV[3], next) end
`);

/** @param isOpen - Whether calls pass uncounted while Redis cannot be reached. */
export function redisPlaceStore(connection: Connection, leases: Leases, isOpen: boolean): PlaceStore {
  const leave = (keys: readonly string[], token: string) => {
    leases.drop(token);
    // Where that fails the place comes back by itself: it is no longer renewed.
    connection.run(LEAVE, keys, [token, connection.wakeChannel]).catch(() => {});
  };
  const take = async (
    keys: readonly [string, string],
    token: string,
    { max, queue, wait }: PlaceLimit,
    signal: AbortSignal,
  ): Promise<Place | undefined> => {
    const deadline = performance.now() + wait;
    const abort = () => leases.wake(token);
    signal.addEventListener("abort", abort, { once: true });
    try {
      for (let waiting = 0; ; waiting = 1) {
        const pause = leases.sleep(token, Math.max(0, Math.min(LOOK_AFTER, deadline - performance.now())));
        const args = [token, max, queue, wait, waiting, connection.wakeChannel];
        const got = await connection.run(TAKE, keys, args);
        if (got === "taken") {
          leases.hold(keys[0], token);
          let given = false;
          return {
            leave() {
              if (!given) leave(keys, token);
              given = true;
            },
          };
        }
        if (got === "none") return undefined;
        await pause;
        if (signal.aborted) throw signal.reason;
        if (performance.now() >= deadline) {
          leave(keys, token);
          return undefined;
        }
      }
    } catch (error) {
      // Also where it is not known whether the place was taken.
      leave(keys, token);
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
      leases.wake(token);
    }
  };
  return {
    async take(key, limit, { signal }) {
      const keys = [connection.digestKey("places", key), connection.digestKey("queue", key)] as const;
      try {
        return await take(keys, leases.token(), limit, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (isOpen) return { leave() {} };
        throw error;
      }
    },
  };
}
