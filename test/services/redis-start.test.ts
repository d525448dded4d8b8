/** Starting with Redis: what is refused, with what to write; what is only told; and Redis that is not there yet. */

import { type Backend, ConfigurationError, MCPServer } from "gantry-mcp";
import { type RedisBackendOptions, redis } from "gantry-mcp/redis";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import { capturedLog } from "../support/captured-log.ts";
import { wire } from "../support/proxies.ts";
import { RedisServer } from "../support/redis.ts";
import { isReady, openBackend } from "../support/redis-backend.ts";

let server: RedisServer;
let locked: RedisServer | undefined;

beforeAll(async () => {
  server = await RedisServer.start();
});
afterEach(async () => {
  await server.client.config("SET", "maxmemory-policy", "noeviction");
});
afterAll(() => Promise.all([server?.stop(), locked?.stop()]));

test.each<readonly [unknown, string]>([
  [42, 'redis() got 42: write redis("rediss://redis.example.com:6379").'],
  ["http://localhost", "redis(): the URL does not lead to Redis"],
  ["redis://user:secret@localhost:port", "redis(): the URL cannot be read"],
  ["redis://localhost:6379/abc", 'redis(): the URL ends with "/abc": write the number of a database'],
  [{ connection: { db: -1 } }, "redis(): db is -1: write the number of a database, from 0."],
  [
    "redis://user:secret@redis.example.com:6379",
    "redis(): the connection to redis.example.com is not encrypted",
  ],
  [{ connection: { host: "10.0.0.7" } }, "redis(): the connection to 10.0.0.7 is not encrypted"],
  [
    { connection: { sentinels: [{ host: "127.0.0.1" }, { host: "sentinel-2" }], name: "main" } },
    "redis(): the connection to sentinel-2 is not encrypted",
  ],
  [{ url: "redis://10.0.0.7", allowPlaintext: " " }, 'redis(): allowPlaintext is " ": write the reason'],
  [{ url: "redis://localhost", client: {} }, "Leave out url and connection"],
  [{ client: {} }, "redis(): client is an object: write one of ioredis"],
  [{ prefix: "a b" }, 'redis(): prefix is "a b"'],
  [{ prefix: "a}b" }, 'redis(): prefix is "a}b"'],
  [{ maxEntryBytes: 100 }, "redis(): maxEntryBytes is 100: write a whole number from 1024."],
  [{ timeout: "soon" }, 'redis(): timeout is "soon"'],
  [{ allowWhenUnavailable: ["cache"] }, 'redis(): allowWhenUnavailable holds "limits", "places", or both.'],
  [{ adress: "localhost" }, 'redis(): unknown option "adress".'],
])("%j is refused, with what to write", (options, message) => {
  expect(() => redis(options as string)).toThrow(ConfigurationError);
  expect(() => redis(options as string)).toThrow(message);
  expect(() => redis(options as string)).not.toThrow("secret");
});

test.each<string | RedisBackendOptions>([
  "redis://localhost:6379/1",
  "redis://[::1]:6379",
  "rediss://redis.example.com",
  { connection: { path: "/run/redis.sock" } },
  { connection: { host: "redis.example.com", tls: {} } },
  { url: "redis://redis.example.com", allowPlaintext: "The network is encrypted by WireGuard." },
])("%j is taken", (options) => {
  expect(redis(options)).toHaveProperty("limits");
});

test("Redis that would forget what it keeps is not started with, and the server says what to write", async () => {
  await server.client.config("SET", "maxmemory-policy", "allkeys-lru");
  const { logger } = capturedLog();
  const starting = new MCPServer({ name: "start", version: "1.0.0", backend: redis(server.url), logger });
  await expect(starting.run({ transport: "http", port: 0 })).rejects.toThrow(
    'the maxmemory-policy of Redis is "allkeys-lru": where it is full it would forget counts, claims and what was done once. Write "maxmemory-policy noeviction" into its configuration.',
  );
});

test("credentials that Redis does not know stop the start, and are not told", async () => {
  locked = await RedisServer.start(["--requirepass", "right"]);
  const { url: own } = locked;
  const url = (password: string) => own.replace("//", `//:${password}@`);
  const failed = await openBackend(url("wrong")).catch((error: unknown) => error as Error);
  expect(failed).toBeInstanceOf(ConfigurationError);
  expect((failed as Error).message).toContain("Redis does not let this user in (WRONGPASS");
  expect((failed as Error).message).not.toContain("wrong:");
  expect(isReady(await openBackend(url("right")))).toBe(true);
  const unnamed = await openBackend(own).catch((error: unknown) => error as Error);
  expect(unnamed).toBeInstanceOf(ConfigurationError);
  expect((unnamed as Error).message).toContain("Redis asks for a password (NOAUTH Authentication required.)");
});

