/** Results kept in Redis, and one process that makes what is missing. */

import type { CacheRead, CacheStore } from "../core/ports.ts";
import type { Connection } from "./connection.ts";
import type { Leases } from "./leases.ts";
import { Script } from "./script.ts";

/**
 * Each tag has a generation, a time that no other has had: where Redis loses all, what was made before is not taken for new after.
 */
const READ = new Script(`
local stamp = ''
for i = 2, #ARGV do
  local generation = redis.call('HGET', KEYS[1], ARGV[i])
  if not generation then
    generation = string.format('%.0f', time[1] * 1000000 + time[2])
    redis.call('HSET', KEYS[1], ARGV[i], generation)
  end
  stamp = stamp .. generation .. '.'
end
local entry = redis.call('HMGET', KEYS[2], 'stamp', 'value')
if entry[1] ~= stamp then return { stamp } end
return { stamp, entry[2], redis.call('PTTL', KEYS[2]) }
`);

const WRITE = new Script(`
redis.call('HSET', KEYS[1], 'stamp', ARGV[2], 'value', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
`);

const INVALIDATE = new Script(`
for i = 2, #ARGV do
  local generation = redis.call('HGET', KEYS[1], ARGV[i])
  if generation then
    local next = math.max(time[1] * 1000000 + time[2], generation + 1)
    redis.call('HSET', KEYS[1], ARGV[i], string.format('%.0f', next))
  end
end
`);

export function redisCacheStore(connection: Connection, leases: Leases): CacheStore {
  const tagsKey = () => connection.key("tags");
  return {
    async read(key, tags): Promise<CacheRead> {
      const keys = [tagsKey(), connection.digestKey("cache", key)];
      const [stamp, value, expiresIn] = (await connection.run(READ, keys, tags)) as [
        string,
        string?,
        number?,
      ];
      return value === undefined
        ? { stamp }
        : { stamp, entry: { value, expiresIn: Math.max(1, expiresIn ?? 0) } };
    },
    async write(key, value, stamp, lifetime) {
      await connection.run(WRITE, [connection.digestKey("cache", key)], [stamp, value, Math.ceil(lifetime)]);
    },
    async invalidate(tags) {
      await connection.run(INVALIDATE, [tagsKey()], tags);
    },
    claim: (key, stamp) => leases.claim(`${stamp} ${key}`),
  };
}
