/**
 * Whatever is sent: no crash, no 500, 503 for limits alone, answers that are what the specification says, handlers
 * that get what their schemas promise, and nothing told that is nobody's business. FUZZ_SEED gives other cases; what
 * fails says how to have it again. The long run is test/long/fuzz.mjs.
 */

import { expect, test } from "vitest";
import { fuzzInProcess } from "./in-process.ts";
import type { Report } from "./report.ts";
import { fuzzSockets } from "./sockets.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_260_728);

/** Enough of it is in order, and enough arrives where it can do harm. */
function isTelling({ sound, handled, cases }: Report): boolean {
  return sound > cases / 20 && handled > cases / 20;
}

test("2,000 requests through the web-standard face", { timeout: 180_000 }, async () => {
  const report = await fuzzInProcess({ cases: 2_000, seed });
  expect(report.faults).toEqual([]);
  expect(report).toSatisfy(isTelling);
});

test("800 requests over sockets, half of the connections badly framed", { timeout: 180_000 }, async () => {
  const report = await fuzzSockets({ cases: 800, seed });
  expect(report.faults).toEqual([]);
  expect(report).toSatisfy(isTelling);
});
