/** Handles prove nothing: whoever guesses one, or has come by it, finds nothing. */

import { expect, test } from "vitest";
import { guesses } from "./guesses.ts";
import { Random } from "./random.ts";

test("5,000 guesses at sessions, events, states and calls under way, a tenth of them right, find nothing", async () => {
  const random = new Random();
  const { guesses: made, exact, ...report } = await guesses(5_000, random);
  expect(report, `seed ${random.seed}`).toEqual({ found: [], cancelled: 0, opened: 0, lost: 0 });
  expect(made).toEqual({ session: 2_000, event: 500, state: 2_000, cancellation: 500 });
  expect(exact).toBeGreaterThan(250);
}, 120_000);
