/** What `enableMetrics()` counts, and how it stays bounded whatever callers send. */

import {
  MCPError,
  MCPRouter,
  MCPServer,
  type MCPServerOptions,
  ToolError,
  circuitBreaker,
  concurrency,
  rateLimit,
} from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { capturedLog } from "../support/captured-log.ts";
import { listen } from "../support/listening.ts";
import { Scrape, scrape } from "../support/metrics.ts";
import { envelope, modernHeaders } from "../support/wire.ts";

const about = { description: "About it." };
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

/** A measured server that listens. */
async function measured(add: (server: MCPServer) => unknown, options: Partial<MCPServerOptions> = {}) {
  const log = capturedLog();
  const server = new MCPServer({ name: "measured", version: "1.2.3", logger: log.logger, ...options });
  server.enableMetrics();
  add(server);
  const { url, close } = await listen(server);
  closers.push(close);
  const call = async (name: string, args: object = {}, headers: Record<string, string> = {}) =>
    (await fetch(url, envelope("tools/call", { name, arguments: args }, headers))).json();
  return { server, url, close, call, read: () => scrape(url) };
}

const calls = (page: Scrape, kind: string, component: string, code: string) =>
  page.value("gantry_calls_total", { kind, component, code });

function deferred() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

describe("calls", () => {
  test.each(["2026-07-28", "2025-11-25"] as const)(
    "are counted by what they came to, revision %s",
    async (era) => {
      const { server, read } = await measured((on) =>
        on
          .tool("act", { ...about, input: z.object({ id: z.number().default(1) }) }, () => "done")
          .tool("refuse", about, () => {
            throw new ToolError("Not today.");
          })
          .tool("busy", about, () => {
            throw new MCPError("Being rebuilt", { code: "ARCHIVE_BUSY" });
          })
          .tool("crash", about, async () => {
            throw new Error("disk gone");
          })
          .tool("hang", { ...about, timeout: 20 }, () => new Promise(() => {}))
          .resource("note://{id}", { ...about, name: "note" }, ({ id }) => id)
          .prompt(
            "plan",
            { ...about, complete: { what: ["a"] }, input: z.object({ what: z.string().default("x") }) },
            () => "Plan it.",
          ),
      );
      const client = await TestClient.connect(server, { era });
      await client.call("act");
      await client.call("act", { id: 2 });
      await client.call("act", { id: "two" }).catch(() => {});
      for (const name of ["refuse", "busy", "crash", "hang", "missing"])
        await client.call(name).catch(() => {});
      await client.readResource("note://1");
      await client.readResource("note://2");
      await client.readResource("nothing://here").catch(() => {});
      await client.getPrompt("plan");
      await client.listTools();
      const page = await read();
      expect(calls(page, "tool", "act", "OK")).toBe(2);
      expect(calls(page, "tool", "act", "VALIDATION_ERROR")).toBe(1);
      expect(calls(page, "tool", "refuse", "TOOL_ERROR")).toBe(1);
      expect(calls(page, "tool", "busy", "ARCHIVE_BUSY")).toBe(1);
      expect(calls(page, "tool", "crash", "INTERNAL_ERROR")).toBe(1);
      expect(calls(page, "tool", "hang", "TIMEOUT")).toBe(1);
      expect(calls(page, "tool", "(unknown)", "TOOL_NOT_FOUND")).toBe(1);
      expect(calls(page, "resource", "note://{id}", "OK")).toBe(2);
      expect(calls(page, "resource", "(unknown)", "RESOURCE_NOT_FOUND")).toBe(1);
      expect(calls(page, "prompt", "plan", "OK")).toBe(1);
      expect(calls(page, "list", "tools", "OK")).toBe(1);
      expect(page.value("mcp_server_operation_duration_seconds_count", { component: "act" })).toBe(3);
      expect(
        page.value("mcp_server_operation_duration_seconds_bucket", { component: "hang", le: "0.01" }),
      ).toBe(0);
      expect(
        page.value("mcp_server_operation_duration_seconds_bucket", { component: "hang", le: "+Inf" }),
      ).toBe(1);
      expect(page.value("mcp_server_operation_duration_seconds_sum", { component: "hang" })).toBeGreaterThan(
        0.015,
      );
    },
  );

  test("that never become any are counted by status, whatever the revision answers", async () => {
    const { url, read } = await measured((on) => on.tool("act", about, () => "done"), {
      http: { sessions: true },
    });
    const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
    const post = async (message: unknown, more: Record<string, string> = {}) => {
      const answer = await fetch(url, {
        method: "POST",
        headers: { ...headers, ...more },
        body: JSON.stringify(message),
      });
      expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
      return answer.headers.get("mcp-session-id") ?? "";
    };
    const about404 = async () => (await read()).value("gantry_http_errors_total", { status: "404" });
    const about400 = async () => (await read()).value("gantry_http_errors_total", { status: "400" });
    const asked = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params });
    await post(asked("ping"));
    await post(asked("tools/call", { name: "act" }));
    expect([await about404(), await about400()]).toEqual([0, 0]);
    for (const method of ["meth1", "meth2"]) await post(asked(method));
    await post(asked("tools/call", { name: 7 }));
    expect([await about404(), await about400()]).toEqual([2, 1]);
    const session = await post(
      asked("initialize", {
        protocolVersion: "2025-06-18",
        capabilities: {},
        clientInfo: { name: "a", version: "1" },
      }),
    );
    expect(session).not.toBe("");
    await post(asked("ping"), { "mcp-session-id": session });
    await post(asked("meth3"), { "mcp-session-id": session });
    await post([asked("meth4"), asked("ping")]);
    expect([await about404(), await about400()]).toEqual([4, 1]);
    expect((await read()).series.filter((series) => series.includes("meth"))).toEqual([]);
  });

  test("and what happens on their way begin at 0, before the first", async () => {
    const { server, read } = await measured((on) =>
      on
        .use(circuitBreaker({ kinds: ["tool"] }))
        .use(circuitBreaker({ perTool: false, name: "upstream", kinds: ["prompt"] }))
        .use(concurrency({ max: 5, kinds: ["resource"] }))
        .tool("search", { ...about, cache: { ttl: "5m" }, rateLimit: "5/s" }, () => "found")
        .tool("pay", { ...about, idempotent: true }, () => "paid")
        .tool("off", about, () => "off")
        .resource("note://{id}", { ...about, name: "note" }, ({ id }) => id)
        .prompt(
          "plan",
          { ...about, complete: { what: ["a"] }, input: z.object({ what: z.string() }) },
          () => "Plan it.",
        ),
    );
    server.tool("later", about, () => "added while it runs");
    const client = await TestClient.connect(server);
    await client.listTools();
    const page = await read();
    const begun = page.series.filter((series) => /^gantry_(?:calls|cache|idem|limit|circuit)/.test(series));
    const values = new Set(
      begun.filter((series) => !/kind="(?:list|discover)"/.test(series)).map((series) => page.of(series)),
    );
    expect([...values]).toEqual([0]);
    for (const component of ["search", "pay", "off", "later"])
      for (const code of [
        "OK",
        "INTERNAL_ERROR",
        "TIMEOUT",
        "TOOL_ERROR",
        "VALIDATION_ERROR",
        "CIRCUIT_OPEN",
      ])
        expect([component, code, calls(page, "tool", component, code)]).toEqual([component, code, 0]);
    expect(calls(page, "resource", "note://{id}", "OK")).toBe(0);
    expect(calls(page, "resource", "note://{id}", "TOOL_ERROR")).toBeUndefined();
    expect(calls(page, "resource", "note://{id}", "CIRCUIT_OPEN")).toBeUndefined();
    expect(calls(page, "tool", "search", "ACCESS_DENIED")).toBeUndefined();
    expect(page.value("gantry_calls_total", { kind: "completion" })).toBeUndefined();
    expect(calls(page, "tool", "(unknown)", "TOOL_NOT_FOUND")).toBe(0);
    for (const outcome of ["hit", "miss"])
      expect(page.value("gantry_cache_results_total", { component: "search", outcome })).toBe(0);
    expect(page.value("gantry_cache_results_total", { component: "pay" })).toBeUndefined();
    expect(page.value("gantry_idempotent_calls_total", { component: "pay", outcome: "replayed" })).toBe(0);
    for (const [limit, component] of Object.entries({ rate: "search", concurrency: "note://{id}" }))
      expect(page.value("gantry_limit_decisions_total", { limit, component, outcome: "refused" })).toBe(0);
    expect(
      page.value("gantry_limit_decisions_total", { limit: "concurrency", kind: "tool" }),
    ).toBeUndefined();
    for (const circuit of ["tool:pay", "upstream"]) {
      expect(page.value("gantry_circuit_opened_total", { circuit })).toBe(0);
      expect(page.value("gantry_circuit_open", { circuit })).toBe(0);
    }
    expect(page.value("gantry_http_errors_total", { status: "503" })).toBe(0);
  });

  test("that ask their client are no errors, and those that it leaves are", async () => {
    const { server, url, read } = await measured((on) =>
      on
        .tool(
          "ask",
          about,
          async (_args, ctx) => (await ctx.elicit("Sure?", z.object({ yes: z.boolean() }))).action,
        )
        .tool(
          "wait",
          about,
          (_args, { signal }) =>
            new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("over")))),
        ),
    );
    const client = await TestClient.connect(server, {
      onElicit: () => ({ action: "accept", content: { yes: true } }),
    });
    await client.call("ask");
    const leaving = new AbortController();
    const left = fetch(url, { ...envelope("tools/call", { name: "wait" }), signal: leaving.signal });
    await vi.waitFor(async () =>
      expect((await read()).value("gantry_calls_in_flight", { component: "wait" })).toBe(1),
    );
    leaving.abort();
    await left.catch(() => {});
    await vi.waitFor(async () => expect(calls(await read(), "tool", "wait", "CANCELLED")).toBe(1));
    const page = await read();
    expect(calls(page, "tool", "ask", "INPUT_REQUIRED")).toBe(1);
    expect(calls(page, "tool", "ask", "OK")).toBe(1);
    expect(page.value("gantry_calls_in_flight")).toBe(0);
  });

  test("are no longer under way once they are answered, though a layer never settles", async () => {
    const { call, read } = await measured((on) =>
      on
        .use({ name: "stuck", kinds: ["tool"], handle: () => new Promise(() => {}) })
        .tool("act", { ...about, timeout: 20 }, () => "done"),
    );
    await call("act");
    const page = await read();
    expect(calls(page, "tool", "act", "TIMEOUT")).toBe(1);
    expect(page.value("gantry_calls_in_flight", { component: "act" })).toBe(0);
  });

  test("of servers that are mounted are counted by the one that runs", async () => {
    const billing = new MCPServer({ name: "billing", version: "1.0.0" }).tool("refund", about, () => "done");
    const { call, read } = await measured((on) => on.mount(billing, { prefix: "billing" }));
    await call("billing_refund");
    expect(calls(await read(), "tool", "billing_refund", "OK")).toBe(1);
  });

  test("are answered as without metrics", async () => {
    const tool = (server: MCPServer) =>
      server.tool(
        "act",
        { ...about, input: z.object({ id: z.number() }), output: z.object({ id: z.number() }) },
        ({ id }) => ({ id }),
      );
    const { call } = await measured(tool);
    const plain = new MCPServer({ name: "measured", version: "1.2.3" });
    tool(plain);
    const { url, close } = await listen(plain);
    closers.push(close);
    const expected = await (
      await fetch(url, envelope("tools/call", { name: "act", arguments: { id: 1 } }))
    ).json();
    expect(await call("act", { id: 1 })).toEqual(expected);
  });
});

