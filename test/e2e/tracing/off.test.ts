/** Servers that do not trace, though OpenTelemetry is there. */

import { trace } from "@opentelemetry/api";
import { ConfigurationError, MCPServer, type MCPServerOptions } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { expect, test } from "vitest";
import { recordSpans } from "../../support/spans.ts";

const about = { name: "untraced", version: "1.0.0" };

async function heard(options: Partial<MCPServerOptions> = {}): Promise<unknown> {
  const server = new MCPServer({ ...about, ...options }).tool(
    "act",
    { description: "Act." },
    (_args, ctx) => [ctx.trace === undefined, trace.getActiveSpan() === undefined],
  );
  return await (await TestClient.connect(server)).call("act");
}

test("without a provider there are no spans, and a server that needs them does not start", async () => {
  expect(await heard()).toEqual([true, true]);
  await expect(heard({ tracing: true })).rejects.toThrow(
    'tracing is true, and no tracer provider is registered: set OpenTelemetry up before the server starts, as with node --import ./telemetry.js, or leave out "tracing".',
  );
});

test("tracing: false makes none, whatever is registered", async () => {
  const recorder = recordSpans();
  expect(await heard({ tracing: false })).toEqual([true, true]);
  expect(recorder.take()).toEqual([]);
  expect(await heard({ tracing: true })).toEqual([false, false]);
  expect(recorder.take().length).toBeGreaterThan(0);
});

test("tracing is true or false", () => {
  expect(() => new MCPServer({ ...about, tracing: "off" as never })).toThrow(
    new ConfigurationError('tracing is "off": write true or false.'),
  );
});
