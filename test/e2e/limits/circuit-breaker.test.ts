/** When calls keep failing: they are paused, one is tried, and only what is broken counts. */

import {
  type CircuitBreakerOptions,
  ConfigurationError,
  MCPError,
  MCPRouter,
  MCPServer,
  type Middleware,
  ToolError,
  ValidationError,
  circuitBreaker,
  concurrency,
} from "gantry-mcp";
import { TestClient, type ToolCallError } from "gantry-mcp/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";
import { modern, modernHeaders, send } from "../../support/wire.ts";

const about = { description: "About it." };

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"], now: 0 }));
afterEach(() => void vi.useRealTimers());

/** Lets time pass for the breaker alone. */
const pass = (milliseconds: number) => vi.advanceTimersByTime(milliseconds);

function upstream(options: CircuitBreakerOptions, inner: readonly Middleware[] = []) {
  const log = capturedLog();
  const state: { behave: () => unknown; ran: number } = { behave: () => "up", ran: 0 };
  const breaker = circuitBreaker(options);
  const run = () => {
    state.ran++;
    return state.behave();
  };
  const router = new MCPRouter({ middleware: [breaker, ...inner] })
    .tool("search", { ...about, timeout: 100 }, run)
    .tool("export", about, run)
    .resource("data://{id}", { ...about, name: "data" }, run);
  const server = new MCPServer({ name: "upstream", version: "1.0.0", logger: log.logger }).include(router);
  const fail = (error: unknown) => {
    state.behave = () => {
      throw error;
    };
  };
  return { server, breaker, state, log, fail };
}

/** The codes of what becomes of so many calls, one after the other. */
async function codes(client: TestClient, name: string, times: number): Promise<readonly string[]> {
  const all: string[] = [];
  for (let time = 0; time < times; time++)
    all.push(
      await client.call(name).then(
        () => "ok",
        (error: unknown) => (error as ToolCallError).code,
      ),
    );
  return all;
}

const open = async (client: TestClient, name = "search") => codes(client, name, 5);

describe.each(["2026-07-28", "2025-11-25"] as const)("circuitBreaker, revision %s", (era) => {
  test("opens after so many failures in a row, tries one call after the recovery time, and closes", async () => {
    const { server, breaker, state, log, fail } = upstream({ failures: 3, recovery: "60s" });
    const client = await TestClient.connect(server, { era });
    fail(new Error("ECONNREFUSED 10.0.0.7"));
    expect(await codes(client, "search", 5)).toEqual([
      "INTERNAL_ERROR",
      "INTERNAL_ERROR",
      "INTERNAL_ERROR",
      "CIRCUIT_OPEN",
      "CIRCUIT_OPEN",
    ]);
    expect(state.ran).toBe(3);
    expect(breaker.state({ tool: "search" })).toBe("open");
    pass(18_000);
    const refusal = await client.call("search").catch((error: unknown) => error as ToolCallError);
    expect((refusal as ToolCallError).body).toEqual({
      code: "CIRCUIT_OPEN",
      message: "Circuit open for tool 'search'. Retry after 42.0s.",
      retryable: true,
      suggestion:
        "'search' is paused after repeated failures. Wait about 42s before calling it again, or continue without it.",
      details: { tool: "search", retry_after_seconds: 42 },
      requestId: expect.any(String),
    });
    pass(42_000);
    expect(breaker.state({ tool: "search" })).toBe("half-open");
    state.behave = () => "up";
    expect(await codes(client, "search", 3)).toEqual(["ok", "ok", "ok"]);
    expect(breaker.state({ tool: "search" })).toBe("closed");
    const changes = log.entries().filter(({ message }) => String(message).startsWith("Circuit"));
    expect(changes).toMatchObject([
      { level: "warn", message: "Circuit opened", operation: "tool", name: "search", recoveryMs: 60_000 },
      { level: "info", message: "Circuit closed", operation: "tool", name: "search" },
    ]);
  });

  test("a trial that fails opens it again, for as long", async () => {
    const { server, fail } = upstream({ failures: 1, recovery: 1_000 });
    const client = await TestClient.connect(server, { era });
    fail(new Error("down"));
    expect(await codes(client, "search", 2)).toEqual(["INTERNAL_ERROR", "CIRCUIT_OPEN"]);
    pass(1_000);
    expect(await codes(client, "search", 3)).toEqual(["INTERNAL_ERROR", "CIRCUIT_OPEN", "CIRCUIT_OPEN"]);
    pass(999);
    expect(await codes(client, "search", 1)).toEqual(["CIRCUIT_OPEN"]);
  });

  test("two tools under one breaker fail together, and of many calls to both one is tried", async () => {
    const { server, breaker, state, fail } = upstream({ failures: 4, recovery: 1_000, perTool: false });
    const client = await TestClient.connect(server, { era });
    fail(new Error("down"));
    await codes(client, "search", 2);
    await codes(client, "export", 2);
    expect([...(await codes(client, "search", 1)), ...(await codes(client, "export", 1))]).toEqual([
      "CIRCUIT_OPEN",
      "CIRCUIT_OPEN",
    ]);
    pass(1_000);
    state.ran = 0;
    let answer = (_value: string) => {};
    state.behave = () => new Promise((resolve) => (answer = resolve));
    const outcomes: string[] = [];
    const calls = Array.from({ length: 50 }, (_, index) =>
      client.call(index % 2 === 0 ? "search" : "export").then(
        () => outcomes.push("ok"),
        (error: unknown) => outcomes.push((error as ToolCallError).code),
      ),
    );
    await vi.waitFor(() => expect(outcomes).toHaveLength(49));
    expect(breaker.state()).toBe("half-open");
    answer("up");
    await Promise.all(calls);
    expect(state.ran).toBe(1);
    expect(outcomes.filter((outcome) => outcome === "ok")).toHaveLength(1);
    expect(breaker.state()).toBe("closed");
  });
});