describe("on the way of calls", () => {
  test("results are counted by where they came from", async () => {
    const gate = deferred();
    const { call, read } = await measured((on) =>
      on
        .tool("kept", { ...about, cache: { ttl: "1m" } }, () => "result")
        .tool("slow", { ...about, cache: { ttl: "1m" } }, () => gate.promise.then(() => "result"))
        .tool("old", { ...about, cache: { ttl: 10, staleWhileRevalidate: "1m" } }, () => "result"),
    );
    await call("kept");
    await call("kept");
    await call("kept");
    const both = [call("slow"), call("slow")];
    await vi.waitFor(async () =>
      expect((await read()).value("gantry_calls_in_flight", { component: "slow" })).toBe(2),
    );
    gate.resolve();
    await Promise.all(both);
    await call("old");
    await new Promise((resolve) => setTimeout(resolve, 30));
    await call("old");
    const page = await read();
    const cached = (component: string, outcome: string) =>
      page.value("gantry_cache_results_total", { kind: "tool", component, outcome });
    expect(cached("kept", "miss")).toBe(1);
    expect(cached("kept", "hit")).toBe(2);
    expect(cached("slow", "miss")).toBe(1);
    expect(cached("slow", "shared")).toBe(1);
    expect(cached("old", "stale")).toBe(1);
  });

  test("idempotent calls are first ones or replayed", async () => {
    const { call, read } = await measured((on) =>
      on.tool("pay", { ...about, idempotent: true }, () => "paid"),
    );
    for (let i = 0; i < 3; i++) await call("pay");
    const page = await read();
    expect(page.value("gantry_idempotent_calls_total", { component: "pay", outcome: "first" })).toBe(1);
    expect(page.value("gantry_idempotent_calls_total", { component: "pay", outcome: "replayed" })).toBe(2);
  });

  test("limits allow or refuse", async () => {
    const gate = deferred();
    const { call, read } = await measured((on) =>
      on
        .use(rateLimit({ perMinute: 3 }))
        .use(concurrency({ max: 1 }))
        .tool("act", about, () => "done")
        .tool("slow", about, () => gate.promise.then(() => "done")),
    );
    const slow = call("slow");
    await vi.waitFor(async () =>
      expect((await read()).value("gantry_calls_in_flight", { component: "slow" })).toBe(1),
    );
    await call("act");
    gate.resolve();
    await slow;
    await call("act");
    await call("act");
    const page = await read();
    const decided = (limit: string, component: string, outcome: string) =>
      page.value("gantry_limit_decisions_total", { limit, component, outcome });
    expect(decided("rate", "act", "allowed")).toBe(2);
    expect(decided("rate", "act", "refused")).toBe(1);
    expect(decided("concurrency", "act", "refused")).toBe(1);
    expect(decided("concurrency", "act", "allowed")).toBe(1);
    expect(calls(page, "tool", "act", "RATE_LIMIT_EXCEEDED")).toBe(1);
    expect(calls(page, "tool", "act", "CONCURRENCY_LIMIT_EXCEEDED")).toBe(1);
  });

  test("circuits are open, half-open and closed", async () => {
    let broken = true;
    const work = () => {
      if (broken) throw new Error("no database");
      return "done";
    };
    const { call, read } = await measured((on) =>
      on
        .use(circuitBreaker({ failures: 2, recovery: "300ms" }))
        .tool("search", about, work)
        .include(
          new MCPRouter({
            middleware: [circuitBreaker({ failures: 1, perTool: false, recovery: "1m" })],
          }).tool("pay", about, work),
        ),
    );
    const state = async (circuit: string) => (await read()).value("gantry_circuit_open", { circuit });
    await call("search");
    expect(await state("tool:search")).toBe(0);
    await call("search");
    expect(await state("tool:search")).toBe(1);
    await call("search");
    await call("pay");
    expect(await state("shared")).toBe(1);
    await vi.waitFor(async () => expect(await state("tool:search")).toBe(0.5), 2_000);
    broken = false;
    await call("search");
    expect(await state("tool:search")).toBe(0);
    const page = await read();
    expect(page.value("gantry_circuit_opened_total", { circuit: "tool:search" })).toBe(1);
    expect(calls(page, "tool", "search", "CIRCUIT_OPEN")).toBe(1);
  });
});

