/** Redis in trouble under load: nothing crashes, nothing is answered wrongly, and the servers say whether they are ready. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { FAULTS, type FaultName, Stage } from "../reliability/redis-faults.ts";

/** In seconds: it is found out by questions that stay unanswered. */
const LONGER: Partial<Record<FaultName, number>> = { slow: 4, partitioned: 3 };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.close());

test.each(Object.keys(FAULTS) as FaultName[])(
  "%s for a while",
  async (name) => {
    const report = await stage.strike(name, LONGER[name] ?? 2, 0.5);
    expect(report).toMatchObject({ wrong: [], alive: true, outcries: [] });
    // The figures are test/long/redis-faults.mjs's to make: here all the other tests run beside.
    expect(report.notReadyMs).toBeLessThanOrEqual(4_000);
    expect(report.readyMs).toBeLessThanOrEqual(5_000);
    expect(report.p99MeanwhileMs).toBeLessThanOrEqual(Math.max(4 * report.p99BeforeMs, 1_000));
    expect(report.slowestMs).toBeLessThanOrEqual(5_000);
  },
  60_000,
);
