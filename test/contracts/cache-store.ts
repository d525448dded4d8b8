/** What every store of results has to do, wherever it keeps them. */

import type { CacheStore } from "gantry-mcp";
import { array, assert, asyncProperty, constantFrom, dictionary, string } from "fast-check";
import { describe, expect, test } from "vitest";

export interface CacheStoreUnderTest {
  readonly store: CacheStore;
  /** Lets time pass, in milliseconds. */
  readonly advance: (milliseconds: number) => void | Promise<void>;
}

/** Runs the suite against the stores that `make` makes; each is used for one test. */
export function cacheStoreContract(
  name: string,
  make: () => CacheStoreUnderTest | Promise<CacheStoreUnderTest>,
) {
  const put = async (
    store: CacheStore,
    key: string,
    value: string,
    tags: readonly string[] = [],
    time = 60_000,
  ) => {
    const { stamp } = await store.read(key, tags);
    await store.write(key, value, stamp, time);
  };
  const get = async (store: CacheStore, key: string, tags: readonly string[] = []) =>
    (await store.read(key, tags)).entry?.value;

  describe(`results in ${name}`, () => {
    test("what was written is read, under its key alone, until it is written again", async () => {
      const { store } = await make();
      expect(await get(store, "a")).toBe(undefined);
      await put(store, "a", "1");
      await put(store, "b", "");
      expect([await get(store, "a"), await get(store, "b"), await get(store, "c")]).toEqual([
        "1",
        "",
        undefined,
      ]);
      await put(store, "a", "2");
      expect(await get(store, "a")).toBe("2");
    });

    test("an entry tells how long it will be there, and is there no longer", async () => {
      const { store, advance } = await make();
      await put(store, "a", "1", [], 1_000);
      await advance(400);
      const { entry } = await store.read("a", []);
      expect(entry?.expiresIn).toBeGreaterThan(0);
      expect(entry?.expiresIn).toBeLessThanOrEqual(600);
      await advance(600);
      expect(await get(store, "a")).toBe(undefined);
    });

    test("writing again begins the time anew", async () => {
      const { store, advance } = await make();
      await put(store, "a", "1", [], 1_000);
      await advance(800);
      await put(store, "a", "2", [], 1_000);
      await advance(800);
      expect(await get(store, "a")).toBe("2");
    });

    test("a tag forgets all that has it, and nothing else", async () => {
      const { store } = await make();
      await put(store, "a", "1", ["tasks"]);
      await put(store, "b", "2", ["tasks", "reports"]);
      await put(store, "c", "3", ["reports"]);
      await put(store, "d", "4");
      await store.invalidate(["tasks", "unknown"]);
      expect([
        await get(store, "a", ["tasks"]),
        await get(store, "b", ["tasks", "reports"]),
        await get(store, "c", ["reports"]),
        await get(store, "d"),
      ]).toEqual([undefined, undefined, "3", "4"]);
      await put(store, "a", "5", ["tasks"]);
      expect(await get(store, "a", ["tasks"])).toBe("5");
    });

    test("what was made before an invalidation and is written after it, is old", async () => {
      const { store } = await make();
      const { stamp } = await store.read("a", ["tasks"]);
      await store.invalidate(["tasks"]);
      await store.write("a", "old", stamp, 60_000);
      const { stamp: now, entry } = await store.read("a", ["tasks"]);
      expect([now === stamp, entry]).toEqual([false, undefined]);
    });

    test("stamps stay the same where nothing is invalidated", async () => {
      const { store } = await make();
      const { stamp } = await store.read("a", ["tasks", "reports"]);
      await put(store, "a", "1", ["tasks", "reports"]);
      await store.invalidate(["others"]);
      expect((await store.read("b", ["tasks", "reports"])).stamp).toBe(stamp);
    });

    test("keeps any keys and texts apart, as they are", async () => {
      await assert(
        asyncProperty(
          dictionary(string({ unit: "binary" }), string({ unit: "binary" })),
          array(constantFrom("a", "b", "c\n", "")),
          async (entries, tags) => {
            const { store } = await make();
            for (const [key, value] of Object.entries(entries)) await put(store, key, value, tags);
            for (const [key, value] of Object.entries(entries))
              expect(await get(store, key, tags)).toBe(value);
          },
        ),
        { numRuns: 50 },
      );
    });
  });
}
