/** Request ids, traces, state and metadata: what a request carries through all that serves it. */

import { MCPServer, type MCPServerOptions, ToolResponse, assistant, dependency } from "gantry-mcp";
import { TestClient, ToolCallError } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { capturedLog } from "../support/captured-log.ts";
import { listen } from "../support/listening.ts";
import { connectTo } from "../support/talkers.ts";
import { envelope, send } from "../support/wire.ts";

declare module "gantry-mcp" {
  interface RequestState {
    plan?: string;
  }
}

const about = { description: "About it." };

const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

function made(options: Partial<MCPServerOptions> = {}) {
  const log = capturedLog();
  const server = new MCPServer({ name: "requests", version: "1.0.0", logger: log.logger, ...options });
  server
    .tool("traced_operation", { ...about, input: z.object({ data: z.string() }) }, ({ data }, ctx) => ({
      processed: data,
      trace_id: ctx.requestId,
    }))
    .tool("trace", about, (_args, { trace }) => trace ?? "none")
    .tool("crash", about, () => {
      throw new Error("disk gone");
    });
  return { server, log };
}

const traced = async (client: TestClient) =>
  ((await client.call("traced_operation", { data: "d" })) as { trace_id: string }).trace_id;

describe.each(["2026-07-28", "2025-11-25"] as const)("request ids, revision %s", (era) => {
  test("are the client's where it sends one, else twelve digits, new for each request", async () => {
    const { server } = made();
    const named = await TestClient.connect(server, { era, headers: { "x-request-id": "abc" } });
    expect(await named.call("traced_operation", { data: "d" })).toEqual({ processed: "d", trace_id: "abc" });
    const client = await TestClient.connect(server, { era });
    const ids = [await traced(client), await traced(client)];
    for (const id of ids) expect(id).toMatch(/^[\da-f]{12}$/);
    expect(new Set(ids).size).toBe(2);
  });

  test.each([
    ["too long", "x".repeat(65)],
    ["text for a log", "a b"],
    ["markup", "<script>"],
    ["empty", ""],
  ])("are made anew where the client's is %s", async (_what, id) => {
    const { server } = made();
    const client = await TestClient.connect(server, { era, headers: { "x-request-id": id } });
    expect(await traced(client)).toMatch(/^[\da-f]{12}$/);
  });

  test("are in the error, the log and the header of the answer", async () => {
    const { server, log } = made();
    const client = await TestClient.connect(server, {
      era,
      headers: { "x-request-id": "abc", traceparent: TRACEPARENT },
    });
    const error = await client.call("crash").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ToolCallError);
    expect((error as ToolCallError).body).toMatchObject({ code: "INTERNAL_ERROR", requestId: "abc" });
    expect(log.entries()).toMatchObject([
      { requestId: "abc", traceId: "4bf92f3577b34da6a3ce929d0e0e4736", name: "crash" },
    ]);
    const { url, close } = await listen(made().server);
    const answered = await send(url, {
      headers: { ...(envelope("tools/list").headers as Record<string, string>), "x-request-id": "abc" },
      body: envelope("tools/list").body as string,
    });
    expect(answered.headers["x-request-id"]).toBe("abc");
    await close();
  });

  test("traces are read from _meta and from the headers, and passed over where they are none", async () => {
    const { server } = made();
    const client = await TestClient.connect(server, { era });
    expect(await client.call("trace")).toBe("none");
    const byHeader = await TestClient.connect(server, { era, headers: { traceparent: TRACEPARENT } });
    expect(await byHeader.call("trace")).toMatchObject({ traceparent: TRACEPARENT, sampled: true });
    const params = { name: "trace", arguments: {} };
    const meta = { traceparent: TRACEPARENT.replace("4bf9", "abcd"), tracestate: "a=1" };
    const result = await byHeader.request("tools/call", { ...params, _meta: meta });
    expect(JSON.stringify(result)).toContain("abcd2f3577b34da6a3ce929d0e0e4736");
    const wrong = { traceparent: "mine", tracestate: "a=1", baggage: "x".repeat(10_000) };
    expect(await client.request("tools/call", { ...params, _meta: wrong })).toMatchObject({
      content: [{ text: "none" }],
    });
  });

  test("metadata of a response is there for middleware after next(), and nowhere on the wire", async () => {
    const { server } = made();
    const seen: unknown[] = [];
    server.use(async (ctx, next) => {
      if (ctx.operation.kind !== "tool") return next();
      seen.push(ctx.metadata);
      const result = await next();
      seen.push(ctx.metadata);
      return result;
    });
    const input = z.object({ product_id: z.string() });
    const output = z.object({ order_id: z.string(), status: z.string() });
    const order = { order_id: "o-1", status: "created" };
    server
      .tool(
        "create_order",
        { ...about, input },
        ({ product_id }) =>
          new ToolResponse(order, { metadata: { audit_action: "order.create", product_id } }),
      )
      .tool("declared", { ...about, output }, async () => new ToolResponse(order, { metadata: { a: 1 } }))
      .tool("bare", about, () => new ToolResponse("done"));

    const client = await TestClient.connect(server, { era });
    const result = await client.callTool("create_order", { product_id: "secret-7" });
    expect(JSON.parse((result.content[0] as { text: string }).text)).toEqual(order);
    expect(JSON.stringify(result)).not.toMatch(/audit|secret-7|metadata/);
    expect(await client.callTool("declared")).toMatchObject({ structuredContent: order });
    expect(await client.call("bare")).toBe("done");
    expect(seen).toEqual([
      {},
      { audit_action: "order.create", product_id: "secret-7" },
      {},
      { a: 1 },
      {},
      {},
    ]);
  });

  test("a resource, a prompt and a layer may tell of themselves as well", async () => {
    const { server } = made();
    const seen: object[] = [];
    server.use(async (ctx, next) => {
      if (ctx.operation.name === "answered")
        return new ToolResponse({ by: "a layer" }, { metadata: { c: 3 } });
      const result = await next();
      seen.push(ctx.metadata);
      return result;
    });
    const kept = { cache: { ttl: "1m" } } as const;
    server
      .resource(
        "notes://{id}",
        { name: "note", ...about, ...kept },
        ({ id }) => new ToolResponse(`note ${id}`, { metadata: { a: id } }),
      )
      .prompt("plan", about, async () => new ToolResponse([assistant("Plan.")], { metadata: { b: 2 } }))
      .tool("answered", { ...about, output: z.object({ by: z.string() }) }, () => ({ by: "the handler" }));

    const client = await TestClient.connect(server, { era });
    seen.length = 0;
    for (const _time of ["read", "kept"])
      expect((await client.readResource("notes://7")).contents).toMatchObject([
        { uri: "notes://7", mimeType: "text/plain", text: "note 7" },
      ]);
    expect((await client.getPrompt("plan")).messages).toEqual([
      { role: "assistant", content: { type: "text", text: "Plan." } },
    ]);
    expect(seen).toEqual([{ a: "7" }, { a: "7" }, { b: 2 }]);
    expect(await client.callTool("answered")).toMatchObject({ structuredContent: { by: "a layer" } });
  });

  test("state is one call's: layers, dependencies and the handler share it", async () => {
    const { server } = made();
    server.use((ctx, next) => {
      ctx.state.plan ??= "premium";
      return next();
    });
    const plan = dependency(({ state }) => state.plan);
    server.tool("act", { ...about, inject: { plan } }, (_args, ctx) => {
      const before = ctx.state["seen"];
      ctx.state["seen"] = true;
      return [ctx.plan, before ?? "new"];
    });
    const client = await TestClient.connect(server, { era });
    expect(await client.call("act")).toEqual(["premium", "new"]);
    expect(await client.call("act")).toEqual(["premium", "new"]);
  });
});

test("each call of a session has a request id of its own, and its trace", async () => {
  const { server } = made({ http: { sessions: true } });
  const { url, close } = await listen(server);
  const client = await connectTo(url, { client: "sdk 1.32", era: "legacy", over: "sessions" });
  const ids = [];
  for (const data of ["a", "b"])
    ids.push(((await client.value("traced_operation", { data })) as { trace_id: string }).trace_id);
  for (const id of ids) expect(id).toMatch(/^[\da-f]{12}$/);
  expect(new Set(ids).size).toBe(2);
  expect(await client.value("trace", {}, { _meta: { traceparent: TRACEPARENT } })).toMatchObject({
    traceparent: TRACEPARENT,
  });
  await client.close();
  await close();
});
