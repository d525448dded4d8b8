/** What every store of limits has to do, wherever it counts. */

import type { Limit, LimitStore, LimitVerdict } from "gantry-mcp";
import { array, assert, asyncProperty, boolean, constantFrom, integer, record } from "fast-check";
import { describe, expect, test } from "vitest";

export interface LimitStoreUnderTest {
  readonly store: LimitStore;
  /** Lets time pass, in milliseconds. */
  readonly advance: (milliseconds: number) => void | Promise<void>;
}

const bucket = (quota: number, window: number, burst = quota): Limit => ({
  algorithm: "token-bucket",
  quota,
  window,
  burst,
});

const sliding = (quota: number, window: number): Limit => ({
  algorithm: "sliding-window",
  quota,
  window,
  burst: quota,
});

/** What a limit may forget late, in milliseconds. */
const lateness = ({ algorithm, window }: Limit) => (algorithm === "sliding-window" ? window / 60 : 0) + 1;

/** Runs the suite against the stores that `make` makes; each is used for one test. */
export function limitStoreContract(
  name: string,
  make: () => LimitStoreUnderTest | Promise<LimitStoreUnderTest>,
) {
  const take = async (store: LimitStore, key: string, limit: Limit, cost = 1): Promise<LimitVerdict> =>
    store.charge([{ key, limit, cost }]);
  const allowed = async (store: LimitStore, key: string, limit: Limit, times: number) => {
    let count = 0;
    for (let time = 0; time < times; time++) if ((await take(store, key, limit)).allowed) count++;
    return count;
  };

  describe(`limits in ${name}`, () => {
    test.each([bucket(5, 60_000), sliding(5, 60_000)])(
      "lets the quota pass and no more: $algorithm",
      async (limit) => {
        const { store } = await make();
        expect(await allowed(store, "ana", limit, 20)).toBe(5);
        const { states } = await take(store, "ana", limit);
        expect(states[0]?.remaining).toBe(0);
        expect(states[0]?.wait).toBeGreaterThan(0);
      },
    );

    test("tells callers apart, and what is left to each", async () => {
      const { store } = await make();
      const limit = bucket(3, 60_000);
      expect(await take(store, "ana", limit)).toMatchObject({
        allowed: true,
        states: [{ remaining: 2, wait: 0 }],
      });
      expect(await take(store, "ana", limit)).toMatchObject({ states: [{ remaining: 1 }] });
      expect(await take(store, "ben", limit)).toMatchObject({ states: [{ remaining: 2 }] });
    });

    test("a token bucket gets a token for each part of its window", async () => {
      const { store, advance } = await make();
      const limit = bucket(100, 600_000);
      expect(await allowed(store, "ana", limit, 150)).toBe(100);
      const { states } = await take(store, "ana", limit);
      expect(states[0]?.wait).toBeGreaterThan(0);
      expect(states[0]?.wait).toBeLessThanOrEqual(6_000);
      await advance(6_000);
      expect(await allowed(store, "ana", limit, 5)).toBe(1);
      await advance(60_000);
      expect(await allowed(store, "ana", limit, 50)).toBe(10);
      await advance(1_200_000);
      expect(await allowed(store, "ana", limit, 150)).toBe(100);
    });

    test("a token bucket holds its burst at once, and no more however long it waits", async () => {
      const { store, advance } = await make();
      const limit = bucket(60, 60_000, 10);
      expect(await allowed(store, "ana", limit, 60)).toBe(10);
      await advance(300_000);
      expect(await allowed(store, "ana", limit, 60)).toBe(10);
    });

    test.each([bucket(4, 1_000), sliding(4, 1_000)])(
      "a call passes once it has waited as told: $algorithm",
      async (limit) => {
        const { store, advance } = await make();
        await allowed(store, "ana", limit, 4);
        const { states } = await take(store, "ana", limit);
        await advance(Math.ceil(states[0]?.wait ?? 0));
        expect((await take(store, "ana", limit)).allowed).toBe(true);
      },
    );

    test.each([bucket(4, 1_000), sliding(4, 1_000)])(
      "all is there again after the reset: $algorithm",
      async (limit) => {
        const { store, advance } = await make();
        await allowed(store, "ana", limit, 4);
        const { states } = await take(store, "ana", limit, 0);
        await advance(Math.ceil(states[0]?.reset ?? 0));
        expect(await allowed(store, "ana", limit, 10)).toBe(4);
      },
    );

    test("a charge of several limits takes of all, or of none", async () => {
      const { store } = await make();
      const second = { key: "ana s", limit: bucket(2, 1_000), cost: 1 };
      const minute = { key: "ana m", limit: sliding(3, 60_000), cost: 1 };
      expect((await store.charge([second, minute])).allowed).toBe(true);
      expect((await store.charge([second, minute])).allowed).toBe(true);
      expect((await store.charge([second, minute])).allowed).toBe(false);
      const { allowed: one, states } = await store.charge([{ ...minute, cost: 0 }]);
      expect([one, states[0]?.remaining]).toEqual([true, 1]);
    });

    test.each([bucket(10, 60_000), sliding(10, 60_000)])("weighs: $algorithm", async (limit) => {
      const { store } = await make();
      expect((await take(store, "ana", limit, 7)).states[0]?.remaining).toBe(3);
      expect((await take(store, "ana", limit, 4)).allowed).toBe(false);
      expect((await take(store, "ana", limit, 3)).allowed).toBe(true);
      expect((await take(store, "ana", limit, 0)).allowed).toBe(true);
    });

    test("counts charges made at the same time once each", async () => {
      const { store } = await make();
      const limit = sliding(50, 60_000);
      const verdicts = await Promise.all(Array.from({ length: 200 }, () => take(store, "ana", limit)));
      expect(verdicts.filter((verdict) => verdict.allowed)).toHaveLength(50);
    });

    test("never lets more pass in any stretch of time than the limit allows, and no less than it promises", async () => {
      const limits = record({
        quota: integer({ min: 1, max: 20 }),
        window: constantFrom(1_000, 60_000),
      });
      const gaps = array(integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 60 });
      await assert(
        asyncProperty(limits, boolean(), gaps, async ({ quota, window }, slides, waits) => {
          const { store, advance } = await make();
          const limit = slides ? sliding(quota, window) : bucket(quota, window);
          const passed: number[] = [];
          let now = 0;
          let longest = 0;
          for (const wait of waits) {
            await advance(wait);
            now += wait;
            const { allowed: passes, states } = await take(store, "ana", limit);
            if (passes) passed.push(now);
            longest = Math.max(longest, states[0]?.wait ?? 0);
          }
          expect(longest).toBeLessThanOrEqual(window + lateness(limit));
          // A sliding window counts exactly; a bucket lets its burst pass, and what has come since.
          for (const [first, start] of passed.entries()) {
            const within = passed.slice(first).filter((time) => time < start + window).length;
            expect(within).toBeLessThanOrEqual(slides ? quota : 2 * quota);
          }
        }),
        { numRuns: 60 },
      );
    });
  });
}
