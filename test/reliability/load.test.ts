/** Many streams and readers at once, in short; `test/long/` has them at full size. */

import { expect, test } from "vitest";
import { readersLoad } from "./readers-load.ts";
import { streamsLoad } from "./streams-load.ts";

test("500 streams: little memory each, all told of a change within a second, nothing left of them", async () => {
  const report = await streamsLoad(500);
  expect(report).toMatchObject({ streams: 500, placesKept: true, resourcesLeft: 0 });
  expect(report.rssPerStreamKiB).toBeLessThanOrEqual(32);
  expect(report.broadcastMs).toBeLessThanOrEqual(1_000);
  expect(report.heapLeftMiB).toBeLessThanOrEqual(10);
}, 60_000);

test("40 readers keep up, 40 have stopped: these are cut and counted, those miss nothing", async () => {
  const report = await readersLoad({ readers: 40, events: 3_000, size: 2_500 });
  expect(report).toMatchObject({ complete: 40, cut: { overflowing: 40 }, openAfterCuts: 40 });
  expect(report.rssGrowthMiB).toBeLessThanOrEqual(64);
}, 120_000);
