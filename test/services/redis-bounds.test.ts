/** What callers send to a server on Redis: none of it stands there to be read, and none of it fills Redis. */

import { MCPServer } from "gantry-mcp";
import { redis } from "gantry-mcp/redis";
import { TestClient, type ToolCallError } from "gantry-mcp/testing";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { type CapturedLog, capturedLog } from "../support/captured-log.ts";
import { RedisServer } from "../support/redis.ts";

const SECRET = "hunter2-in-arguments";
const about = { description: "About it.", input: z.object({ text: z.string() }) };

let store: RedisServer;
let server: MCPServer;
let log: CapturedLog;
let runs: string[];

beforeAll(async () => {
  store = await RedisServer.start();
});
beforeEach(async () => {
  runs = [];
  log = capturedLog();
  const run = (name: string, { text }: { text: string }) => {
    runs.push(name);
    return `${name} ${text.length}`;
  };
  server = new MCPServer({
    name: "bounds",
    version: "1.0.0",
    backend: redis(store.url),
    logger: log.logger,
  })
    .tool("once", { ...about, idempotent: true }, (args) => run("once", args))
    .tool("large", { ...about, idempotent: true }, ({ text }) => {
      runs.push("large");
      return "x".repeat(Number(text));
    })
    .tool("report", { ...about, cache: { ttl: "1h" } }, ({ text }) => {
      runs.push("report");
      return "x".repeat(Number(text));
    })
    .tool("kept", { ...about, cache: { ttl: "1h" } }, (args) => run("kept", args))
    .tool(
      "limited",
      { ...about, rateLimit: { perMinute: 50, by: () => SECRET.repeat(1_000) }, concurrency: 5 },
      (args) => run("limited", args),
    );
});
afterEach(async () => {
  await server.close();
  await store.client.flushall();
});
afterAll(() => store?.stop());

const connect = (headers: Record<string, string> = {}) => TestClient.connect(server, { headers });
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "done",
    ({ code }: ToolCallError) => code,
  );

test("names in Redis are short, and nothing that callers send is told to Redis but what they are answered", async () => {
  const told: string[] = [];
  const monitor: Redis = await store.client.monitor();
  monitor.on("monitor", (_time: string, args: readonly string[]) => told.push(...args.map(String)));
  const text = SECRET + "x".repeat(900_000);
  for (const headers of [{}, { "idempotency-key": `${SECRET}-key` }]) {
    const client = await connect(headers);
    for (const tool of ["once", "kept", "limited"])
      expect(await client.call(tool, { text })).toBe(`${tool} 900020`);
  }
  const keys = await store.client.keys("*");
  expect(keys.filter((key) => key.startsWith("{gantry:bounds}:once:"))).toHaveLength(2);
  expect(Math.max(...keys.map((key) => key.length))).toBeLessThan(150);
  await expect.poll(() => told.filter((each) => each.includes(":once:")).length).toBeGreaterThan(3);
  monitor.disconnect();
  expect(told.filter((each) => each.includes(SECRET))).toEqual([]);
});

test("calls with other arguments are other calls, and a name stands for one call, however long they are", async () => {
  const [unnamed, named] = [await connect(), await connect({ "idempotency-key": "order-7" })];
  const [one, other] = [{ text: `${"x".repeat(100_000)}a` }, { text: `${"x".repeat(100_000)}b` }];
  for (const args of [one, other, one]) for (const tool of ["once", "kept"]) await unnamed.call(tool, args);
  expect(runs).toEqual(["once", "kept", "once", "kept"]);
  expect(await codeOf(named.call("once", one))).toBe("done");
  expect(await codeOf(named.call("once", other))).toBe("IDEMPOTENCY_KEY_REUSED");
  expect(await codeOf(named.call("once", one))).toBe("done");
  expect(runs).toHaveLength(5);
});

