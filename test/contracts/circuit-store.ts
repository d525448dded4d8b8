/** What every store of circuits has to do, wherever it keeps them. */

import type { CircuitAttempt, CircuitPlan, CircuitStore, CircuitVerdict } from "gantry-mcp";
import { describe, expect, test } from "vitest";

export interface CircuitStoreUnderTest {
  readonly store: CircuitStore;
  /** Lets time pass, in milliseconds. */
  readonly advance: (milliseconds: number) => void | Promise<void>;
}

/** Runs the suite against the stores that `make` makes; each is used for one test. */
export function circuitStoreContract(
  name: string,
  make: () => CircuitStoreUnderTest | Promise<CircuitStoreUnderTest>,
) {
  const plan: CircuitPlan = { failures: 3, recovery: 60_000 };
  const enter = async (store: CircuitStore, component = "a", breaker = "main") => {
    const entered = await store.enter(breaker, component, plan);
    return "wait" in entered ? entered : (entered satisfies CircuitAttempt);
  };
  const call = async (store: CircuitStore, verdict: CircuitVerdict, component = "a", breaker = "main") => {
    const entered = await enter(store, component, breaker);
    return "wait" in entered ? "refused" : await entered.settle(verdict);
  };
  const times = async (count: number, work: () => Promise<unknown>) => {
    const all: unknown[] = [];
    for (let time = 0; time < count; time++) all.push(await work());
    return all;
  };

  describe(`circuits in ${name}`, () => {
    test("opens after so many failures in a row, and says for how long", async () => {
      const { store, advance } = await make();
      expect(await store.state("main", "a")).toBe("closed");
      expect(await times(4, () => call(store, "failure"))).toEqual([undefined, undefined, "open", "refused"]);
      expect(await store.state("main", "a")).toBe("open");
      await advance(18_000);
      const refusal = await enter(store);
      expect("wait" in refusal && refusal.wait).toBeLessThanOrEqual(42_000);
      expect("wait" in refusal && refusal.wait).toBeGreaterThan(40_000);
    });

    test("a success begins anew, and what says nothing changes nothing", async () => {
      const { store } = await make();
      const verdicts = ["failure", "failure", "success", "failure", "neither", "failure"] as const;
      for (const verdict of verdicts) expect(await call(store, verdict)).toBe(undefined);
      expect(await store.state("main", "a")).toBe("closed");
      expect(await call(store, "failure")).toBe("open");
    });

    test("after the recovery time one call is tried, whatever number of them come; it closes the circuit", async () => {
      const { store, advance } = await make();
      await times(3, () => call(store, "failure"));
      await advance(60_000);
      expect(await store.state("main", "a")).toBe("half-open");
      const entered = await Promise.all(Array.from({ length: 50 }, () => enter(store)));
      const attempts = entered.filter((each) => !("wait" in each));
      expect(attempts).toMatchObject([{ probe: true }]);
      expect(await store.state("main", "a")).toBe("half-open");
      expect(await (attempts[0] as CircuitAttempt).settle("success")).toBe("closed");
      expect(await store.state("main", "a")).toBe("closed");
      expect(await enter(store)).toMatchObject({ probe: false });
      expect(await call(store, "failure")).toBe(undefined);
    });

    test("a trial that fails keeps it open for as long, one that says nothing is followed by another", async () => {
      const { store, advance } = await make();
      await times(3, () => call(store, "failure"));
      await advance(60_000);
      expect(await times(2, () => call(store, "neither"))).toEqual([undefined, undefined]);
      expect(await times(2, () => call(store, "failure"))).toEqual([undefined, "refused"]);
      await advance(59_000);
      expect(await call(store, "success")).toBe("refused");
      await advance(1_000);
      expect(await call(store, "success")).toBe("closed");
    });

    test("calls that began before it opened neither close it nor keep it open", async () => {
      const { store, advance } = await make();
      const [slow, slower] = [await enter(store), await enter(store)] as CircuitAttempt[];
      await times(3, () => call(store, "failure"));
      expect(await slow?.settle("success")).toBe(undefined);
      expect(await store.state("main", "a")).toBe("open");
      await advance(60_000);
      expect(await slower?.settle("failure")).toBe(undefined);
      expect(await store.state("main", "a")).toBe("half-open");
    });

    test("a verdict is taken once", async () => {
      const { store } = await make();
      const attempt = (await enter(store)) as CircuitAttempt;
      expect(await times(4, async () => attempt.settle("failure"))).toEqual(Array(4).fill(undefined));
      expect(await store.state("main", "a")).toBe("closed");
    });

    test("each component of each breaker has its own, and is reset by itself or with the others", async () => {
      const { store } = await make();
      for (const [component, breaker] of [
        ["a", "main"],
        ["ab", "main"],
        ["a", "other"],
      ] as const)
        await times(3, () => call(store, "failure", component, breaker));
      const states = async () => [
        await store.state("main", "a"),
        await store.state("main", "ab"),
        await store.state("main", "b"),
        await store.state("other", "a"),
      ];
      expect(await states()).toEqual(["open", "open", "closed", "open"]);
      await store.reset("main", "a");
      expect(await states()).toEqual(["closed", "open", "closed", "open"]);
      await store.reset("main");
      expect(await states()).toEqual(["closed", "closed", "closed", "open"]);
      expect(await call(store, "success")).toBe(undefined);
    });
  });
}