test("by default each component has a circuit of its own", async () => {
  const { server, breaker, fail } = upstream({});
  const client = await TestClient.connect(server);
  fail(new Error("down"));
  await open(client);
  expect(await codes(client, "search", 1)).toEqual(["CIRCUIT_OPEN"]);
  expect(await codes(client, "export", 1)).toEqual(["INTERNAL_ERROR"]);
  for (let read = 0; read < 5; read++) await client.readResource(`data://${read}`).catch(() => {});
  await expect(client.readResource("data://another")).rejects.toMatchObject({
    data: { code: "CIRCUIT_OPEN", details: { resource: "data://{id}" } },
  });
  expect(breaker.state({ resource: "data://{id}" })).toBe("open");
  expect(breaker.state({ tool: "export" })).toBe("closed");
  await breaker.reset({ tool: "search" });
  expect(await codes(client, "search", 1)).toEqual(["INTERNAL_ERROR"]);
  await breaker.reset();
  expect(breaker.state({ resource: "data://{id}" })).toBe("closed");
});

describe("what counts as a failure", () => {
  test.each<readonly [string, unknown, boolean]>([
    ["an unexpected error", new Error("down"), true],
    ["something thrown that is no error", "down", true],
    ["an error that may pass", new MCPError("Busy", { code: "UPSTREAM_BUSY", retryable: true }), true],
    ["a refusal for the caller", new ToolError("No such task."), false],
    ["wrong arguments", new ValidationError({ id: "unknown" }), false],
    ["a limit", new MCPError("Slow down", { code: "RATE_LIMIT_EXCEEDED" }), false],
    ["no place", new MCPError("Full", { code: "CONCURRENCY_LIMIT_EXCEEDED" }), false],
    ["a cancellation", new MCPError("Gone", { code: "CANCELLED" }), false],
  ])("%s", async (_what, error, counts) => {
    const { server, breaker, fail } = upstream({});
    const client = await TestClient.connect(server);
    fail(error);
    await open(client);
    expect(breaker.state({ tool: "search" })).toBe(counts ? "open" : "closed");
  });

  test("time that runs out", async () => {
    vi.useRealTimers();
    const { server, breaker, state } = upstream({ failures: 2 });
    state.behave = () => new Promise(() => {});
    expect(await codes(await TestClient.connect(server), "search", 3)).toEqual([
      "TIMEOUT",
      "TIMEOUT",
      "CIRCUIT_OPEN",
    ]);
    expect(breaker.state({ tool: "search" })).toBe("open");
  });

  test("a layer further in that never settles", async () => {
    vi.useRealTimers();
    const stuck: Middleware = () => new Promise(() => {});
    const { server, breaker } = upstream({ failures: 1, recovery: 2_000 }, [stuck]);
    const client = await TestClient.connect(server);
    expect(await codes(client, "search", 2)).toEqual(["TIMEOUT", "CIRCUIT_OPEN"]);
    await vi.waitFor(() => expect(breaker.state({ tool: "search" })).toBe("half-open"), 10_000);
    // The trial does not end either, and is no trial for ever.
    expect(await codes(client, "search", 2)).toEqual(["TIMEOUT", "CIRCUIT_OPEN"]);
    expect(breaker.state({ tool: "search" })).toBe("open");
  });

  test("a call that its client left does not, though its handler throws", async () => {
    const { server, breaker, state } = upstream({ failures: 1 });
    const client = await TestClient.connect(server);
    const leaving = new AbortController();
    let started = false;
    state.behave = async () => {
      started = true;
      await vi.waitFor(() => expect(leaving.signal.aborted).toBe(true));
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error("aborted");
    };
    const left = client.call("search", {}, { signal: leaving.signal }).catch(() => "left");
    await vi.waitFor(() => expect(started).toBe(true));
    leaving.abort();
    expect(await left).toBe("left");
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(breaker.state({ tool: "search" })).toBe("closed");
  });

  test("only failures in a row: a success begins anew, a refusal changes nothing", async () => {
    const { server, breaker, state, fail } = upstream({ failures: 3 });
    const client = await TestClient.connect(server);
    fail(new Error("down"));
    await codes(client, "search", 2);
    state.behave = () => "up";
    await codes(client, "search", 1);
    fail(new Error("down"));
    await codes(client, "search", 2);
    fail(new ToolError("No."));
    await codes(client, "search", 1);
    expect(breaker.state({ tool: "search" })).toBe("closed");
    fail(new Error("down"));
    await codes(client, "search", 1);
    expect(breaker.state({ tool: "search" })).toBe("open");
  });

  test("what its author says", async () => {
    const isFailure = (error: unknown) => error instanceof ToolError;
    const { server, breaker, fail } = upstream({ failures: 1, isFailure });
    const client = await TestClient.connect(server);
    fail(new Error("down"));
    await open(client);
    expect(breaker.state({ tool: "search" })).toBe("closed");
    fail(new ToolError("Upstream says no."));
    await codes(client, "search", 1);
    expect(breaker.state({ tool: "search" })).toBe("open");
  });
});

