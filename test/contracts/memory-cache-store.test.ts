/** The store that keeps results in this process: the contract, and that its memory is bounded. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type CacheStore, type MemoryCacheOptions, memoryCache } from "gantry-mcp";
import { expect, test } from "vitest";
import { cacheStoreContract } from "./cache-store.ts";

function withClock(options: MemoryCacheOptions = {}) {
  let now = 1_000_000;
  const store = memoryCache({ now: () => now, ...options });
  return { store, advance: (milliseconds: number) => void (now += milliseconds) };
}

cacheStoreContract("memory", () => withClock());

const put = async (store: CacheStore, key: string, value: string) => store.write(key, value, "", 60_000);
const has = async (store: CacheStore, key: string) => (await store.read(key, [])).entry !== undefined;

test("what was not used for longest makes room", async () => {
  const { store } = withClock({ maxSize: 3 });
  for (const key of ["a", "b", "c"]) await put(store, key, "1");
  expect(await has(store, "a")).toBe(true);
  await put(store, "d", "1");
  expect(await Promise.all(["a", "b", "c", "d"].map((key) => has(store, key)))).toEqual([
    true,
    false,
    true,
    true,
  ]);
});

test("bytes are counted too, and what takes all of them is not kept", async () => {
  const { store } = withClock({ maxBytes: 10_000 });
  await put(store, "a", "x".repeat(2_000));
  await put(store, "b", "x".repeat(2_000));
  expect([await has(store, "a"), await has(store, "b")]).toEqual([true, true]);
  await put(store, "c", "x".repeat(2_000));
  expect([await has(store, "a"), await has(store, "b"), await has(store, "c")]).toEqual([false, true, true]);
  await put(store, "b", "x".repeat(20_000));
  expect([await has(store, "b"), await has(store, "c")]).toEqual([false, true]);
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("100,000 callers stay within the bounds", async () => {
  const { store } = withClock({ maxBytes: 16 * 1024 * 1024, maxSize: 1_000_000 });
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let caller = 0; caller < 100_000; caller++)
    await put(store, `caller ${caller} `.repeat(5), `result of ${caller} ${"x".repeat(500)}`);
  await store.invalidate(Array.from({ length: 100_000 }, (_, tag) => `tag ${tag}`));
  collectGarbage();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20 * 1024 * 1024);
  expect(await has(store, "caller 99999 ".repeat(5))).toBe(true);
});

test.each([{ maxSize: 0 }, { maxBytes: 1.5 }])("a bound that is none is refused: %j", (options) => {
  expect(() => memoryCache(options)).toThrow("write a whole number from 1.");
});
