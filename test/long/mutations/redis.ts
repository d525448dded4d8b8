/** What processes share: that they count together, and what is refused. */

import type { Room } from "./defence.ts";

export const redisRooms: readonly Room[] = [
  {
    name: "backend",
    tests: ["test/e2e/backend"],
    defences: [
      {
        what: "closed at the end",
        file: "src/core/operations/lifecycle.ts",
        find: "this.#shutdown.unshift(() => close());",
        replace: "",
      },
      {
        what: "readiness asks it",
        file: "src/core/sharing/stores.ts",
        find: 'this.#lifecycle.addProbe("backend", () => backend.probe());',
        replace: "",
      },
      {
        what: "layers that would be counted together by mistake",
        file: "src/core/identity/authentication.ts",
        find: 'if (store !== "limits" && !isShared) return;',
        replace: 'if (store !== "limits") return;',
      },
      {
        what: "one process makes what is missing",
        file: "src/cache/cache.ts",
        find: "if (claim?.ended) {",
        replace: "if (claim?.ended && false) {",
      },
      {
        what: "a store that is gone is no failure of what a breaker guards",
        file: "src/middleware/circuit-breaker.ts",
        find: '  "BACKEND_UNAVAILABLE",\n',
        replace: "",
      },
      {
        what: "places of all processes",
        file: "src/middleware/concurrency.ts",
        find: "if (!shared) return seat(",
        replace: "if (shared !== null) return seat(",
      },
    ],
  },
  {
    name: "redis-start",
    tests: ["test/services/redis-start"],
    defences: [
      {
        what: "unencrypted connections to other machines",
        file: "src/redis/options.ts",
        find: "if (far !== undefined)",
        replace: "if (far === null)",
      },
      {
        what: "Redis that would forget",
        file: "src/redis/setup.ts",
        find: 'if (policy !== undefined && policy !== "noeviction")',
        replace: "if (policy === null)",
      },
      {
        what: "a process that was busy reads what has come",
        file: "src/redis/in-time.ts",
        find: "setTimeout(() => (timer = setTimeout(expire, READING)), limit);",
        replace: "setTimeout(expire, limit);",
      },
      {
        what: "passwords that Redis asks for",
        file: "src/redis/setup.ts",
        find: 'if (answer.startsWith("NOAUTH"))',
        replace: 'if (answer === "")',
      },
      {
        what: "databases that Redis does not have",
        file: "src/redis/setup.ts",
        find: "return /^ERR .*DB index/i.test(answer);",
        replace: "return false;",
      },
      {
        what: "databases that are none",
        file: "src/redis/options.ts",
        find: "if (!/^\\/?\\d*$/.test(path))",
        replace: "if (path === undefined)",
      },
      {
        what: "passwords that Redis repeats",
        file: "src/redis/heartbeat.ts",
        find: 'error.message.replace(ARGUMENTS, "")',
        replace: "error.message",
      },
      {
        what: "it is back once it can be written",
        file: "src/redis/heartbeat.ts",
        find: ".then(() => this.#write(commands));",
        replace: ";",
      },
      {
        what: "it is no longer full once it has room",
        file: "src/redis/heartbeat.ts",
        find: "isFull(before) && used > bound * ROOMY ? before : undefined",
        replace: "undefined",
      },
      {
        what: "limits fail closed",
        file: "src/redis/limits.ts",
        find: "if (isOpen) return",
        replace: "if (isOpen || true) return",
      },
      {
        what: "changes may have been missed in a gap",
        file: "src/redis/events.ts",
        find: "if (!isFirst) tell(",
        replace: "if (isFirst) tell(",
      },
      {
        what: "calls that ended while it was gone are recorded",
        file: "src/redis/idempotency.ts",
        find: "timer ??= setTimeout(() => void settle(), TELL_AFTER);",
        replace: "timer ??= setTimeout(() => {}, TELL_AFTER);",
      },
    ],
  },
  {
    name: "redis-bounds",
    tests: ["test/services/redis-bounds"],
    defences: [
      {
        what: "names that are short and tell nothing",
        file: "src/redis/connection.ts",
        find: "return this.key(kind, digest(text));",
        replace: "return this.key(kind, text);",
      },
      {
        what: "records without arguments",
        file: "src/redis/idempotency.ts",
        find: "fingerprint: digest,",
        replace: "",
      },
      {
        what: "results that are too large to be kept",
        file: "src/redis/connection.ts",
        find: "if (text.length > maxEntryBytes) return false;",
        replace: "if (text.length > 0) return true;",
      },
      {
        what: "calls whose results are too large are not run again",
        file: "src/cache/idempotency.ts",
        find: "if (kept !== false) return;",
        replace: "if (kept !== null) return void (await store.release(key, claimed));",
      },
      {
        what: "room for counts and claims",
        file: "src/redis/heartbeat.ts",
        find: "this.#room = Math.max(0, bound * FOR_RESULTS - used);",
        replace: "",
      },
      {
        what: "nobody waits for what is too large",
        file: "src/redis/cache.ts",
        find: "tooLarge.delete(`${stamp} ${entryKey(key)}`)",
        replace: "tooLarge.delete(stamp)",
      },
    ],
  },
  {
    name: "redis-foreign",
    tests: ["test/services/redis-foreign"],
    defences: [
      {
        what: "what cannot be read is told, with its key",
        file: "src/redis/connection.ts",
        find: "if (isForeign(error)) throw this.foreign(keys, error);",
        replace: "",
      },
      {
        what: "once a minute",
        file: "src/redis/connection.ts",
        find: "?? -Infinity) >= COMPLAIN_AFTER)",
        replace: "?? -Infinity) >= 0)",
      },
      {
        what: "results are made again",
        file: "src/redis/cache.ts",
        find: "if type(got) ~= 'table' or not got.err then return got end",
        replace:
          "if type(got) ~= 'table' or not got.err then return got end\n  if got then return redis.call(command, key, ...) end",
      },
      {
        what: "records that are none",
        file: "src/redis/idempotency.ts",
        find: "if ((there as string).startsWith(MARK)) return",
        replace: "if (there) return",
      },
      {
        what: "nor run again",
        file: "src/cache/idempotency.ts",
        find: 'if (typeof claim !== "string") throw new TypeError("It is no claim.");',
        replace: "",
        tests: ["test/e2e/cache/idempotency.test"],
      },
    ],
  },
  {
    name: "redis-stores",
    tests: ["test/services/redis-contracts"],
    defences: [
      {
        what: "charges are counted all or none",
        file: "src/redis/limits.ts",
        find: "if counter.wait ~= 0 then allowed = 0 end",
        replace: "if counter.wait ~= 0 and i == #KEYS then allowed = 0 end",
      },
      {
        what: "what was made before an invalidation is old",
        file: "src/redis/cache.ts",
        find: "if entry[1] ~= stamp then return { stamp } end",
        replace: "if not entry[1] then return { stamp } end",
      },
      {
        what: "one call tries a circuit",
        file: "src/redis/circuits.ts",
        find: "if redis.call('ZCARD', KEYS[2]) > 0 then return { 'open', '0' } end",
        replace: "",
      },
    ],
  },
  {
    name: "redis-fleet",
    tests: ["test/services/redis-fleet"],
    defences: [
      {
        what: "places of processes that ended come back",
        file: "src/redis/places.ts",
        find: "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)\nredis.call('ZREMRANGEBYSCORE', KEYS[2]",
        replace: "redis.call('PERSIST', KEYS[1])\nredis.call('ZREMRANGEBYSCORE', KEYS[2]",
      },
    ],
  },
];