test("a password that Redis repeats is not told", async () => {
  const deaf = await RedisServer.start(["--rename-command", "AUTH", ""]);
  onTestFinished(() => deaf.stop());
  const log = capturedLog();
  const said = await openBackend(deaf.url.replace("//", "//user:s3cret@"), log).catch(
    (error: unknown) => error,
  );
  const all = [String(said), ...log.entries().map((entry) => JSON.stringify(entry))].join();
  expect(all).toContain("unknown command 'auth'");
  expect(all).not.toContain("s3cret");
});

test("a database that Redis does not have stops the start, and nothing goes to another", async () => {
  const failed = await openBackend(`${server.url}/99`).catch((error: unknown) => error as Error);
  expect(failed).toBeInstanceOf(ConfigurationError);
  expect((failed as Error).message).toContain("Redis has no such database (ERR DB index is out of range)");
  expect(isReady(await openBackend(`${server.url}/15`))).toBe(true);
});

/** How often each of these was told. */
const told = (log: ReturnType<typeof capturedLog>) =>
  ["Redis cannot be used", "Redis can be used again"].map(
    (said) => log.entries().filter(({ message }) => message === said).length,
  );
const count = (backend: Backend) => {
  const limit = { algorithm: "token-bucket", quota: 5_000, window: 60_000, burst: 5_000 } as const;
  const charged = Promise.resolve(backend.limits.charge([{ key: "a", limit, cost: 1 }]));
  return charged.then(
    () => "counted",
    ({ code }: { code: string }) => code,
  );
};
/** Whether the backend said that it was ready while calls came for so many milliseconds. */
const everReady = async (backend: Backend, milliseconds: number) => {
  let ever = false;
  for (const until = performance.now() + milliseconds; performance.now() < until;) {
    await count(backend);
    ever ||= isReady(backend);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return ever;
};

test("Redis that has become a replica is gone until it can be written again, and both are told once", async () => {
  const log = capturedLog();
  const backend = await openBackend(server.url, log);
  await server.client.replicaof("127.0.0.1", 1);
  expect(await count(backend)).toBe("BACKEND_UNAVAILABLE");
  await expect.poll(() => isReady(backend), { timeout: 5_000 }).toBe(false);
  expect(await everReady(backend, 2_500)).toBe(false);
  expect(() => backend.probe()).toThrow("Redis cannot be used");
  await server.client.replicaof("NO", "ONE");
  await expect.poll(() => isReady(backend), { timeout: 5_000 }).toBe(true);
  expect(await count(backend)).toBe("counted");
  expect(told(log)).toEqual([1, 1]);
});

test("with Redis that is a replica the server starts, is not ready, and works once it is none", async () => {
  await server.client.replicaof("127.0.0.1", 1);
  for (let start = 0; start < 2; start++) {
    const log = capturedLog();
    const backend = await openBackend(server.url, log);
    expect(log.entries()).toEqual([
      expect.objectContaining({ level: "warn", message: expect.stringContaining("is not ready") as string }),
    ]);
    expect(await everReady(backend, 1_000)).toBe(false);
    await backend.close();
  }
  const backend = await openBackend(server.url);
  await server.client.replicaof("NO", "ONE");
  await expect.poll(() => isReady(backend), { timeout: 5_000 }).toBe(true);
});

test("Redis that is full is well again once it has room, not with each key that expires", async () => {
  const log = capturedLog();
  const backend = await openBackend(server.url, log);
  const used = async () => Number(/^used_memory:(\d+)/m.exec(await server.client.info("memory"))?.[1]);
  try {
    await server.client.config("SET", "maxmemory", 1);
    await expect.poll(() => isReady(backend), { timeout: 5_000 }).toBe(false);
    expect(() => backend.probe()).toThrow("it is full (OOM");
    await server.client.config("SET", "maxmemory", Math.ceil((await used()) * 1.008));
    expect(await everReady(backend, 1_500)).toBe(false);
  } finally {
    await server.client.config("SET", "maxmemory", 0);
  }
  await expect.poll(() => isReady(backend), { timeout: 5_000 }).toBe(true);
  expect(told(log)).toEqual([1, 1]);
});

test("Redis that is sound is ready as soon as the start is over, and nothing is told of", async () => {
  for (let start = 0; start < 5; start++) {
    const log = capturedLog();
    expect(isReady(await openBackend(server.url, log))).toBe(true);
    expect(log.entries()).toEqual([]);
  }
});

test("a user who may not see how Redis is set up is told of, and starts", async () => {
  const acl = ["SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", "-info", "-config"] as const;
  await server.client.call("ACL", ...acl);
  const log = capturedLog();
  const backend = await openBackend(server.url.replace("//", "//app:secret@"), log);
  await expect.poll(() => isReady(backend), { timeout: 10_000 }).toBe(true);
  const message = expect.stringContaining("make sure that its maxmemory-policy is noeviction") as unknown;
  expect(log.entries()).toContainEqual(expect.objectContaining({ level: "warn", message }));
});

test("a client of ioredis leads there too, and stays its owner's", async () => {
  const client = new Redis(server.url);
  const backend = await openBackend({ client, prefix: "mine" });
  await backend.idempotency.claim("a", "b", 60_000);
  expect(await server.client.keys("{mine:test}:once:*")).toHaveLength(1);
  await backend.close();
  expect(await client.ping()).toBe("PONG");
  client.disconnect();
});

test("Redis that is not there yet: the server starts, is not ready, refuses soon, and works once it is", async () => {
  const line = await wire(server.port);
  line.passes = false;
  const log = capturedLog();
  const backend = await openBackend({ url: `redis://127.0.0.1:${line.port}` }, log);
  expect(isReady(backend)).toBe(false);
  expect(log.entries()[0]).toMatchObject({ level: "warn", message: expect.stringContaining("is not ready") });
  const limit = { algorithm: "token-bucket", quota: 5, window: 60_000, burst: 5 } as const;
  const charge = () => backend.limits.charge([{ key: "a", limit, cost: 1 }]);
  await expect(charge()).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE", retryable: true });
  line.passes = true;
  await expect.poll(() => isReady(backend), { timeout: 10_000 }).toBe(true);
  expect(await charge()).toMatchObject({ allowed: true });
  expect(log.entries().at(-1)).toMatchObject({ level: "info", message: "Redis can be used again" });
  await backend.close();
  await line.close();
});

test("what is allowed while Redis is gone passes uncounted; a bus tells this process, a store of messages loses them", async () => {
  const line = await wire(server.port);
  const url = `redis://127.0.0.1:${line.port}`;
  const backend = await openBackend({ url, timeout: "200ms", allowWhenUnavailable: ["limits", "places"] });
  const heard: string[] = [];
  backend.eventBus.subscribe((event) => heard.push("uri" in event ? event.uri : event.kind));
  line.passes = false;
  await expect.poll(() => isReady(backend), { timeout: 5_000 }).toBe(false);
  const limit = { algorithm: "token-bucket", quota: 5, window: 60_000, burst: 5 } as const;
  expect(await backend.limits.charge([{ key: "a", limit, cost: 9 }])).toMatchObject({ allowed: true });
  const place = await backend.places.take("a", { max: 1, queue: 0, wait: 0 }, new AbortController());
  place?.leave();
  expect(place).not.toBe(undefined);
  await expect(backend.eventBus.publish({ kind: "resource_updated", uri: "data://1" })).rejects.toThrow(
    "cannot be reached",
  );
  expect(heard).toEqual(["data://1"]);
  const id = await backend.eventStore.append("s/a", { text: "lost" });
  expect(await backend.eventStore.after(id)).toBe(undefined);
  line.passes = true;
  await expect.poll(() => isReady(backend), { timeout: 10_000 }).toBe(true);
  // What has changed meanwhile nobody knows: lists are to be read again.
  expect(heard).toEqual(["data://1", "changes_missed"]);
  await backend.close();
  await line.close();
});

test("a call that ended while Redis was gone is told of once it is back", async () => {
  const line = await wire(server.port);
  const backend = await openBackend({ url: `redis://127.0.0.1:${line.port}`, timeout: "200ms" });
  await backend.idempotency.claim("ended", "mine", 60_000);
  line.passes = false;
  await expect(backend.idempotency.replace("ended", "mine", "result", 60_000)).rejects.toThrow(
    "cannot be reached",
  );
  await expect(backend.idempotency.claim("begun", "nobody's", 60_000)).rejects.toThrow("cannot be reached");
  line.passes = true;
  await expect.poll(() => isReady(backend), { timeout: 10_000 }).toBe(true);
  const ended = async () =>
    Promise.resolve(backend.idempotency.claim("ended", "x", 60_000)).catch(() => "not yet");
  await expect.poll(ended, { timeout: 10_000 }).toBe("result");
  expect(await backend.idempotency.claim("begun", "again", 60_000)).toBe(undefined);
  await backend.close();
  await line.close();
});

test("a backend serves one server", async () => {
  const backend = await openBackend(server.url);
  const again = async () => backend.open({ name: "other", logger: capturedLog().logger });
  await expect(again()).rejects.toThrow("A backend serves one server: write redis(…) for each.");
});

test("a process that was busy for long reads what has come meanwhile", async () => {
  const backend = await openBackend(server.url);
  const limit = { algorithm: "token-bucket", quota: 5, window: 60_000, burst: 5 } as const;
  const charged = backend.limits.charge([{ key: "busy", limit, cost: 1 }]);
  const until = performance.now() + 1_500;
  while (performance.now() < until);
  expect(await charged).toMatchObject({ allowed: true });
  expect(isReady(backend)).toBe(true);
});
