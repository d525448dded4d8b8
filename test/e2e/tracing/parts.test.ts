/** What a call consists of, within its span: parts of its own, and what its author's code does. */

import { SpanStatusCode, context, trace } from "@opentelemetry/api";
import { MCPServer, ToolError, authenticate, dependency, guard, hasRole } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Seen, only, recordSpans } from "../../support/spans.ts";

const recorder = recordSpans();
const about = { description: "About it." };
const tracer = trace.getTracer("author");

const pause = () => new Promise((resolve) => setTimeout(resolve, 2));

/** What an author's code does that is traced, such as a query: after it has waited. */
async function query(name: string): Promise<string> {
  await pause();
  return tracer.startActiveSpan(name, async (span) => {
    await pause();
    span.end();
    return name;
  });
}

const make = () => new MCPServer({ name: "traced", version: "1.0.0", logger: NOWHERE });
const NOWHERE = { debug() {}, info() {}, warn() {}, error() {} };

async function connected(server: MCPServer, token?: string) {
  const client = await TestClient.connect(server, token === undefined ? {} : { token });
  recorder.take();
  return client;
}

/** Each span as its path of names, from the span of the call on. */
function paths(spans: readonly Seen[]): readonly string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const path = (span: Seen): string => {
    const parent = span.parentId === undefined ? undefined : byId.get(span.parentId);
    return parent ? `${path(parent)} > ${span.name}` : span.name;
  };
  return spans.map(path).toSorted();
}

beforeEach(() => void recorder.take());

describe("what author's code does is part of the call", () => {
  test("in handlers, guards, dependencies and their clean-ups", async () => {
    const connection = dependency(async function* () {
      await query("open");
      yield {};
      await query("close");
    });
    const owns = guard("owns", async () => (await query("owner")) === "owner");
    const server = make()
      .use(authenticate({ authenticate: () => ({ clientId: "ana" }) }))
      .tool(
        "act",
        { ...about, input: z.object({ id: z.string() }), guards: [owns], inject: { connection } },
        () => query("select"),
      );
    const client = await connected(server);
    await client.call("act", { id: "1" });
    expect(paths(recorder.take())).toEqual([
      "tools/call act",
      "tools/call act > close",
      "tools/call act > dependencies",
      "tools/call act > dependencies > open",
      "tools/call act > guards",
      "tools/call act > guards",
      "tools/call act > guards > owner",
      "tools/call act > handler",
      "tools/call act > handler > select",
      "tools/call act > validation",
    ]);
  });

  test("and in layers, resources and prompts", async () => {
    const server = make()
      .use(async (ctx, next) => {
        if (ctx.operation.kind !== "discover") await query("layer");
        return next();
      })
      .resource("config://app", { ...about, name: "config" }, () => query("read"))
      .prompt("plan", { ...about, input: z.object({ who: z.string() }) }, () => query("think"));
    const client = await connected(server);
    await client.readResource("config://app");
    await client.getPrompt("plan", { who: "ana" });
    expect(paths(recorder.take())).toEqual([
      "prompts/get plan",
      "prompts/get plan > handler",
      "prompts/get plan > handler > think",
      "prompts/get plan > layer",
      "prompts/get plan > validation",
      "resources/read",
      "resources/read > handler",
      "resources/read > handler > read",
      "resources/read > layer",
    ]);
  });

  test("and in what is left for after the answer", async () => {
    const server = make().tool("act", about, (_args, { background }) => {
      background.add(async function notify() {
        await query("send");
      });
      background.add(() => {
        throw new TypeError("no");
      });
      return "done";
    });
    const client = await connected(server);
    await client.call("act");
    const before = recorder.take();
    const after = await recorder.taken("background");
    expect(paths([...before, ...after])).toEqual([
      "tools/call act",
      "tools/call act > handler",
      "tools/call act > handler > background",
      "tools/call act > handler > background notify",
      "tools/call act > handler > background notify > send",
    ]);
    expect(only(after, "background")).toMatchObject({
      attributes: { "error.type": "TypeError" },
      error: "",
    });
  });

  test("calls at the same time do not mix", async () => {
    const server = make().tool("act", { ...about, input: z.object({ id: z.string() }) }, ({ id }) =>
      query(`query ${id}`),
    );
    const client = await connected(server);
    const ids = Array.from({ length: 20 }, (_, at) => String(at));
    await Promise.all(ids.map((id) => client.call("act", { id })));
    const spans = recorder.take();
    const traces = ids.map((id) => only(spans, `query ${id}`).traceId);
    expect(new Set(traces).size).toBe(20);
    for (const { traceId } of spans) expect(traces).toContain(traceId);
  });

  test("but what all calls share is no call's", async () => {
    let outlives: unknown;
    const pool = dependency({ scope: "server" }, () => {
      outlives = context.active();
      return {};
    });
    const server = make().tool("act", { ...about, inject: { pool } }, () => "done");
    const client = await connected(server);
    await client.call("act");
    expect(trace.getSpan(outlives as never)).toBeUndefined();
  });
});

