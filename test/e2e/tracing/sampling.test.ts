/** Traces that are not recorded, and recorders that fail: calls are served as ever. */

import { type TextMapPropagator, propagation, trace } from "@opentelemetry/api";
import { type Sampler, SamplingDecision } from "@opentelemetry/sdk-trace-node";
import { MCPServer } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { recordSpans } from "../../support/spans.ts";

const asked: unknown[] = [];

const sampler: Sampler = {
  shouldSample: (_context, _traceId, name, _kind, attributes) => {
    asked.push([name, attributes]);
    return { decision: SamplingDecision.NOT_RECORD };
  },
};

const recorder = recordSpans(sampler);

function traced() {
  const seen: unknown[] = [];
  const server = new MCPServer({ name: "traced", version: "1.0.0" }).tool(
    "act",
    { description: "Act.", input: z.object({ id: z.string() }) },
    (_args, ctx) => {
      seen.push([ctx.trace, trace.getActiveSpan()?.spanContext().spanId]);
      return "done";
    },
  );
  return { server, seen };
}

test("what sampling goes by is told before, and nothing after", async () => {
  const { server, seen } = traced();
  const client = await TestClient.connect(server);
  asked.length = 0;
  expect(await client.call("act", { id: "1" })).toBe("done");
  // No parts either: nobody would see them.
  expect(asked).toEqual([
    [
      "tools/call act",
      {
        "mcp.method.name": "tools/call",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "act",
      },
    ],
  ]);
  const spanId = expect.stringMatching(/^[\da-f]{16}$/);
  expect(seen).toEqual([
    [expect.objectContaining({ spanId, sampled: false, traceparent: expect.stringMatching(/-00$/) }), spanId],
  ]);
  expect(recorder.take()).toEqual([]);
});

test("a recorder that fails fails no call", async () => {
  const broken: TextMapPropagator = {
    inject: () => {},
    extract: () => {
      throw new Error("propagator gone");
    },
    fields: () => ["traceparent"],
  };
  propagation.disable();
  propagation.setGlobalPropagator(broken);
  const { server } = traced();
  const client = await TestClient.connect(server);
  expect(await client.call("act", { id: "1" })).toBe("done");
});
