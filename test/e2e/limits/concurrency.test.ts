/** How many calls may be under way at once: who waits, who is refused, and that places come back. */

import {
  type ConcurrencyLayerOptions,
  ConfigurationError,
  MCPServer,
  type Middleware,
  ToolError,
  authenticate,
  concurrency,
} from "gantry-mcp";
import { TestClient, type ToolCallError } from "gantry-mcp/testing";
import { describe, expect, test, vi } from "vitest";
import { listen } from "../../support/listening.ts";
import { modern, modernHeaders, send } from "../../support/wire.ts";

const about = { description: "About it." };

const callers = () =>
  authenticate(
    { authenticate: ({ token }) => (token === undefined ? undefined : { clientId: token }) },
    { optional: true },
  );

/** A server whose tools end when they are told to. */
function gated(
  layers: readonly Middleware[],
  declared: { concurrency?: number | ConcurrencyLayerOptions } = {},
) {
  const gates: (() => void)[] = [];
  const counts = { running: 0, peak: 0, ran: 0 };
  const work = async () => {
    counts.ran++;
    counts.peak = Math.max(counts.peak, ++counts.running);
    await new Promise<void>((resolve) => void gates.push(resolve));
    counts.running--;
    return "done";
  };
  const server = new MCPServer({ name: "gated", version: "1.0.0" });
  for (const layer of layers) server.use(layer);
  server
    .tool("work", { ...about, ...declared }, work)
    .tool("other", about, work)
    .tool("fail", { ...about, ...declared }, () => {
      throw new ToolError("No.");
    })
    .tool("hang", { ...about, ...declared, timeout: 60 }, () => new Promise(() => {}));
  const release = async (count = 1) => {
    await expect.poll(() => gates.length).toBeGreaterThanOrEqual(count);
    for (const gate of gates.splice(0, count)) gate();
  };
  return { server, counts, release };
}

const as = (server: MCPServer, token?: string, era: "2026-07-28" | "2025-11-25" = "2026-07-28") =>
  TestClient.connect(server, { era, ...(token && { headers: { authorization: `Bearer ${token}` } }) });

const refusal = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable("It passed."),
    (error: unknown) => error as ToolCallError,
  );