describe("parts that fail say why, and those after them are not there", () => {
  const server = make()
    .use(authenticate({ authenticate: ({ token }) => ({ clientId: "ana", roles: [token ?? ""] }) }))
    .tool(
      "act",
      {
        ...about,
        input: z.object({ id: z.string() }),
        guards: [hasRole("admin"), guard("owner", ({ id }: { id: string }) => id !== "hers")],
        inject: {
          db: dependency(() => {
            throw new RangeError("no");
          }),
        },
      },
      () => "done",
    )
    .tool("refuse", about, () => {
      throw new ToolError("no");
    });

  test.each([
    ["a role that lacks", "guest", { id: "1" }, { guards: "ACCESS_DENIED" }],
    ["arguments", "admin", {}, { guards: undefined, validation: "VALIDATION_ERROR" }],
    ["a guard by arguments", "admin", { id: "hers" }, { guards: "ACCESS_DENIED", validation: undefined }],
    [
      "a dependency",
      "admin",
      { id: "1" },
      { guards: undefined, validation: undefined, dependencies: "RangeError" },
    ],
  ])("%s", async (_what, role, args, parts) => {
    const client = await connected(server, role);
    await client.callTool("act", args);
    const inner = recorder.take().filter(({ kind }) => kind === "INTERNAL");
    expect(Object.fromEntries(inner.map(({ name, attributes }) => [name, attributes["error.type"]]))).toEqual(
      parts,
    );
  });

  test("the handler", async () => {
    const client = await connected(server, "admin");
    await client.callTool("refuse");
    expect(only(recorder.take(), "handler")).toMatchObject({
      attributes: { "error.type": "TOOL_ERROR" },
      error: "",
    });
  });
});

test("a handler that goes on after its call has a span as long as the call", async () => {
  const server = make().tool("hang", { ...about, timeout: 30 }, () => new Promise(() => {}));
  const client = await connected(server);
  await client.callTool("hang");
  const spans = await recorder.taken("tools/call hang");
  expect(only(spans, "handler")).toMatchObject({ attributes: { "error.type": "TIMEOUT" }, error: "" });
});

test("a handler's thenable is waited for, as it is without tracing", async () => {
  const soon = (resolve: (value: string) => void) => void setTimeout(() => resolve("rows"), 20);
  // oxlint-disable-next-line unicorn/no-thenable -- as query builders are
  const thenable = { then: soon };
  const server = make().tool("select", about, () => thenable as unknown as Promise<string>);
  const client = await connected(server);
  expect(await client.call("select")).toBe("rows");
  const { durationMs } = only(recorder.take(), "handler");
  expect(durationMs).toBeGreaterThan(15);
});

test("a question is no failure of the handler", async () => {
  const server = make().tool("ask", about, async (_args, ctx) => {
    await ctx.elicit("Sure?", z.object({ yes: z.boolean() }));
    return "done";
  });
  const client = await TestClient.connect(server, { clientCapabilities: { elicitation: { form: {} } } });
  await client.callTool("ask");
  expect(only(recorder.take(), "handler").error).toBeUndefined();
});

test("where a result came from, and which limit refused, stand where it happened", async () => {
  let runs = 0;
  const server = make()
    .tool("kept", { ...about, cache: { ttl: "1m" } }, async () => query(`run ${++runs}`))
    .tool("limited", { ...about, rateLimit: { perMinute: 1 } }, () => "done");
  const client = await connected(server);
  const cacheEvents = async () => {
    await client.call("kept");
    return only(recorder.take(), "cache").events;
  };
  const event = (outcome: string) => [
    { name: "gantry.cache", attributes: { "gantry.cache.outcome": outcome } },
  ];
  expect(await cacheEvents()).toEqual(event("miss"));
  expect(await cacheEvents()).toEqual(event("hit"));
  await client.callTool("limited");
  expect(only(recorder.take(), "tools/call limited").events).toEqual([]);
  await client.callTool("limited");
  expect(only(recorder.take(), "tools/call limited").events).toEqual([
    {
      name: "gantry.limit",
      attributes: { "gantry.limit.limit": "rate", "gantry.limit.outcome": "refused" },
    },
  ]);
});

test("what is made anew after the answer is part of the call that found it old", async () => {
  const server = make().tool("kept", { ...about, cache: { ttl: 1, staleWhileRevalidate: "1m" } }, () =>
    query("run"),
  );
  const client = await connected(server);
  await client.call("kept");
  recorder.take();
  await pause();
  await pause();
  await client.call("kept");
  const spans = [...recorder.take(), ...(await recorder.taken("background refresh"))];
  expect(paths(spans)).toEqual([
    "tools/call kept",
    "tools/call kept > cache",
    "tools/call kept > cache > background refresh",
    "tools/call kept > cache > background refresh > handler",
    "tools/call kept > cache > background refresh > handler > run",
  ]);
});

test("statuses of an author's own spans are left alone", async () => {
  const server = make().tool("act", about, () => {
    trace.getActiveSpan()?.setStatus({ code: SpanStatusCode.ERROR, message: "mine" });
    trace.getActiveSpan()?.setAttribute("task.id", "t-1");
    return "done";
  });
  const client = await connected(server);
  await client.call("act");
  expect(only(recorder.take(), "handler")).toMatchObject({
    error: "mine",
    attributes: { "task.id": "t-1" },
  });
});
