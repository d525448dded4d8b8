/** Callers who are not trusted: neither what is recorded nor what is passed on is theirs to say. */

import { propagation } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { AlwaysOffSampler, ParentBasedSampler } from "@opentelemetry/sdk-trace-node";
import { MCPServer } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { expect, test } from "vitest";
import { recordSpans } from "../../support/spans.ts";

const never = new AlwaysOffSampler();
const sampler = new ParentBasedSampler({ root: never, remoteParentSampled: never });
const recorder = recordSpans(sampler, new W3CTraceContextPropagator());

test("the sampler and the propagator that are registered decide", async () => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const seen: unknown[] = [];
  const server = new MCPServer({ name: "traced", version: "1.0.0" }).tool(
    "act",
    { description: "Act." },
    (_args, { trace }) => {
      seen.push(trace, propagation.getActiveBaggage());
      return "done";
    },
  );
  const client = await TestClient.connect(server);
  const _meta = { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, baggage: "role=admin" };
  await client.request("tools/call", { name: "act", _meta });
  expect(seen).toEqual([expect.objectContaining({ traceId, sampled: false }), undefined]);
  expect(recorder.take()).toEqual([]);
});
