/** What calls of idempotent tools came to, in Redis. */

import { MCPError } from "../core/errors.ts";
import type { IdempotencyStore } from "../core/ports.ts";
import type { Connection } from "./connection.ts";
import { digest } from "./crypto.ts";
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

/** What records begin with: whatever else stands there is none, and nobody knows whether the call was carried out. */
const MARK = "1 ";

/** Records up to this length are kept wherever Redis takes them: what says that a result is not kept is one. */
const SMALL = 1_024;

/** How many calls' ends are remembered while Redis cannot be told of them. */
const REMEMBERED = 10_000;
/** How long after a try to tell it the next one is, in milliseconds. */
const TELL_AFTER = 500;

export function redisIdempotencyStore(connection: Connection): IdempotencyStore {
  const keys = (key: string) => [connection.digestKey("once", key)];
  /** What Redis has yet to be told, by key: a call that has had its effect must not have it again. */
  const owed = new Map<string, () => Promise<unknown>>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const settle = async () => {
    timer = undefined;
    const all = [...owed];
    owed.clear();
    await Promise.all(all.map(([key, tell]) => told(key, tell, true).catch(() => {})));
  };
  const told = async (key: string, tell: () => Promise<unknown>, isAgain = false) => {
    try {
      return await tell();
    } catch (error) {
      // What cannot be read does not become readable; what was said of the call since is newer.
      if (error instanceof MCPError && !error.retryable) throw error;
      if (owed.size < REMEMBERED && !(isAgain && owed.has(key))) owed.set(key, tell);
      timer ??= setTimeout(() => void settle(), TELL_AFTER);
      timer.unref();
      throw error;
    }
  };
  const release = (key: string, claimed: string) => connection.run(RELEASE, keys(key), [MARK + claimed]);
  return {
    fingerprint: digest,
    async claim(key, record, lifetime) {
      try {
        const there = await connection.run(CLAIM, keys(key), [MARK + record, Math.ceil(lifetime)]);
        if (there === null) return undefined;
        if ((there as string).startsWith(MARK)) return (there as string).slice(MARK.length);
        throw connection.foreign(keys(key), new Error("It is no record of an idempotent call."));
      } catch (error) {
        if (error instanceof MCPError && !error.retryable) throw error;
        // It may have arrived, and then nobody would give it up.
        await told(key, () => release(key, record)).catch(() => {});
        throw error;
      }
    },
    async replace(key, claimed, record, lifetime) {
      if (!connection.fits(record) || (record.length > SMALL && !connection.hasRoom(record))) return false;
      await told(key, () =>
        connection.run(REPLACE, keys(key), [MARK + claimed, MARK + record, Math.ceil(lifetime)]),
      );
      return true;
    },
    async release(key, claimed) {
      await told(key, () => release(key, claimed));
    },
  };
}
