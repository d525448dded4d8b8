/** Whose part a call's span is: the caller's, by `_meta`, or the transport's. */

import { ROOT_CONTEXT, context, propagation, trace } from "@opentelemetry/api";
import { MCPServer } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { type Seen, only, recordSpans } from "../../support/spans.ts";

const recorder = recordSpans();

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER = "0af7651916cd43dd8448eb211c80319c";
const STEP = "00f067aa0ba902b7";
const HEADER_STEP = "b7ad6b7169203331";
const parent = (traceId: string, spanId: string, flags = "01") => `00-${traceId}-${spanId}-${flags}`;

function traced() {
  const heard: unknown[] = [];
  const server = new MCPServer({ name: "traced", version: "1.0.0" }).tool(
    "act",
    { description: "Act." },
    (_args, ctx) => {
      const baggage = propagation.getActiveBaggage()?.getAllEntries() ?? [];
      heard.push({
        trace: ctx.trace,
        baggage: baggage.map(([name, { value }]) => `${name}=${value}`),
      });
      return "done";
    },
  );
  return { server, heard };
}

beforeEach(() => void recorder.take());

describe.each(["2026-07-28", "2025-11-25"] as const)("revision %s", (era) => {
  const call = async (
    meta: object | undefined,
    headers: Record<string, string> = {},
    within = <T>(work: () => T): T => work(),
  ): Promise<{ span: Seen; heard: unknown }> => {
    const { server, heard } = traced();
    const client = await TestClient.connect(server, { era, headers });
    recorder.take();
    const params = { name: "act", arguments: {}, ...(meta && { _meta: meta }) };
    await within(() => client.request("tools/call", params));
    return { span: only(recorder.take(), "tools/call act"), heard: heard[0] };
  };

  test("a call of nobody's begins a trace, which handlers can send on", async () => {
    const { span, heard } = await call(undefined);
    expect(span.parentId).toBeUndefined();
    const { traceId, spanId } = span;
    expect(heard).toEqual({
      trace: { traceparent: parent(traceId, spanId), traceId, spanId, sampled: true },
      baggage: [],
    });
  });

  test("_meta says whose part it is", async () => {
    const { span, heard } = await call({
      traceparent: parent(TRACE, STEP),
      tracestate: "rojo=1,congo=2",
      baggage: "tenant=acme",
    });
    expect(span).toMatchObject({ traceId: TRACE, parentId: STEP, links: [] });
    const { spanId } = span;
    expect(heard).toEqual({
      trace: {
        traceparent: parent(TRACE, spanId),
        tracestate: "rojo=1,congo=2",
        traceId: TRACE,
        parentId: STEP,
        spanId,
        sampled: true,
      },
      baggage: ["tenant=acme"],
    });
  });

  test("else the headers do", async () => {
    const { span } = await call(undefined, { traceparent: parent(OTHER, HEADER_STEP) });
    expect(span).toMatchObject({ traceId: OTHER, parentId: HEADER_STEP, links: [] });
  });

  test("where both do it is _meta, with a link to what the headers name", async () => {
    const headers = { traceparent: parent(OTHER, HEADER_STEP) };
    const { span } = await call({ traceparent: parent(TRACE, STEP) }, headers);
    expect(span).toMatchObject({ traceId: TRACE, parentId: STEP, links: [HEADER_STEP] });
    const same = await call({ traceparent: parent(OTHER, HEADER_STEP) }, headers);
    expect(same.span).toMatchObject({ traceId: OTHER, parentId: HEADER_STEP, links: [] });
  });

  test("a span that is active around the server is the transport's", async () => {
    const server = trace.getTracer("test").startSpan("POST /mcp", {}, ROOT_CONTEXT);
    const within = <T>(work: () => T) => context.with(trace.setSpan(ROOT_CONTEXT, server), work);
    const { spanId } = server.spanContext();
    const headers = { traceparent: parent(OTHER, HEADER_STEP) };
    expect((await call(undefined, headers, within)).span).toMatchObject({ parentId: spanId, links: [] });
    const linked = await call({ traceparent: parent(TRACE, STEP) }, headers, within);
    expect(linked.span).toMatchObject({ parentId: STEP, links: [spanId] });
    server.end();
  });

  test.each([
    ["no trace", { traceparent: "mine" }],
    ["no text", { traceparent: { toString: "x" }, baggage: ["a=b"] }],
    ["too much", { baggage: Array.from({ length: 2_000 }, (_, at) => `k${at}=1`).join(",") }],
  ])("what is no context is passed over: %s", async (_what, meta) => {
    const { span, heard } = await call(meta);
    expect(span.parentId).toBeUndefined();
    expect(heard).toMatchObject({ baggage: [] });
  });

  test("a trace that its caller does not record is not recorded here", async () => {
    const { server, heard } = traced();
    const client = await TestClient.connect(server, { era });
    recorder.take();
    const params = { name: "act", arguments: {}, _meta: { traceparent: parent(TRACE, STEP, "00") } };
    await client.request("tools/call", params);
    expect(recorder.take()).toEqual([]);
    const sent = { trace: { traceId: TRACE, parentId: STEP, sampled: false } };
    expect(heard).toEqual([expect.objectContaining({ trace: expect.objectContaining(sent.trace) })]);
  });
});
