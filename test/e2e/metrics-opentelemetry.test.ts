/** The same metrics through OpenTelemetry, read by its SDK. */

import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { MCPError, MCPServer, ToolError } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { capturedLog } from "../support/captured-log.ts";

const about = { description: "About it." };
const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
const log = capturedLog();
let asked = 0;
let server: MCPServer;

/** What the SDK would send now: of each metric its unit, and its points with their attributes. */
async function collected() {
  exporter.reset();
  await reader.forceFlush();
  const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
  return new Map(
    scopes.flatMap((scope) =>
      scope.metrics.map(({ descriptor: { name, unit }, dataPoints }) => [
        name,
        {
          scope: scope.scope.name,
          unit,
          points: dataPoints.map(({ attributes, value }) => ({ attributes, value })),
        },
      ]),
    ),
  );
}

beforeAll(async () => {
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  server = new MCPServer({ name: "measured", version: "1.0.0", logger: log.logger })
    .enableMetrics({ path: false })
    .readiness("database", () => void asked++)
    .tool("act", { ...about, input: z.object({ id: z.number() }), cache: { ttl: "1m" } }, () => "done")
    .tool("refuse", about, () => {
      throw new ToolError("Not today.");
    })
    .tool("busy", about, () => {
      throw new MCPError("Being rebuilt", { code: "ARCHIVE_BUSY" });
    })
    .prompt("plan", about, () => "Plan it.");
  const client = await TestClient.connect(server);
  await client.call("act", { id: 1 });
  await client.call("act", { id: 1 });
  for (const name of ["refuse", "busy", "invented"]) await client.call(name).catch(() => {});
  await client.getPrompt("plan");
  await client.listTools();
});

afterAll(async () => {
  await server.close();
  metrics.disable();
});

test("a server without a path for them is not warned: they are told", () => {
  expect(log.entries().filter(({ level }) => level === "warn")).toEqual([]);
});

test("durations have the conventions' name, unit, boundaries and attributes", async () => {
  const duration = (await collected()).get("mcp.server.operation.duration");
  expect(duration).toMatchObject({ scope: "gantry-mcp", unit: "s" });
  const of = (method: string, attributes: object = {}) =>
    duration?.points.filter(({ attributes: found }) => {
      const wanted = Object.entries({ "mcp.method.name": method, ...attributes });
      return wanted.every(([name, value]) => found[name] === value);
    });
  expect(of("tools/call", { "gen_ai.tool.name": "act" })).toMatchObject([
    {
      attributes: {
        "mcp.method.name": "tools/call",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "act",
        "mcp.protocol.version": "2026-07-28",
        "network.transport": "tcp",
      },
      value: {
        count: 2,
        buckets: { boundaries: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300] },
      },
    },
  ]);
  expect(of("tools/call", { "error.type": "tool_error", "gantry.error.code": "TOOL_ERROR" })).toHaveLength(1);
  expect(of("tools/call", { "error.type": "tool_error", "gantry.error.code": "ARCHIVE_BUSY" })).toHaveLength(
    1,
  );
  expect(
    of("tools/call", {
      "gen_ai.tool.name": "(unknown)",
      "rpc.response.status_code": "-32602",
      "error.type": "-32602",
    }),
  ).toHaveLength(1);
  expect(of("prompts/get", { "gen_ai.prompt.name": "plan" })).toHaveLength(1);
  expect(of("tools/list")).toHaveLength(1);
});

test("counters and gauges are what Prometheus would read", async () => {
  const all = await collected();
  expect(all.get("gantry.calls")?.points).toContainEqual({
    attributes: { kind: "tool", component: "act", code: "OK" },
    value: 2,
  });
  expect(all.get("gantry.cache_results")?.points).toContainEqual({
    attributes: { kind: "tool", component: "act", outcome: "hit" },
    value: 1,
  });
  expect(all.get("gantry.ready")?.points).toEqual([{ attributes: {}, value: 1 }]);
  expect(all.get("gantry.probe_up")?.points).toEqual([{ attributes: { probe: "database" }, value: 1 }]);
  expect(all.get("process.cpu.time")).toMatchObject({ unit: "s" });
  expect(all.get("process.memory.usage")).toMatchObject({ unit: "By" });
  expect(all.has("nodejs.eventloop.delay.p99")).toBe(true);
  expect((await server.fetch(new Request("http://127.0.0.1/metrics"))).status).toBe(404);
});

test("after the end the last figures stay, and no probe is asked any more", async () => {
  await server.close();
  const before = asked;
  const all = await collected();
  expect(all.get("gantry.calls")?.points).toContainEqual({
    attributes: { kind: "tool", component: "act", code: "OK" },
    value: 2,
  });
  expect(all.get("gantry.ready")?.points).toEqual([{ attributes: {}, value: 0 }]);
  expect(asked).toBe(before);
});
