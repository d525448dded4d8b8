/** The store that counts in this process: the contract, and that its memory is bounded. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Limit, type LimitStore, memoryLimitStore } from "gantry-mcp";
import { expect, test } from "vitest";
import { limitStoreContract } from "./limit-store.ts";

function withClock(maxKeys?: number) {
  let now = 1_000_000;
  const store = memoryLimitStore({ now: () => now, ...(maxKeys !== undefined && { maxKeys }) });
  return { store, advance: (milliseconds: number) => void (now += milliseconds) };
}

limitStoreContract("memory", () => withClock());

const hourly = (algorithm: Limit["algorithm"], quota = 10): Limit => ({
  algorithm,
  quota,
  window: 3_600_000,
  burst: quota,
});

const passes = async (store: LimitStore, key: string, limit: Limit, cost = 1) =>
  (await store.charge([{ key, limit, cost }])).allowed;

test.each(["token-bucket", "sliding-window"] as const)(
  "100,000 newcomers all pass, and free nobody who is exhausted: %s",
  async (algorithm) => {
    const { store } = withClock(1_000);
    const limit = hourly(algorithm);
    for (let caller = 0; caller < 100; caller++) await passes(store, `exhausted ${caller}`, limit, 10);
    let admitted = 0;
    for (let caller = 0; caller < 100_000; caller++)
      if (await passes(store, `caller ${caller}`, limit)) admitted++;
    expect(admitted).toBe(100_000);
    for (let caller = 0; caller < 100; caller++)
      expect(await passes(store, `exhausted ${caller}`, limit)).toBe(false);
  },
);

test("callers who find no place are counted together, and nobody is forgotten for them", async () => {
  const { store, advance } = withClock(100);
  const limit = hourly("sliding-window");
  for (let caller = 0; caller < 100; caller++) await passes(store, `exhausted ${caller}`, limit, 10);
  let admitted = 0;
  for (let caller = 0; caller < 1_000; caller++)
    if (await passes(store, `caller ${caller}`, limit)) admitted++;
  expect(admitted).toBe(10);
  for (let caller = 0; caller < 100; caller++)
    expect(await passes(store, `exhausted ${caller}`, limit)).toBe(false);
  advance(2 * limit.window);
  for (let caller = 0; caller < 1_000; caller++)
    expect(await passes(store, `caller ${caller}`, limit)).toBe(true);
});

test("a caller that meets several limits when there is no room is counted in each", async () => {
  const { store } = withClock(2);
  const minute = { ...hourly("token-bucket", 3), window: 60_000 };
  const charge = (caller: string) =>
    store.charge([
      { key: `m ${caller}`, limit: minute, cost: 1 },
      { key: `h ${caller}`, limit: hourly("sliding-window", 4), cost: 1 },
    ]);
  await charge("ben");
  const verdicts = [];
  for (let call = 0; call < 6; call++) verdicts.push((await charge("ana")).allowed);
  expect(verdicts).toEqual([true, true, true, false, false, false]);
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("memory stays within the cap", async () => {
  const { store } = withClock(10_000);
  const limit = hourly("sliding-window");
  const measure = async (from: number, to: number) => {
    for (let caller = from; caller < to; caller++) await passes(store, `caller number ${caller}`, limit);
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const full = await measure(0, 20_000);
  const flooded = await measure(20_000, 80_000);
  expect(flooded - full).toBeLessThan(20 * 1024 * 1024);
});

test("a cap that is none is refused", () => {
  expect(() => memoryLimitStore({ maxKeys: 0 })).toThrow("maxKeys is 0: write a whole number from 1.");
});
