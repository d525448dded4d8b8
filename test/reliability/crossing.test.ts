/** Equal ids are nothing in common: each caller gets its own answers. */

import { expect, test, vi } from "vitest";
import { crossing } from "./crossing.ts";

test("2,000 calls of two callers, with equal ids and over shared connections: no answer crosses over", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const { calls, atOnce, ...report } = await crossing(2_000);
  expect(report).toEqual({ crossed: [], failed: [] });
  expect(calls).toEqual({ modern: 500, legacy: 500, session: 500, stream: 500 });
  expect(atOnce).toBe(200);
}, 120_000);
