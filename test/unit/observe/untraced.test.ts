/** Where no provider of tracers is registered, nobody follows calls: nothing is composed into them that could cost something. */

import type { Observer } from "../../../src/core/calls/observers.ts";
import { addTracing } from "../../../src/core/rooms.ts";
import { expect, test } from "vitest";
import { recordSpans } from "../../support/spans.ts";

async function observers(tracing?: boolean): Promise<readonly Observer[]> {
  const added: Observer[] = [];
  await addTracing({ name: "quiet", version: "1.0.0", ...(tracing !== undefined && { tracing }) }, added);
  return added;
}

test("OpenTelemetry's API alone adds no observer, a provider adds one, unless tracing is off", async () => {
  expect(await observers()).toEqual([]);
  recordSpans();
  expect(await observers()).toHaveLength(1);
  expect(await observers(false)).toEqual([]);
});
