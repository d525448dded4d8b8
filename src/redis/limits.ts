/** Calls counted in Redis, as memory counts them: `limits/counters.ts` says how. */

import type { LimitCharge, LimitState, LimitStore, LimitVerdict } from "../core/ports.ts";
import type { Connection } from "./connection.ts";
import { Script } from "./script.ts";

/**
 * For each key its algorithm, quota, window, burst and cost. All charges are looked at before any is counted. A bucket is the time
 * at which it will be full; a window is the steps in which calls were counted, each with how many.
 */
const CHARGE = new Script(`
local ROUNDING = 0.000001
local STEPS = 60
local counters, allowed = {}, 1
for i, key in ipairs(KEYS) do
  local at = 2 + (i - 1) * 5
  local quota, window, burst, cost = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local kept = redis.call('GET', key)
  local counter = { quota = quota, window = window, burst = burst, cost = cost, wait = 0 }
  if ARGV[at] == 'sliding-window' then
    counter.step = window / STEPS
    counter.steps, counter.total = {}, 0
    local steps = kept and cmsgpack.unpack(kept) or {}
    for s = 1, #steps, 2 do
      if (steps[s] + 1) * counter.step + window > now then
        table.insert(counter.steps, steps[s])
        table.insert(counter.steps, steps[s + 1])
        counter.total = counter.total + steps[s + 1]
      end
    end
    local left = quota - counter.total - cost
    if cost > quota then
      counter.wait = -1
    elseif left < -ROUNDING then
      for s = 1, #counter.steps, 2 do
        left = left + counter.steps[s + 1]
        if left >= -ROUNDING then
          counter.wait = (counter.steps[s] + 1) * counter.step + window - now
          break
        end
      end
    end
  else
    counter.each = window / quota
    counter.full = math.max(now, tonumber(kept or 0))
    local over = counter.full - now + (cost - burst) * counter.each
    if cost > burst then
      counter.wait = -1
    elseif over > 0.001 + ROUNDING * counter.each then
      counter.wait = over
    end
  end
  if counter.wait ~= 0 then allowed = 0 end
  counters[i] = counter
end
local answer = { allowed }
for i, key in ipairs(KEYS) do
  local counter = counters[i]
  local counts = allowed == 1 and counter.cost > 0
  local remaining, reset
  if counter.steps then
    local steps = counter.steps
    if counts then
      local step = math.floor(now / counter.step)
      if steps[#steps - 1] == step then
        steps[#steps] = steps[#steps] + counter.cost
      else
        table.insert(steps, step)
        table.insert(steps, counter.cost)
      end
      counter.total = counter.total + counter.cost
    end
    remaining = counter.quota - counter.total
    reset = #steps == 0 and 0 or (steps[#steps - 1] + 1) * counter.step + counter.window - now
    if counts then redis.call('SET', key, cmsgpack.pack(steps), 'PX', math.ceil(reset) + 1) end
  else
    if counts then counter.full = counter.full + counter.cost * counter.each end
    remaining = counter.burst - (counter.full - now) / counter.each
    reset = counter.full - now
    if counts then redis.call('SET', key, string.format('%.17g', counter.full), 'PX', math.ceil(reset) + 1) end
  end
  table.insert(answer, math.max(0, math.floor(remaining + ROUNDING + 0.001 / counter.window)))
  table.insert(answer, string.format('%.3f', counter.wait))
  table.insert(answer, string.format('%.3f', math.max(0, reset)))
end
return answer
`);

/** @param isOpen - Whether calls pass uncounted while Redis cannot be reached. */
export function redisLimitStore(connection: Connection, isOpen: boolean): LimitStore {
  return {
    async charge(charges) {
      const keys = charges.map(({ key, limit }) => connection.digestKey(`limit:${limit.algorithm}`, key));
      const args = charges.flatMap(({ limit: { algorithm, quota, window, burst }, cost }) => [
        algorithm,
        quota,
        window,
        burst,
        cost,
      ]);
      try {
        return verdictOf((await connection.run(CHARGE, keys, args)) as (number | string)[]);
      } catch (error) {
        if (isOpen) return { allowed: true, states: charges.map(untouched) };
        throw error;
      }
    },
  };
}

function verdictOf([allowed, ...numbers]: readonly (number | string)[]): LimitVerdict {
  const states: LimitState[] = [];
  for (let at = 0; at < numbers.length; at += 3) {
    const [remaining, wait, reset] = numbers.slice(at, at + 3).map(Number) as [number, number, number];
    states.push({ remaining, wait: wait < 0 ? Infinity : wait, reset });
  }
  return { allowed: allowed === 1, states };
}

function untouched({ limit }: LimitCharge): LimitState {
  return { remaining: limit.burst, wait: 0, reset: 0 };
}
