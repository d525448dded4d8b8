/** The store that keeps idempotent calls in this process: the contract, and its bounds. */

import { memoryIdempotencyStore } from "gantry-mcp";
import { expect, test } from "vitest";
import { idempotencyStoreContract } from "./idempotency-store.ts";

idempotencyStoreContract("memory", () => {
  let now = 1_000_000;
  const store = memoryIdempotencyStore({ now: () => now });
  return { store, advance: (milliseconds) => void (now += milliseconds) };
});

test("what was not used for longest makes room", async () => {
  const store = memoryIdempotencyStore({ maxSize: 2 });
  for (const key of ["a", "b", "c"]) await store.claim(key, key, 60_000);
  expect(await store.claim("c", "x", 60_000)).toBe("c");
  expect(await store.claim("a", "x", 60_000)).toBe(undefined);
});

test("a bound that is none is refused", () => {
  expect(() => memoryIdempotencyStore({ maxSize: -1 })).toThrow("memoryIdempotencyStore(): maxSize is -1");
});

test("what is larger than all the room is not kept, and the claim is", async () => {
  const store = memoryIdempotencyStore({ maxBytes: 2_000 });
  await store.claim("a", "mine", 60_000);
  expect(await store.replace("a", "mine", "x".repeat(2_000), 60_000)).toBe(false);
  expect(await store.claim("a", "x", 60_000)).toBe("mine");
  expect(await store.replace("a", "mine", "result", 60_000)).toBe(true);
  expect(await store.claim("a", "x", 60_000)).toBe("result");
});
