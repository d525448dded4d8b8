/** What every store of idempotent calls has to do, wherever it keeps them. */

import type { IdempotencyStore } from "gantry-mcp";
import { describe, expect, test } from "vitest";

export interface IdempotencyStoreUnderTest {
  readonly store: IdempotencyStore;
  /** Lets time pass, in milliseconds. */
  readonly advance: (milliseconds: number) => void | Promise<void>;
}

/** Runs the suite against the stores that `make` makes; each is used for one test. */
export function idempotencyStoreContract(
  name: string,
  make: () => IdempotencyStoreUnderTest | Promise<IdempotencyStoreUnderTest>,
) {
  describe(`idempotent calls in ${name}`, () => {
    test("the first claim of a key is kept, and every other is told of it", async () => {
      const { store } = await make();
      expect(await store.claim("a", "first", 60_000)).toBe(undefined);
      expect(await store.claim("a", "second", 60_000)).toBe("first");
      expect(await store.claim("b", "other", 60_000)).toBe(undefined);
    });

    test("of claims made at the same time one is kept", async () => {
      const { store } = await make();
      const claims = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => store.claim("a", `claim ${index}`, 60_000)),
      );
      expect(claims.filter((there) => there === undefined)).toHaveLength(1);
      expect(new Set(claims.filter((there) => there !== undefined)).size).toBe(1);
    });

    test("a claim is replaced and released by who made it alone", async () => {
      const { store } = await make();
      await store.claim("a", "mine", 60_000);
      await store.replace("a", "another's", "spoiled", 60_000);
      await store.release("a", "another's");
      expect(await store.claim("a", "x", 60_000)).toBe("mine");
      await store.replace("a", "mine", "result", 60_000);
      await store.release("a", "mine");
      expect(await store.claim("a", "x", 60_000)).toBe("result");
      await store.release("a", "result");
      expect(await store.claim("a", "x", 60_000)).toBe(undefined);
    });

    test("its time ends, and is that of the result once there is one", async () => {
      const { store, advance } = await make();
      await store.claim("a", "mine", 1_000);
      await advance(800);
      await store.replace("a", "mine", "result", 1_000);
      await advance(800);
      expect(await store.claim("a", "x", 1_000)).toBe("result");
      await advance(200);
      expect(await store.claim("a", "next", 1_000)).toBe(undefined);
      await store.replace("a", "mine", "late", 1_000);
      expect(await store.claim("a", "x", 1_000)).toBe("next");
    });
  });
}
