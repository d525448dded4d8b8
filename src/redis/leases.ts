/** What processes hold for a while: renewed while they live, free again soon after they have ended. */

import type { CacheClaim } from "../core/ports.ts";
import type { Connection } from "./connection.ts";
import { Script } from "./script.ts";

/** For how long something is held without being renewed, in milliseconds. */
export const LEASE = 6_000;
const RENEW_EVERY = 2_000;
/** How many are renewed with one command. */
const BATCH = 500;
/** How often it is asked whether a claim has ended, should nobody tell; in milliseconds. The first time sooner. */
const LOOK_AFTER = 500;
const FIRST_LOOK = 100;

/** Holders are members of a sorted set, with the time at which they will have been forgotten. */
const RENEW = new Script(`
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + ${LEASE}, ARGV[i + 1])
  redis.call('PEXPIRE', key, ${LEASE})
end
`);

const CLAIM = new Script(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) > 0 then
  redis.call('SET', KEYS[2], '1', 'PX', ${LEASE})
  return 0
end
redis.call('ZADD', KEYS[1], now + ${LEASE}, ARGV[2])
redis.call('PEXPIRE', KEYS[1], ${LEASE})
return 1
`);

/** Those who wait are told, where there are any. */
const RELEASE = new Script(`
redis.call('ZREM', KEYS[1], ARGV[2])
if redis.call('DEL', KEYS[2]) == 1 then redis.call('PUBLISH', ARGV[3], ARGV[4]) end
`);

const HELD = new Script(`return redis.call('ZCOUNT', KEYS[1], now, '+inf')`);

export class Leases {
  readonly #connection: Connection;
  /** The key of each lease of this process. */
  readonly #held = new Map<string, string>();
  readonly #sleeping = new Map<string, Set<() => void>>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #last = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.listen("wake", (name) => this.wake(name));
    // Where Redis lost what it had, it is told what is held.
    connection.onBack(() => this.#renew());
    connection.onGap(() => {
      for (const name of this.#sleeping.keys()) this.wake(name);
    });
  }

  /** A name that no other holder has. */
  token(): string {
    return `${this.#connection.process}:${++this.#last}`;
  }

  /** Renews the lease of `token` at `key` from now on. */
  hold(key: string, token: string): void {
    this.#held.set(token, key);
    if (this.#timer) return;
    this.#timer = setInterval(() => this.#renew(), RENEW_EVERY);
    this.#timer.unref();
  }

  drop(token: string): void {
    this.#held.delete(token);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Resolves when `name` is woken, at latest after so many milliseconds. */
  sleep(name: string, longest: number): Promise<void> {
    return new Promise((resolve) => {
      let sleepers = this.#sleeping.get(name);
      if (!sleepers) this.#sleeping.set(name, (sleepers = new Set()));
      const wake = () => {
        clearTimeout(timer);
        sleepers.delete(wake);
        if (sleepers.size === 0 && this.#sleeping.get(name) === sleepers) this.#sleeping.delete(name);
        resolve();
      };
      const timer = setTimeout(wake, longest);
      sleepers.add(wake);
    });
  }

  wake(name: string): void {
    for (const wake of this.#sleeping.get(name) ?? []) wake();
  }

  /** Claims what one process alone is to make. */
  async claim(name: string): Promise<CacheClaim> {
    const connection = this.#connection;
    const keys = [connection.digestKey("maker", name), connection.digestKey("awaited", name)];
    const [key] = keys as [string];
    const token = this.token();
    // Who is told before the answer is read is told too.
    const told = this.sleep(key, FIRST_LOOK);
    if ((await connection.run(CLAIM, keys, [token])) === 0) return { ended: this.#ended(key, told) };
    this.hold(key, token);
    return {
      release: async () => {
        this.drop(token);
        await connection.run(RELEASE, keys, [token, connection.wakeChannel, key]);
      },
    };
  }

  async #ended(key: string, told: Promise<void>): Promise<void> {
    await told;
    try {
      while ((await this.#connection.run(HELD, [key], [])) !== 0) await this.sleep(key, LOOK_AFTER);
    } catch {
      // Nobody can tell: whoever waits makes it.
    }
  }

  #renew(): void {
    const held = [...this.#held];
    for (let at = 0; at < held.length; at += BATCH) {
      const batch = held.slice(at, at + BATCH);
      this.#connection
        .run(
          RENEW,
          batch.map(([, key]) => key),
          batch.map(([token]) => token),
        )
        .catch(() => {});
    }
  }
}