describe("the server", () => {
  test("tells of its streams, its sessions and the answers with an HTTP error", async () => {
    const { server, url, read } = await measured((on) => on.tool("act", about, () => "done"), {
      http: { sessions: true },
    });
    const client = await TestClient.connect(server);
    const subscription = await client.listen({ toolsListChanged: true });
    const initialize = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "old", version: "1" },
    };
    const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
    const hello = { jsonrpc: "2.0", id: 1, method: "initialize", params: initialize };
    await (await fetch(url, { method: "POST", headers, body: JSON.stringify(hello) })).text();
    await (await fetch(url, { method: "PUT" })).text();
    await (await fetch(url, { method: "POST", headers: modernHeaders("tools/list"), body: "{" })).text();
    const page = await read();
    expect(page.value("gantry_streams_open")).toBe(1);
    expect(page.value("gantry_sessions_open")).toBe(1);
    expect(page.value("gantry_http_errors_total", { status: "405" })).toBe(1);
    expect(page.value("gantry_http_errors_total", { status: "400" })).toBe(1);
    expect(page.value("gantry_streams_cut_total", { reason: "stalled" })).toBe(0);
    await subscription.close();
    await vi.waitFor(async () => expect((await read()).value("gantry_streams_open")).toBe(0));
  });

  test("tells of its probes, of what runs, and of background work", async () => {
    let there = true;
    const gate = deferred();
    const { call, read } = await measured((on) =>
      on
        .readiness("database", () => there)
        .tool("act", about, (_args, { background }) => {
          background.add(() => gate.promise);
          return "done";
        }),
    );
    await call("act");
    const page = await read();
    expect(page.value("gantry_ready")).toBe(1);
    expect(page.value("gantry_probe_up", { probe: "database" })).toBe(1);
    expect(page.value("gantry_background_calls")).toBe(1);
    expect(
      page.value("gantry_build_info", { name: "measured", version: "1.2.3", node_version: process.version }),
    ).toBe(1);
    there = false;
    gate.resolve();
    await vi.waitFor(
      async () => expect((await read()).value("gantry_probe_up", { probe: "database" })).toBe(0),
      3_000,
    );
    const after = await read();
    expect(after.value("gantry_ready")).toBe(0);
    expect(after.value("gantry_background_calls")).toBe(0);
  });

  test("tells what the process takes, and how late its event loop is", async () => {
    const { read } = await measured((on) => on.tool("act", about, () => "done"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const until = performance.now() + 200;
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const page = await read();
    expect(page.value("nodejs_eventloop_lag_max_seconds")).toBeGreaterThan(0.1);
    expect(page.value("nodejs_eventloop_busy_seconds_total")).toBeGreaterThan(0.1);
    for (const name of [
      "process_cpu_seconds_total",
      "process_resident_memory_bytes",
      "nodejs_heap_size_used_bytes",
      "nodejs_heap_size_total_bytes",
      "nodejs_external_memory_bytes",
      "process_start_time_seconds",
    ])
      expect(page.value(name)).toBeGreaterThan(0);
    // Other systems do not list descriptors as files.
    expect(page.value("process_open_fds") ?? 4).toBeGreaterThan(3);
    const busy = page.value("nodejs_eventloop_busy_seconds_total") ?? 0;
    expect((await read()).value("nodejs_eventloop_busy_seconds_total")).toBeGreaterThan(busy);
  });
});

