import { expect, test } from "vitest";
import { killRounds } from "./kill-rounds.ts";

test("ten kills while clients write lose no acknowledged write", { timeout: 120_000 }, async () => {
  const report = await killRounds(10);
  expect(report).toMatchObject({ rounds: 10, lost: 0, problems: [] });
  expect(report.acknowledged).toBeGreaterThan(50);
});
