/** What every store of places has to do, wherever it counts. */

import type { Place, PlaceLimit, PlaceStore } from "gantry-mcp";
import { describe, expect, test } from "vitest";

/** Runs the suite against the stores that `make` makes; each is used for one test. */
export function placeStoreContract(name: string, make: () => PlaceStore | Promise<PlaceStore>) {
  const limit = (max: number, queue = 0, wait = 0): PlaceLimit => ({ max, queue, wait });
  const nobody = () => ({ signal: new AbortController().signal });
  const take = async (store: PlaceStore, key: string, places: PlaceLimit) =>
    store.take(key, places, nobody());
  const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  describe(`places in ${name}`, () => {
    test("gives as many as there are, for each key, and each again once it is given back", async () => {
      const store = await make();
      const [first, second] = [await take(store, "a", limit(2)), await take(store, "a", limit(2))];
      expect([first, second]).not.toContain(undefined);
      expect(await take(store, "a", limit(2))).toBe(undefined);
      expect(await take(store, "b", limit(2))).not.toBe(undefined);
      first?.leave();
      expect(await take(store, "a", limit(2))).not.toBe(undefined);
      expect(await take(store, "a", limit(2))).toBe(undefined);
      second?.leave();
      expect(await take(store, "a", limit(2))).not.toBe(undefined);
    });

    test("of calls that come at the same time no more get one than there are", async () => {
      const store = await make();
      const places = await Promise.all(Array.from({ length: 100 }, () => take(store, "a", limit(7))));
      expect(places.filter((place) => place !== undefined)).toHaveLength(7);
    });

    test("who may wait is given a place in turn, and those that are too many are refused at once", async () => {
      const store = await make();
      const places = limit(1, 2, 20_000);
      const held = await take(store, "a", places);
      const order: string[] = [];
      const wait = async (who: string) => {
        const place = await take(store, "a", places);
        order.push(who);
        return place;
      };
      const first = wait("first");
      await pause(50);
      const second = wait("second");
      await pause(50);
      expect(await take(store, "a", places)).toBe(undefined);
      held?.leave();
      (await first)?.leave();
      (await second)?.leave();
      expect(order).toEqual(["first", "second"]);
      expect(await take(store, "a", places)).not.toBe(undefined);
    });

    test("nobody waits longer than they may", async () => {
      const store = await make();
      const places = limit(1, 5, 100);
      const held = await take(store, "a", places);
      const started = performance.now();
      expect(await take(store, "a", places)).toBe(undefined);
      expect(performance.now() - started).toBeGreaterThan(90);
      held?.leave();
      expect(await take(store, "a", places)).not.toBe(undefined);
    });

    test("who is called away leaves the queue, and takes no place later", async () => {
      const store = await make();
      const places = limit(1, 5, 20_000);
      const held = await take(store, "a", places);
      const leaving = new AbortController();
      const left = Promise.resolve(store.take("a", places, leaving)).catch((error: unknown) => error);
      await pause(50);
      leaving.abort(new Error("gone"));
      expect(await left).toEqual(new Error("gone"));
      const next = take(store, "a", places);
      await pause(50);
      held?.leave();
      expect(await next).not.toBe(undefined);
    });

    test("whoever comes and goes, no more than there are run at once, and none is lost", async () => {
      const store = await make();
      const places = limit(3, 50, 20_000);
      let [running, peak, ran] = [0, 0, 0];
      const call = async () => {
        const place: Place | undefined = await take(store, "a", places);
        peak = Math.max(peak, ++running);
        await pause(1);
        ran++;
        running--;
        place?.leave();
      };
      await Promise.all(Array.from({ length: 40 }, call));
      expect([peak, ran]).toEqual([3, 40]);
    });
  });
}
