/** However a call ends, what was opened for it is closed, in reverse order, and told the truth. */

import { expect, test, vi } from "vitest";
import { endings } from "./endings.ts";
import { Random } from "./random.ts";

test("450 calls, 8 dependencies deep, that end in 15 ways: all is closed in reverse, and told the truth", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const random = new Random();
  const report = await endings(450, random);
  expect(report, `seed ${random.seed}`).toMatchObject({
    calls: 450,
    outOfOrder: 0,
    toldWrong: 0,
    answeredWrong: 0,
    first: undefined,
  });
  expect(Object.keys(report.endings)).toHaveLength(15);
  expect(report.opened).toBeGreaterThan(4 * 450);
  expect(report.closed).toBe(report.opened);
  expect(report.shared[0]).toBeGreaterThan(0);
  expect(report.shared[1]).toBe(report.shared[0]);
}, 120_000);
