/** Labels of calls stay few, whatever authors and callers make of them. */

import { expect, test } from "vitest";
import { Cancellation } from "../../../src/core/calls/cancellation.ts";
import { pass } from "../../../src/core/calls/compose.ts";
import { RequestContext } from "../../../src/core/calls/context.ts";
import type { Operation } from "../../../src/core/calls/operation.ts";
import { MCPError } from "../../../src/core/errors.ts";
import { countingCalls } from "../../../src/observe/calls.ts";
import { Registry } from "../../../src/observe/registry.ts";
import type { Services } from "../../../src/core/calls/services.ts";

const calling = (component: string): Operation => ({
  kind: "tool",
  name: component,
  component,
  tags: [],
  access: "public",
  scopes: [],
});

function counting(most = 1_000_000) {
  const registry = new Registry(most);
  const { layer, expect: foresee } = countingCalls(registry);
  const call = (component: string, run: () => unknown) => {
    const operation = calling(component);
    const envelope = { requestId: "1", protocolVersion: "", cancellation: new Cancellation() };
    try {
      layer[pass](new RequestContext(operation, envelope, {} as Services), run);
    } catch {
      // It is counted.
    }
  };
  return { registry, call, foresee };
}

const lines = (registry: Registry) =>
  registry
    .text()
    .split("\n")
    .filter((line) => line.startsWith("gantry_calls_total"));

test("components that come and go are counted together once there have been many", () => {
  const { registry, call } = counting();
  for (let i = 0; i < 2_500; i++) call(`tool_${i}`, () => "done");
  call("tool_7", () => "done");
  expect(lines(registry)).toHaveLength(2_001);
  expect(lines(registry)).toContain('gantry_calls_total{kind="tool",component="tool_7",code="OK"} 2');
  expect(lines(registry)).toContain('gantry_calls_total{kind="tool",component="(other)",code="OK"} 500');
});

test("what may be needed begins in half of the room, and leaves the rest to what is", () => {
  const { registry, call, foresee } = counting(200);
  for (let i = 0; i < 500; i++) foresee?.(calling(`tool_${i}`), []);
  expect(lines(registry).length).toBeGreaterThan(90);
  expect(lines(registry).length).toBeLessThan(110);
  call("late", () => "done");
  expect(lines(registry)).toContain('gantry_calls_total{kind="tool",component="late",code="OK"} 1');
});

test("codes of authors' own are told apart as long as they are short", () => {
  const { registry, call } = counting();
  const refusing = (code: string) => () => {
    throw new MCPError("No", { code });
  };
  call("act", refusing("ARCHIVE_BUSY"));
  call("act", refusing("X".repeat(65)));
  call("act", refusing("TIMEOUT"));
  expect(lines(registry).map((line) => /code="([^"]*)"/.exec(line)?.[1])).toEqual([
    "ARCHIVE_BUSY",
    "(other)",
    "TIMEOUT",
  ]);
});
