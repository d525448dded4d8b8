/** The spans of calls, as OpenTelemetry's conventions for MCP name them. */

import { MCPServer, ToolError, authenticate, hasRole } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { ToolResult } from "../../../src/core/results/result.ts";
import { capturedLog } from "../../support/captured-log.ts";
import { overUrl } from "../../support/clients.ts";
import { listen } from "../../support/listening.ts";
import { type Seen, only, recordSpans } from "../../support/spans.ts";

const recorder = recordSpans();
const about = { description: "About it." };

function traced() {
  const log = capturedLog();
  const server = new MCPServer({ name: "traced", version: "1.0.0", logger: log.logger })
    .tool("echo", { ...about, input: z.object({ text: z.string() }) }, ({ text }) => text)
    .tool("refuse", about, () => {
      throw new ToolError("Customer 4711 is not yours.");
    })
    .tool("report", about, () => new ToolResult([{ type: "text", text: "no" }], { isError: true }))
    .tool("crash", about, () => {
      throw new Error("disk gone");
    })
    .tool("caused", about, () => {
      throw new ToolError("Not now.", { cause: new TypeError("socket closed") });
    })
    .tool("hang", { ...about, timeout: 30 }, () => new Promise(() => {}))
    .tool(
      "ask",
      about,
      async (_args, ctx) => (await ctx.elicit("Sure?", z.object({ yes: z.boolean() }))).action,
    )
    .resource("config://app", { ...about, name: "config" }, () => "{}")
    .resource("notes://{id}", { ...about, name: "note" }, () => undefined)
    .prompt(
      "plan",
      { ...about, complete: { who: ["ana"] }, input: z.object({ who: z.string() }) },
      () => "Plan.",
    );
  return { server, log };
}

beforeEach(() => void recorder.take());

/** The span of an operation, with those within it left out. */
const operations = (spans: readonly Seen[]) => spans.filter(({ kind }) => kind === "SERVER");

