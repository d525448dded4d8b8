/** Metrics as Prometheus reads them, and how many there may be. */

import { expect, test } from "vitest";
import { Registry } from "../../../src/observe/registry.ts";

test("is written in the text format, with labels escaped", () => {
  const registry = new Registry(100);
  const calls = registry.counter("calls_total", "Calls.", "tool", "code");
  calls.with("a", "OK").value += 2;
  calls.with('quote" backslash\\ line\nend', "OK").value++;
  registry.gauge("nothing", "Has no series.", "label");
  registry.gauge("open", "Open.").with().value = Infinity;
  const took = registry.histogram("took_seconds", "Took.", [0.1, 1], "tool");
  for (const seconds of [0.1, 0.2, 5]) took.with("a").observe(seconds);
  expect(registry.text()).toBe(
    [
      "# HELP calls_total Calls.",
      "# TYPE calls_total counter",
      'calls_total{tool="a",code="OK"} 2',
      String.raw`calls_total{tool="quote\" backslash\\ line\nend",code="OK"} 1`,
      "# HELP open Open.",
      "# TYPE open gauge",
      "open +Inf",
      "# HELP took_seconds Took.",
      "# TYPE took_seconds histogram",
      'took_seconds_bucket{tool="a",le="0.1"} 1',
      'took_seconds_bucket{tool="a",le="1"} 2',
      'took_seconds_bucket{tool="a",le="+Inf"} 3',
      'took_seconds_sum{tool="a"} 5.3',
      'took_seconds_count{tool="a"} 3',
      "",
    ].join("\n"),
  );
});

test("counts what finds no room under one label, and no sum is wrong", () => {
  const registry = new Registry(3);
  const calls = registry.counter("calls_total", "Calls.", "tool");
  const seconds = registry.histogram("seconds", "Took.", [1], "tool");
  for (let i = 0; i < 10; i++) calls.with(`tool_${i}`).value++;
  seconds.with("tool_1").observe(0.5);
  calls.with("tool_1").value++;
  const text = registry.text();
  expect(text).toContain('calls_total{tool="tool_1"} 2\n');
  expect(text).toContain('calls_total{tool="tool_2"} 1\n');
  expect(text).toContain('calls_total{tool="(other)"} 7\n');
  expect(text).not.toContain("tool_3");
  expect(text).toContain('seconds_count{tool="(other)"} 1\n');
  expect(registry.dropped).toBe(8);
});