test("a result that is too large to be kept is told once, and the call is refused rather than run again", async () => {
  const client = await connect();
  expect(await client.call("large", { text: "2000000" })).toHaveLength(2_000_000);
  const again = async () => codeOf(client.call("large", { text: "2000000" }));
  expect([await again(), await again()]).toEqual(["RESULT_NOT_KEPT", "RESULT_NOT_KEPT"]);
  expect(await client.call("large", { text: "1000000" })).toHaveLength(1_000_000);
  expect(await client.call("large", { text: "1000000" })).toHaveLength(1_000_000);
  expect(runs).toEqual(["large", "large"]);
  expect(log.entries()).toContainEqual({
    level: "warn",
    message:
      "A result of an idempotent tool is too large to be kept: the same call is refused, and not run again",
    name: "large",
    characters: expect.any(Number) as number,
  });
});

test("a result that is too large for the cache is not sent to Redis, and is made for each call", async () => {
  const client = await connect();
  for (let call = 0; call < 3; call++)
    expect(await client.call("report", { text: "20000000" })).toHaveLength(20_000_000);
  // Who comes right behind may be given the same.
  expect(runs.length).toBeGreaterThan(1);
  expect(log.entries()).toEqual([
    {
      level: "warn",
      message: "A result is too large to be kept: it is made for each call",
      operation: "tool",
      name: "report",
      characters: expect.any(Number) as number,
    },
  ]);
  const sizes = (await store.client.keys("*")).map((key) => store.client.memory("USAGE", key));
  expect(Math.max(...(await Promise.all(sizes)).map(Number))).toBeLessThan(1_000);
});

test("nobody waits for another's making of what is too large; a message of that size is sent and not kept", async () => {
  const backend = redis({ url: store.url, maxEntryBytes: 2_000 });
  await backend.open({ name: "small", logger: log.logger });
  const { cache, eventStore } = backend;
  const { stamp } = await cache.read("a", []);
  expect(await cache.write("a", "ü".repeat(1_001), stamp, 60_000)).toBe(false);
  for (let reader = 0; reader < 2; reader++) {
    expect(await cache.read("a", [])).toEqual({ stamp });
    expect(await cache.claim?.("a", stamp)).not.toHaveProperty("ended");
  }
  expect(await cache.write("a", "ü".repeat(1_000), stamp, 60_000)).toBe(true);
  expect(await cache.read("a", [])).toMatchObject({ entry: { value: "ü".repeat(1_000) } });
  const [small, large] = [
    await eventStore.append("s/a", { text: "x" }),
    await eventStore.append("s/a", { text: "x".repeat(2_000) }),
  ];
  expect([await eventStore.after(small), await eventStore.after(large)]).toEqual([
    { streamId: "s/a", events: [] },
    undefined,
  ]);
  await backend.close();
});

test("where Redis is three quarters full no results are kept, and calls are counted and claimed as before", async () => {
  const client = await connect();
  const said = (part: string) => log.entries().filter(({ message }) => String(message).includes(part)).length;
  const used = Number(/^used_memory:(\d+)/m.exec(await store.client.info("memory"))?.[1]);
  try {
    await client.call("limited", { text: "a" });
    await store.client.config("SET", "maxmemory", Math.ceil(used * 1.25));
    await expect.poll(() => said("three quarters full"), { timeout: 5_000 }).toBe(1);
    for (let call = 0; call < 2; call++) {
      expect(await client.call("kept", { text: "a" })).toBe("kept 1");
      expect(await client.call("once", { text: "a" })).toBe("once 1");
      expect(await client.call("limited", { text: "a" })).toBe("limited 1");
    }
    expect(await client.call("large", { text: "2000" })).toHaveLength(2_000);
    expect(await codeOf(client.call("large", { text: "2000" }))).toBe("RESULT_NOT_KEPT");
    expect(runs).toEqual(["limited", "kept", "once", "limited", "kept", "limited", "large"]);
  } finally {
    await store.client.config("SET", "maxmemory", 0);
  }
  const isKept = async () => {
    const before = runs.length;
    for (let call = 0; call < 2; call++) await client.call("kept", { text: "b" });
    return runs.length - before < 2;
  };
  await expect.poll(isKept, { timeout: 5_000 }).toBe(true);
  expect(said("three quarters full")).toBe(1);
});
