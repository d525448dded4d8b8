/** Circuits of breakers for all processes, in Redis. */

import type { CircuitAttempt, CircuitChange, CircuitState, CircuitStore } from "../core/ports.ts";
import type { Connection } from "./connection.ts";
import { LEASE, type Leases } from "./leases.ts";
import { Script } from "./script.ts";

/**
 * A breaker is a hash of its components' circuits. Each has its failures in a row, the time at which it is tried again (0 where it
 * is closed), and its epoch, which changes with its state: calls that began before are no longer its business. Whoever tries
 * it holds a lease.
 */
const LOAD = `
local kept = redis.call('HGET', KEYS[1], ARGV[2])
local failures, again, epoch = 0, 0, '0'
if kept then
  local circuit = cmsgpack.unpack(kept)
  failures, again, epoch = circuit[1], circuit[2], circuit[3]
end
local function save()
  redis.call('HSET', KEYS[1], ARGV[2], cmsgpack.pack({ failures, again, epoch }))
end
local function turn()
  epoch = string.format('%.0f', time[1] * 1000000 + time[2])
end
`;

const ENTER = new Script(`${LOAD}
if again == 0 then return { 'closed', epoch } end
if again > now then return { 'open', string.format('%.3f', again - now) } end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if redis.call('ZCARD', KEYS[2]) > 0 then return { 'open', '0' } end
redis.call('ZADD', KEYS[2], now + ${LEASE}, ARGV[3])
redis.call('PEXPIRE', KEYS[2], ${LEASE})
return { 'probe', epoch }
`);

const SETTLE = new Script(`${LOAD}
local verdict, probe = ARGV[5], ARGV[6] == '1'
if epoch ~= ARGV[4] then return '' end
if probe and redis.call('ZREM', KEYS[2], ARGV[3]) == 0 then return '' end
if verdict == 'success' then
  if failures == 0 and not probe then return '' end
  failures = 0
  if probe then
    again = 0
    turn()
  end
  save()
  return probe and 'closed' or ''
end
if verdict == 'failure' then
  failures = failures + 1
  if failures < tonumber(ARGV[7]) and not probe then
    save()
    return ''
  end
  again = now + ARGV[8]
  turn()
  save()
  return probe and '' or 'open'
end
return ''
`);

const STATE = new Script(`${LOAD}
if again == 0 then return 'closed' end
return again > now and 'open' or 'half-open'
`);

const RESET = new Script(`
if ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[2]) else redis.call('DEL', KEYS[1]) end
`);

export function redisCircuitStore(connection: Connection, leases: Leases): CircuitStore {
  const circuitsOf = (breaker: string) => connection.key("circuits", breaker);
  return {
    async enter(breaker, component, { failures, recovery }) {
      const probeKey = connection.key("probe", `${breaker} ${component}`);
      const keys = [circuitsOf(breaker), probeKey];
      const token = leases.token();
      const [state, more] = (await connection.run(ENTER, keys, [component, token])) as [string, string];
      if (state === "open") return { wait: Number(more) };
      const probe = state === "probe";
      if (probe) leases.hold(probeKey, token);
      let given = false;
      return {
        probe,
        async settle(verdict) {
          if (given) return undefined;
          given = true;
          leases.drop(token);
          const args = [component, token, more, verdict, probe ? 1 : 0, failures, recovery];
          const changed = await connection.run(SETTLE, keys, args);
          return changed === "" ? undefined : (changed as CircuitChange);
        },
      } satisfies CircuitAttempt;
    },
    async state(breaker, component) {
      return (await connection.run(STATE, [circuitsOf(breaker)], [component])) as CircuitState;
    },
    async reset(breaker, component) {
      await connection.run(RESET, [circuitsOf(breaker)], component === undefined ? [] : [component]);
    },
  };
}
