/** What the soak concludes from its samples. */

import { expect, test } from "vitest";
import { fitted } from "./slope.ts";

test("points on a line have its slope, and no error", () => {
  const { slope, error } = fitted([10, 20, 30, 50].map((x) => [x, 7 + 3 * x]));
  expect(slope).toBeCloseTo(3, 10);
  expect(error).toBeCloseTo(0, 10);
});

test("points that stray have the slope of the nearest line, and the standard error", () => {
  const { slope, error } = fitted([
    [1, 1],
    [2, 2.2],
    [3, 2.4],
    [4, 2.4],
    [5, 4],
  ]);
  expect(slope).toBeCloseTo(0.62, 10);
  // Residuals -0.16, 0.42, 0, -0.62, 0.36: the square root of the sum of their squares, 0.716, over 3 and over 10.
  expect(error).toBeCloseTo(0.154488, 6);
});