describe.each(["2026-07-28", "2025-11-25"] as const)("concurrency, revision %s", (era) => {
  test("a tool's own limit refuses what is too much, at once", async () => {
    const { server, counts, release } = gated([], { concurrency: 2 });
    const client = await as(server, undefined, era);
    const calls = [client.call("work"), client.call("work")];
    await expect.poll(() => counts.running).toBe(2);
    expect((await refusal(client.call("work"))).body).toEqual({
      code: "CONCURRENCY_LIMIT_EXCEEDED",
      message: "Tool 'work' at capacity (2 concurrent calls)",
      retryable: true,
      suggestion: "The server is busy. Retry in a moment.",
      details: { retry_after_seconds: 1 },
      requestId: expect.any(String),
    });
    const other = client.call("other");
    await release(3);
    expect(await Promise.all([...calls, other])).toEqual(["done", "done", "done"]);
    const again = client.call("work");
    await release();
    expect(await again).toBe("done");
  });

  test("the server's limit is for all", async () => {
    const { server, counts, release } = gated([concurrency({ max: 2 })]);
    const client = await as(server, undefined, era);
    const calls = [client.call("work"), client.call("other")];
    await expect.poll(() => counts.running).toBe(2);
    expect((await refusal(client.call("work"))).message).toBe("Server at capacity (2 concurrent requests)");
    await release(2);
    await Promise.all(calls);
  });

  test("a caller's limit is its own", async () => {
    const { server, counts, release } = gated([callers(), concurrency({ max: 1, by: "client" })]);
    const [ana, ben] = [await as(server, "ana", era), await as(server, "ben", era)];
    const calls = [ana.call("work"), ben.call("work")];
    await expect.poll(() => counts.running).toBe(2);
    const { message, body } = await refusal(ana.call("other"));
    expect(message).toBe("Server at capacity (1 concurrent requests of one caller)");
    expect(body.suggestion).toBe("Wait for one of your calls to end, then retry.");
    await release(2);
    await Promise.all(calls);
  });

  test("in a queue calls wait their turn, in order, and no longer than they may", async () => {
    const { server, counts, release } = gated([], {
      concurrency: { max: 1, queue: { wait: 1_000, max: 2 } },
    });
    const client = await as(server, undefined, era);
    const ended: string[] = [];
    const named = (name: string) => client.call("work").then(() => ended.push(name));
    const first = named("first");
    await expect.poll(() => counts.running).toBe(1);
    const second = named("second");
    await new Promise((resolve) => setTimeout(resolve, 20));
    const third = refusal(client.call("work"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    // The queue holds two.
    await expect(client.call("work")).rejects.toMatchObject({ code: "CONCURRENCY_LIMIT_EXCEEDED" });
    await release();
    await first;
    expect(await third).toMatchObject({ code: "CONCURRENCY_LIMIT_EXCEEDED" });
    await release();
    await second;
    expect(ended).toEqual(["first", "second"]);
    expect(counts).toMatchObject({ peak: 1, ran: 2 });
  });
});

test("places come back from calls that fail, run out of time, or are left", async () => {
  const { server, counts, release } = gated([concurrency({ max: 1 })]);
  const client = await as(server);
  await refusal(client.call("fail"));
  expect((await refusal(client.call("hang"))).code).toBe("TIMEOUT");
  const aborting = new AbortController();
  const left = client.call("work", {}, { signal: aborting.signal }).catch(() => "left");
  await expect.poll(() => counts.running).toBe(1);
  aborting.abort();
  expect(await left).toBe("left");
  // The handler did not heed its signal: its place is its own until it ends.
  expect((await refusal(client.call("work"))).code).toBe("CONCURRENCY_LIMIT_EXCEEDED");
  await release();
  await vi.waitFor(async () => {
    const call = client.call("work");
    await release();
    expect(await call).toBe("done");
  });
});

test("who gives up waiting leaves the queue, and takes no place later", async () => {
  const { server, counts, release } = gated([], { concurrency: { max: 1, queue: { wait: "10s" } } });
  const client = await as(server);
  const first = client.call("work");
  await expect.poll(() => counts.running).toBe(1);
  const aborting = new AbortController();
  const waiting = client.call("work", {}, { signal: aborting.signal }).catch(() => "left");
  await new Promise((resolve) => setTimeout(resolve, 20));
  aborting.abort();
  await waiting;
  const third = client.call("work");
  await release();
  await first;
  await release();
  expect(await third).toBe("done");
  expect(counts.ran).toBe(2);
});

test("a layer further in that never settles keeps no place", async () => {
  const server = new MCPServer({ name: "stuck", version: "1.0.0", timeout: 80 })
    .use(concurrency({ max: 1 }))
    .use(({ operation }, next) => (operation.name === "stuck" ? new Promise(() => {}) : next()))
    .tool("stuck", about, () => "never")
    .tool("work", about, () => "done");
  const client = await as(server);
  expect((await refusal(client.call("stuck"))).code).toBe("TIMEOUT");
  expect(await client.call("work")).toBe("done");
});

test("over HTTP a resource that finds no place is 503, and says when to try again; a tool call is a result", async () => {
  let release = () => {};
  const server = new MCPServer({ name: "busy", version: "1.0.0" })
    .use(concurrency({ max: 1 }))
    .tool("work", about, () => new Promise((resolve) => (release = () => resolve("done"))))
    .resource("config://app", { ...about, name: "config" }, () => "on");
  const { url, close } = await listen(server);
  const post = (method: string, params: { name?: string; uri?: string }) =>
    send(url, {
      headers: modernHeaders(method, params.name ?? params.uri),
      body: JSON.stringify(modern(method, params)),
    });
  const first = post("tools/call", { name: "work" });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const read = await post("resources/read", { uri: "config://app" });
  expect([read.status, read.headers["retry-after"], read.json?.error?.data?.["code"]]).toEqual([
    503,
    "1",
    "CONCURRENCY_LIMIT_EXCEEDED",
  ]);
  const called = await post("tools/call", { name: "work" });
  expect([called.status, called.headers["retry-after"]]).toEqual([200, "1"]);
  expect(called.json?.result).toMatchObject({ isError: true });
  release();
  expect((await first).status).toBe(200);
  await close();
});

test.each<readonly [unknown, string]>([
  [{}, "concurrency(): max is undefined: write a whole number from 1."],
  [{ max: 0 }, "concurrency(): max is 0: write a whole number from 1."],
  [{ max: 1, queue: {} }, 'concurrency(): queue is an object: write { wait: "5s" }.'],
  [
    { max: 1, queue: { wait: "soon" } },
    'concurrency(): queue.wait is "soon": write milliseconds or a string',
  ],
  [{ max: 1, queue: { wait: 1, size: 2 } }, 'concurrency(): queue: unknown option "size".'],
  [{ max: 1, limit: 2 }, 'concurrency(): unknown option "limit".'],
  [5, "concurrency() got 5: write concurrency({ max: 100 })."],
])("%j is refused, with what to write", (options, message) => {
  expect(() => concurrency(options as ConcurrencyLayerOptions)).toThrow(ConfigurationError);
  expect(() => concurrency(options as ConcurrencyLayerOptions)).toThrow(message);
});
