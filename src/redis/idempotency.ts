/** What calls of idempotent tools came to, in Redis. */

import type { IdempotencyStore } from "../ports.ts";
import type { Connection } from "./connection.ts";
import { Script } from "./script.ts";

const CLAIM = new Script(`
local there = redis.call('GET', KEYS[1])
if not there then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return there
`);

const REPLACE = new Script(`
if redis.call('GET', KEYS[1]) == ARGV[2] then redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4]) end
`);

const RELEASE = new Script(`
if redis.call('GET', KEYS[1]) == ARGV[2] then redis.call('DEL', KEYS[1]) end
`);

export function redisIdempotencyStore(connection: Connection): IdempotencyStore {
  const keys = (key: string) => [connection.key("once", key)];
  return {
    async claim(key, record, lifetime) {
      const there = await connection.run(CLAIM, keys(key), [record, Math.ceil(lifetime)]);
      return (there as string | null) ?? undefined;
    },
    async replace(key, claimed, record, lifetime) {
      await connection.run(REPLACE, keys(key), [claimed, record, Math.ceil(lifetime)]);
    },
    async release(key, claimed) {
      await connection.run(RELEASE, keys(key), [claimed]);
    },
  };
}