describe.each(["2026-07-28", "2025-11-25"] as const)("revision %s", (era) => {
  const connected = async () => {
    const made = traced();
    const client = await TestClient.connect(made.server, { era, headers: { "x-request-id": "r-1" } });
    recorder.take();
    return { ...made, client };
  };

  const common = {
    "mcp.protocol.version": era,
    "network.transport": "tcp",
    "network.protocol.name": "http",
    "jsonrpc.request.id": expect.stringMatching(/^\d+$/),
    "gantry.request.id": "r-1",
  };

  test("each operation is a span of its method and what it is about", async () => {
    const { client } = await connected();
    await client.call("echo", { text: "hi" });
    await client.readResource("config://app");
    await client.getPrompt("plan", { who: "ana" });
    await client.complete({ prompt: "plan" }, { name: "who", value: "a" });
    await client.listTools();
    await client.listResources();
    await client.listResourceTemplates();
    await client.listPrompts();
    const spans = operations(recorder.take());
    const bare = (method: string) => [method, { ...common, "mcp.method.name": method }];
    expect(spans.map(({ name, attributes }) => [name, attributes])).toEqual([
      [
        "tools/call echo",
        {
          ...common,
          "mcp.method.name": "tools/call",
          "gen_ai.operation.name": "execute_tool",
          "gen_ai.tool.name": "echo",
        },
      ],
      [
        "resources/read",
        { ...common, "mcp.method.name": "resources/read", "mcp.resource.uri": "config://app" },
      ],
      ["prompts/get plan", { ...common, "mcp.method.name": "prompts/get", "gen_ai.prompt.name": "plan" }],
      bare("completion/complete"),
      bare("tools/list"),
      bare("resources/list"),
      bare("resources/templates/list"),
      bare("prompts/list"),
    ]);
    for (const span of spans)
      expect(span).toMatchObject({ scope: "gantry-mcp", error: undefined, events: [], links: [] });
  });

  test.each([
    ["refuse", "TOOL_ERROR"],
    ["crash", "INTERNAL_ERROR"],
    ["hang", "TIMEOUT"],
    ["echo", "VALIDATION_ERROR"],
  ])("what a tool says in its result is a tool error: %s", async (name, code) => {
    const { client } = await connected();
    await client.callTool(name);
    const span = only(await recorder.taken(`tools/call ${name}`), `tools/call ${name}`);
    expect(span.attributes).toMatchObject({ "error.type": "tool_error", "gantry.error.code": code });
    expect(span.attributes).not.toHaveProperty("rpc.response.status_code");
    // Neither arguments nor what a result says of somebody.
    expect(span.error).toBe("");
    expect(JSON.stringify(span.attributes)).not.toContain("4711");
  });

  test("so is a result that a tool makes itself", async () => {
    const { client } = await connected();
    await client.callTool("report");
    const span = only(recorder.take(), "tools/call report");
    expect(span).toMatchObject({ attributes: { "error.type": "tool_error" }, error: "", events: [] });
  });

  test("other failures have the code and the message of the JSON-RPC error", async () => {
    const { client } = await connected();
    await client.call("nothing").catch(() => {});
    await client.readResource("notes://7").catch(() => {});
    const [tool, resource] = operations(recorder.take());
    const notFound = era === "2026-07-28" ? "-32602" : "-32002";
    expect(tool).toMatchObject({
      // Names that callers make up do not become names of spans.
      name: "tools/call",
      attributes: {
        "gen_ai.tool.name": "nothing",
        "error.type": "-32602",
        "rpc.response.status_code": "-32602",
        "gantry.error.code": "TOOL_NOT_FOUND",
      },
      error: "Unknown tool: nothing",
    });
    expect(resource).toMatchObject({
      name: "resources/read",
      attributes: { "error.type": notFound, "rpc.response.status_code": notFound },
      error: "Resource not found: notes://7",
    });
  });

  test("what was unexpected is told to whoever reads traces, and not to callers", async () => {
    const { client } = await connected();
    const answer = await client.callTool("crash");
    expect(JSON.stringify(answer)).not.toContain("disk");
    const exception = (type: string, message: string) => ({
      name: "exception",
      attributes: expect.objectContaining({
        "exception.type": type,
        "exception.message": message,
        "exception.stacktrace": expect.stringContaining("spans.test.ts"),
      }),
    });
    expect(only(recorder.take(), "tools/call crash").events).toEqual([exception("Error", "disk gone")]);
    await client.callTool("caused");
    expect(only(recorder.take(), "tools/call caused").events).toEqual([
      exception("TypeError", "socket closed"),
    ]);
    await client.callTool("refuse");
    expect(only(recorder.take(), "tools/call refuse").events).toEqual([]);
  });

  test("names that callers make up are cut", async () => {
    const { client } = await connected();
    await client.call("x".repeat(10_000)).catch(() => {});
    expect(String(recorder.take()[0]?.attributes["gen_ai.tool.name"]).length).toBeLessThan(300);
  });

  test("lines of the log name the span", async () => {
    const { client, log } = await connected();
    await client.callTool("crash");
    const { traceId, spanId } = only(recorder.take(), "tools/call crash");
    expect(log.entries()).toEqual([
      expect.objectContaining({ message: "Unexpected error", requestId: "r-1", traceId, spanId }),
    ]);
  });
});

test("a call that asks its client has not failed", async () => {
  const { server } = traced();
  const client = await TestClient.connect(server, { clientCapabilities: { elicitation: { form: {} } } });
  recorder.take();
  await client.callTool("ask");
  expect(only(recorder.take(), "tools/call ask")).toMatchObject({
    error: undefined,
    events: [{ name: "gantry.input_required", attributes: {} }],
  });
});