test("a trial that says nothing of the upstream is followed by another", async () => {
  const { server, breaker, state, fail } = upstream({ failures: 1, recovery: 1_000 });
  const client = await TestClient.connect(server);
  fail(new Error("down"));
  await codes(client, "search", 1);
  pass(1_000);
  fail(new ToolError("No such task."));
  expect(await codes(client, "search", 2)).toEqual(["TOOL_ERROR", "TOOL_ERROR"]);
  expect(breaker.state({ tool: "search" })).toBe("half-open");
  state.behave = () => "up";
  expect(await codes(client, "search", 1)).toEqual(["ok"]);
  expect(breaker.state({ tool: "search" })).toBe("closed");
});

test("calls that began before it opened neither close nor keep it open", async () => {
  const { server, breaker, state, fail } = upstream({ failures: 1, recovery: 1_000 });
  const client = await TestClient.connect(server);
  let answer = (_value: string) => {};
  state.behave = () => new Promise((resolve) => (answer = resolve));
  const slow = client.call("export");
  const slower = client.call("export");
  await vi.waitFor(() => expect(state.ran).toBe(2));
  fail(new Error("down"));
  await codes(client, "export", 1);
  answer("up, of old");
  expect(await slower).toBe("up, of old");
  expect(breaker.state({ tool: "export" })).toBe("open");
  slow.catch(() => {});
});

test("limits inside a breaker do not open it", async () => {
  const { server, breaker, state } = upstream({ failures: 1 }, [concurrency({ max: 1 })]);
  const client = await TestClient.connect(server);
  let answer = (_value: string) => {};
  state.behave = () => new Promise((resolve) => (answer = resolve));
  const first = client.call("export");
  await vi.waitFor(() => expect(state.ran).toBe(1));
  expect(await codes(client, "export", 2)).toEqual([
    "CONCURRENCY_LIMIT_EXCEEDED",
    "CONCURRENCY_LIMIT_EXCEEDED",
  ]);
  expect(breaker.state({ tool: "export" })).toBe("closed");
  answer("up");
  expect(await first).toBe("up");
});

test("names of tools that are not there have no circuit", async () => {
  const breaker = circuitBreaker({ failures: 1, isFailure: () => true });
  const server = new MCPServer({ name: "upstream", version: "1.0.0" })
    .use(breaker)
    .tool("act", about, () => "done");
  const client = await TestClient.connect(server);
  for (let call = 0; call < 3; call++)
    await expect(client.callTool("nothing")).rejects.toMatchObject({ code: -32602 });
});

test("over HTTP a refusal says when to try again", async () => {
  const { server, fail } = upstream({ failures: 1, recovery: "30s" });
  fail(new Error("down"));
  const { url, close } = await listen(server);
  const call = () =>
    send(url, {
      headers: modernHeaders("tools/call", "search"),
      body: JSON.stringify(modern("tools/call", { name: "search", arguments: {} })),
    });
  await call();
  const refused = await call();
  expect([refused.status, refused.headers["retry-after"]]).toEqual([200, "30"]);
  await close();
});

test.each<readonly [unknown, string]>([
  [{ failures: 0 }, "circuitBreaker(): failures is 0: write a whole number from 1."],
  [{ recovery: "soon" }, 'circuitBreaker(): recovery is "soon": write milliseconds or a string'],
  [{ isFailure: true }, "circuitBreaker(): isFailure is true: write a function"],
  [{ threshold: 5 }, 'circuitBreaker(): unknown option "threshold".'],
])("%j is refused, with what to write", (options, message) => {
  expect(() => circuitBreaker(options as CircuitBreakerOptions)).toThrow(ConfigurationError);
  expect(() => circuitBreaker(options as CircuitBreakerOptions)).toThrow(message);
});

test("which circuit is meant has to be said where there are several", () => {
  expect(() => circuitBreaker().state()).toThrow("Each component has a circuit of its own: name one");
});
