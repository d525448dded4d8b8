/** Keys of a server with something else in them: the log names them, results are made again, and no effect happens twice. */

import { type Backend, MCPServer } from "gantry-mcp";
import { redis } from "gantry-mcp/redis";
import { TestClient, type ToolCallError } from "gantry-mcp/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type CapturedLog, capturedLog } from "../support/captured-log.ts";
import { RedisServer } from "../support/redis.ts";

const about = { description: "About it." };

let store: RedisServer;
let server: MCPServer;
let backend: Backend;
let log: CapturedLog;
let runs: number;

beforeAll(async () => {
  store = await RedisServer.start();
});
beforeEach(() => {
  runs = 0;
  log = capturedLog();
  backend = redis(store.url);
  const run = () => `run ${++runs}`;
  server = new MCPServer({ name: "foreign", version: "1.0.0", backend, logger: log.logger })
    .tool("once", { ...about, idempotent: true }, run)
    .tool("kept", { ...about, tags: ["tasks"], cache: { ttl: "1h" } }, run)
    .tool("change", { ...about, invalidates: ["tasks"] }, () => "changed")
    .tool("bucket", { ...about, rateLimit: "50/h" }, run)
    .tool("window", { ...about, rateLimit: { perHour: 50, algorithm: "sliding-window" } }, run);
});
afterEach(async () => {
  await server.close();
  await store.client.flushall();
});
afterAll(() => store?.stop());

const call = async (tool: string) => {
  const client = await TestClient.connect(server);
  return client.call(tool).catch((error: ToolCallError) => `${error.code} ${error.body.retryable}`);
};
const keyOf = async (kind: string) => {
  const [key] = await store.client.keys(`{gantry:foreign}:${kind}:*`);
  return key as string;
};
const complaints = () =>
  log
    .entries()
    .filter(({ message }) =>
      String(message).startsWith("Redis holds under a key of this server what it cannot"),
    );

const REFUSED = "BACKEND_UNAVAILABLE false";

test.each([
  ["once", "once", "junk"],
  ["once", "once", "another type"],
  ["bucket", "limit:token-bucket", "junk"],
  ["bucket", "limit:token-bucket", "another type"],
  ["window", "limit:sliding-window", "junk"],
  ["window", "limit:sliding-window", "another type"],
])("%s: %s that is %s is refused and told until it is deleted", async (tool, kind, what) => {
  await call(tool);
  const key = await keyOf(kind);
  await store.client.del(key);
  if (what === "junk") await store.client.set(key, "junk");
  else await store.client.sadd(key, "a");
  for (let again = 0; again < 3; again++) expect(await call(tool)).toBe(REFUSED);
  expect(complaints()).toEqual([expect.objectContaining({ level: "error", keys: [key] })]);
  expect(runs).toBe(1);
  expect(() => backend.probe()).not.toThrow();
  await store.client.del(key);
  expect(await call(tool)).toBe("run 2");
});

test("results are made again whatever stands in their place, and changes go on being told", async () => {
  await call("kept");
  await store.client
    .multi()
    .del(await keyOf("cache"))
    .set(await keyOf("cache"), "junk")
    .exec();
  expect([await call("kept"), await call("kept")]).toEqual(["run 2", "run 2"]);
  await store.client.multi().del("{gantry:foreign}:tags:").set("{gantry:foreign}:tags:", "junk").exec();
  expect([await call("kept"), await call("kept")]).toEqual(["run 3", "run 3"]);
  await store.client.set("{gantry:foreign}:tags:", "junk");
  await call("change");
  expect([await call("kept"), await call("kept")]).toEqual(["run 4", "run 4"]);
  await store.client.hset("{gantry:foreign}:tags:", "tasks", "junk");
  await call("kept");
  await call("change");
  expect([await call("kept"), await call("kept")]).toEqual(["run 6", "run 6"]);
  expect(complaints()).toEqual([]);
});