describe("labels", () => {
  test("are as few after 10,000 invented names, URIs and codes as before", async () => {
    const server = new MCPServer({ name: "measured", version: "1.0.0" })
      .enableMetrics()
      .tool("fail", { ...about, input: z.object({ code: z.string() }) }, ({ code }) => {
        throw new MCPError("No", { code });
      })
      .resource("note://{id}", { ...about, name: "note" }, ({ id }) => id);
    closers.push(() => server.close());
    const ask = async (method: string, params: object) =>
      (await server.fetch(new Request("http://127.0.0.1/mcp", envelope(method, params)))).text();
    for (let i = 0; i < 2_500; i++) {
      await Promise.all([
        ask("tools/call", { name: `invented_${i}` }),
        ask("prompts/get", { name: `invented_${i}` }),
        ask("resources/read", { uri: `note://${i}` }),
        ask("tools/call", { name: "fail", arguments: { code: `CODE_${i}` } }),
      ]);
    }
    const response = await server.fetch(new Request("http://127.0.0.1/metrics"));
    const page = new Scrape(await response.text());
    expect(calls(page, "tool", "(unknown)", "TOOL_NOT_FOUND")).toBe(2_500);
    expect(calls(page, "prompt", "(unknown)", "PROMPT_NOT_FOUND")).toBe(2_500);
    expect(calls(page, "resource", "note://{id}", "OK")).toBe(2_500);
    expect(calls(page, "tool", "fail", "(other)")).toBe(2_500 - 64);
    expect(page.value("gantry_calls_total", { component: "fail" })).toBe(2_500);
    expect(page.text).not.toContain("invented");
    expect(page.series.length).toBeLessThan(250);
    expect(page.text.length).toBeLessThan(32_768);
  });
});
