/** Results kept in Redis, and one process that makes what is missing. */

import type { CacheRead, CacheStore } from "../core/ports.ts";
import type { Connection } from "./connection.ts";
import type { Leases } from "./leases.ts";
import { Script } from "./script.ts";

/** What is of another type is forgotten: results can be made again, and without generations none is taken for new. */
const READABLE = `
local function readable(command, key, ...)
  local got = redis.pcall(command, key, ...)
  if type(got) ~= 'table' or not got.err then return got end
  redis.call('DEL', key)
  return false
end
`;

/**
 * Each tag has a generation, a time that no other has had: where Redis loses all, what was made before is not taken for new after.
 */
const READ = new Script(`${READABLE}
local stamp = ''
for i = 2, #ARGV do
  local generation = readable('HGET', KEYS[1], ARGV[i])
  if not generation then
    generation = string.format('%.0f', time[1] * 1000000 + time[2])
    redis.call('HSET', KEYS[1], ARGV[i], generation)
  end
  stamp = stamp .. generation .. '.'
end
local entry = readable('HMGET', KEYS[2], 'stamp', 'value') or {}
if entry[1] ~= stamp then return { stamp } end
return { stamp, entry[2], redis.call('PTTL', KEYS[2]) }
`);

/** A result that is too large, or finds no room, has a stamp and no value: whoever wants it makes it, and waits for nobody. */
const WRITE = new Script(`
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'stamp', ARGV[2])
if ARGV[4] then redis.call('HSET', KEYS[1], 'value', ARGV[4]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
`);

const INVALIDATE = new Script(`${READABLE}
for i = 2, #ARGV do
  local generation = readable('HGET', KEYS[1], ARGV[i])
  if generation then
    local next = math.max(time[1] * 1000000 + time[2], (tonumber(generation) or 0) + 1)
    redis.call('HSET', KEYS[1], ARGV[i], string.format('%.0f', next))
  end
end
`);

/** How many results are remembered that are too large to be kept. */
const REMEMBERED = 1_000;

export function redisCacheStore(connection: Connection, leases: Leases): CacheStore {
  const tagsKey = () => connection.key("tags");
  const entryKey = (key: string) => connection.digestKey("cache", key);
  /** What was just read to be too large to be kept: entries with their stamps. */
  const tooLarge = new Set<string>();
  return {
    async read(key, tags): Promise<CacheRead> {
      const keys = [tagsKey(), entryKey(key)] as const;
      const [stamp, value, expiresIn] = (await connection.run(READ, keys, tags)) as [
        string,
        (string | null)?,
        number?,
      ];
      if (value === null) {
        if (tooLarge.size >= REMEMBERED) tooLarge.clear();
        tooLarge.add(`${stamp} ${keys[1]}`);
      }
      if (value === undefined || value === null) return { stamp };
      return { stamp, entry: { value, expiresIn: Math.max(1, expiresIn ?? 0) } };
    },
    async write(key, value, stamp, lifetime) {
      const fits = connection.fits(value);
      await connection.run(
        WRITE,
        [entryKey(key)],
        [stamp, Math.ceil(lifetime), ...(fits && connection.hasRoom(value) ? [value] : [])],
      );
      return fits;
    },
    async invalidate(tags) {
      await connection.run(INVALIDATE, [tagsKey()], tags);
    },
    claim: (key, stamp) =>
      tooLarge.delete(`${stamp} ${entryKey(key)}`) ? { release() {} } : leases.claim(`${stamp} ${key}`),
  };
}