test("refusals for want of identity are JSON-RPC errors, whatever was asked", async () => {
  const server = traced()
    .server.use(
      authenticate({ authenticate: ({ token }) => (token === undefined ? undefined : { clientId: token }) }),
    )
    .tool("secret", { ...about, guards: [hasRole("admin")] }, () => "secret");
  const client = await TestClient.connect(server, { token: "ana" });
  recorder.take();
  const body = { jsonrpc: "2.0", id: "q-1", method: "tools/call", params: { name: "secret" } };
  await client.post(body, { authorization: "" });
  const attributes = { "jsonrpc.request.id": "q-1", "gantry.error.code": "AUTHENTICATION_ERROR" };
  expect(only(recorder.take(), "tools/call secret")).toMatchObject({
    attributes: { ...attributes, "rpc.response.status_code": "-32603" },
  });
  await client.callTool("secret");
  expect(only(recorder.take(), "tools/call secret").attributes).toMatchObject({
    "error.type": "tool_error",
    "gantry.error.code": "ACCESS_DENIED",
  });
});

test("what a layer answers that is no answer has failed", async () => {
  const { server } = traced();
  server.use(async (ctx, next) => (ctx.operation.name === "prompts" ? "none" : next()));
  const client = await TestClient.connect(server);
  await client.listPrompts().catch(() => {});
  expect(only(recorder.take(), "prompts/list")).toMatchObject({
    attributes: { "error.type": "-32603", "gantry.error.code": "INTERNAL_ERROR" },
    error: "An internal error occurred.",
    events: [{ name: "exception" }],
  });
});

test("layers are counted as their author added them", async () => {
  const { server, log } = traced();
  server
    .use((_ctx, next) => next())
    .use(async (ctx, next) => (ctx.operation.kind === "tool" ? undefined : next()));
  const client = await TestClient.connect(server);
  await client.callTool("echo", { text: "hi" });
  expect(log.entries()).toMatchObject([
    { err: { message: expect.stringContaining("The middleware number 2 returned nothing") } },
  ]);
});

test("a call whose layer never ends has its span when it is answered", async () => {
  const { server } = traced();
  server.use(async (ctx, next) => {
    const result = await next();
    if (ctx.operation.name === "hang_after") await new Promise(() => {});
    return result;
  });
  server.tool("hang_after", { ...about, timeout: 30 }, () => "done");
  const client = await TestClient.connect(server);
  await client.callTool("hang_after");
  const span = only(await recorder.taken("tools/call hang_after"), "tools/call hang_after");
  expect(span).toMatchObject({ attributes: { "gantry.error.code": "TIMEOUT" }, error: "" });
});

test("a call that its client leaves is one that was cancelled", async () => {
  const { server } = traced();
  const leaving = new AbortController();
  server.tool("wait", about, (_args, { signal }) => {
    setTimeout(() => leaving.abort());
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("stopped")));
    });
  });
  const client = await TestClient.connect(server);
  await client.callTool("wait", {}, { signal: leaving.signal }).catch(() => {});
  const span = only(await recorder.taken("tools/call wait"), "tools/call wait");
  expect(span.attributes).toMatchObject({ "gantry.error.code": "CANCELLED" });
});

test("calls of a session say which, and what is followed there has the name it was asked by", async () => {
  const server = new MCPServer({ name: "traced", version: "1.0.0", http: { sessions: true } })
    .tool("act", about, () => "done")
    .resource("config://app", { ...about, name: "config" }, () => "{}");
  const { url, close } = await listen(server);
  const driver = await overUrl({ client: "client 2.4", era: "legacy", transport: "http" }, url);
  await driver.callTool("act");
  await driver.request("resources/subscribe", { uri: "config://app" });
  await driver.request("tools/call", { name: "nothing" }).catch(() => {});
  await driver.close();
  await close();
  const spans = recorder.take();
  const session = {
    "mcp.session.id": expect.stringMatching(/^[\da-f-]{36}$/),
    "mcp.protocol.version": "2025-11-25",
    "network.transport": "tcp",
    "client.address": "127.0.0.1",
  };
  expect(only(spans, "tools/call act").attributes).toMatchObject(session);
  expect(only(spans, "resources/subscribe").attributes).toMatchObject(session);
  expect(only(spans, "tools/call").attributes).toMatchObject({
    ...session,
    "rpc.response.status_code": "-32602",
  });
});
