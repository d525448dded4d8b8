/** The same metrics through OpenTelemetry, to its conventions for MCP where these have a name for them. */

import { toldOf } from "../core/sealed/dispatch.ts";
import type { RequestContext } from "../core/calls/context.ts";
import { DURATIONS, type EndLabels, type Ended } from "./calls.ts";
import { TOOL_ERROR, methodOf, statusCodeOf, transportOf } from "./conventions.ts";
import type { Attributes, Meter, Observable } from "./opentelemetry.ts";
import type { Family, Registry, Value } from "./registry.ts";

/** Records how long each call took as `mcp.server.operation.duration` (semantic conventions, "MCP metrics"). */
export function recordingDurations(meter: Meter): Ended {
  const duration = meter.createHistogram("mcp.server.operation.duration", {
    description: "The duration of the MCP request as observed by the server.",
    unit: "s",
    advice: { explicitBucketBoundaries: [...DURATIONS] },
  });
  /** As few as the labels, methods and revisions that they are made of: callers invent none of these. */
  const known = new Map<string, Attributes>();
  return (ctx, labels, seconds, error) => {
    const method = methodOf(ctx);
    const { protocolVersion } = ctx;
    const transport = transportOf(ctx);
    const told = error === undefined ? undefined : toldOf(error, ctx);
    const status = told && statusCodeOf(ctx, told);
    const key = `${method} ${labels.component} ${labels.code} ${status} ${protocolVersion} ${transport}`;
    let attributes = known.get(key);
    if (!attributes) {
      const fails = told !== undefined || labels.code === "TOOL_ERROR";
      attributes = {
        "mcp.method.name": method,
        ...nameOf(ctx, labels),
        ...(fails && { "error.type": status ?? TOOL_ERROR, "gantry.error.code": labels.code }),
        ...(status !== undefined && { "rpc.response.status_code": status }),
        "mcp.protocol.version": protocolVersion,
        "network.transport": transport,
      };
      known.set(key, attributes);
    }
    duration.record(seconds, attributes);
  };
}

function nameOf({ operation: { kind } }: RequestContext, { component }: EndLabels): Attributes {
  if (kind === "tool") return { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": component };
  return kind === "prompt" ? { "gen_ai.prompt.name": component } : {};
}

/** Names that differ from those in Prometheus by more than their form. */
const NAMES: Readonly<Record<string, string>> = {
  process_cpu_seconds_total: "process.cpu.time",
  process_resident_memory_bytes: "process.memory.usage",
  process_open_fds: "process.unix.file_descriptor.count",
  nodejs_eventloop_lag_p50_seconds: "nodejs.eventloop.delay.p50",
  nodejs_eventloop_lag_p99_seconds: "nodejs.eventloop.delay.p99",
  nodejs_eventloop_lag_max_seconds: "nodejs.eventloop.delay.max",
};

/**
 * Shows all counters and gauges of `registry` whenever they are collected.
 *
 * @param refresh - Brings them up to date.
 */
export function exporting(meter: Meter, registry: Registry, refresh: () => Promise<void>): void {
  const families = [...registry.values()].map((family) => ({
    family,
    instrument: instrumentOf(meter, family),
  }));
  meter.addBatchObservableCallback(
    async (result) => {
      await refresh();
      for (const { family, instrument } of families) {
        const { labels } = family.about;
        for (const { values, series } of family) {
          const attributes = Object.fromEntries(
            labels.map((label, index) => [label, values[index] as string]),
          );
          result.observe(instrument, series.value, attributes);
        }
      }
    },
    families.map(({ instrument }) => instrument),
  );
}

/** `gantry_calls_total` is `gantry.calls`, `nodejs_heap_size_used_bytes` is `nodejs.heap_size_used` in bytes. */
function instrumentOf(meter: Meter, { about: { name, help, type } }: Family<Value>): Observable {
  const [, stem = name, unit] = /^(.*?)(?:_(seconds|bytes))?(?:_total)?$/.exec(name) ?? [];
  const options = {
    description: help,
    ...(unit !== undefined && { unit: unit === "seconds" ? "s" : "By" }),
  };
  const called = NAMES[name] ?? stem.replace("_", ".");
  return type === "counter"
    ? meter.createObservableCounter(called, options)
    : meter.createObservableGauge(called, options);
}
