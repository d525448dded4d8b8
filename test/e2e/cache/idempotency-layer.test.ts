/** The layer that lets calls of many tools have their effect once: which tools those are, and which calls. */

import {
  ConfigurationError,
  type IdempotencyOptions,
  type IdempotencyStore,
  MCPRouter,
  MCPServer,
  hasRole,
  authenticate,
  idempotency,
  memoryIdempotencyStore,
  timeout,
} from "gantry-mcp";
import { TestClient, type ToolCallError } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const about = { description: "About it." };
const input = z.object({ item: z.string(), count: z.int().default(1) });
const byArguments = { key: "arguments" } as const;

type Era = "2026-07-28" | "2025-11-25";

const named = (key: string) => ({ "idempotency-key": key });
const connect = (server: MCPServer, headers: Record<string, string> = {}, era: Era = "2026-07-28") =>
  TestClient.connect(server, { era, headers });

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "done",
    ({ code }: ToolCallError) => code,
  );

/** Tools, a resource and a prompt that tell how often they have run. */
function counting<R extends MCPServer | MCPRouter>(registration: R, part = "main"): R {
  const runs = new Map<string, number>();
  const run = (name: string) => {
    runs.set(name, (runs.get(name) ?? 0) + 1);
    return `${name} ${runs.get(name)}`;
  };
  const tools = {
    change: {},
    declared: { idempotent: byArguments },
    exempt: { idempotent: false },
    read: { annotations: { readOnlyHint: true } },
    write: { annotations: { readOnlyHint: false } },
    kept: { tags: ["kept"], cache: { ttl: "1h" } },
    forget: { invalidates: ["kept"] },
  } as const;
  for (const [name, options] of Object.entries(tools))
    registration.tool(name, { ...about, ...options, input }, () => run(name));
  registration.resource(`a://${part}`, { name: "resource", ...about }, () => run("resource"));
  registration.prompt(part, about, () => run("prompt"));
  return registration;
}

const served = (options?: IdempotencyOptions) =>
  counting(new MCPServer({ name: "counting", version: "1.0.0" }).use(idempotency(options)));

/** What each tool says to the same call, twice. */
async function twice(client: TestClient, ...tools: string[]) {
  const said: unknown[] = [];
  for (const tool of [...tools, ...tools]) said.push(await client.call(tool, { item: "pen" }));
  return said;
}

describe.each<Era>(["2026-07-28", "2025-11-25"])("idempotency(), revision %s", (era) => {
  test("repeats calls that their client names, and runs the others", async () => {
    const server = served();
    const [anon, one, two] = [
      await connect(server, {}, era),
      await connect(server, named("k-1"), era),
      await connect(server, named("k-2"), era),
    ];
    expect(await twice(anon, "change")).toEqual(["change 1", "change 2"]);
    expect(await twice(one, "change")).toEqual(["change 3", "change 3"]);
    expect(await twice(two, "change")).toEqual(["change 4", "change 4"]);
    expect(await codeOf(one.call("change", { item: "ink" }))).toBe("IDEMPOTENCY_KEY_REUSED");
    // The key is the tool's: under another it names another call.
    expect(await twice(one, "write")).toEqual(["write 1", "write 1"]);
  });

  test("by arguments where it is told so", async () => {
    const client = await connect(served(byArguments), {}, era);
    expect(await twice(client, "change")).toEqual(["change 1", "change 1"]);
    expect(await client.call("change", { item: "pen", count: 1 })).toBe("change 1");
    expect(await client.call("change", { item: "ink" })).toBe("change 2");
  });

  test("leaves alone what changes nothing, what says otherwise, and what is no tool", async () => {
    const client = await connect(served(byArguments), {}, era);
    expect(await twice(client, "read", "exempt")).toEqual(["read 1", "exempt 1", "read 2", "exempt 2"]);
    const texts = [];
    for (const _ of [1, 2]) texts.push(JSON.stringify(await client.readResource("a://main")));
    for (const _ of [1, 2]) texts.push(JSON.stringify(await client.getPrompt("main")));
    for (const [index, text] of ["resource 1", "resource 2", "prompt 1", "prompt 2"].entries())
      expect(texts[index]).toContain(text);
    expect((await client.listTools()).length).toBe(7);
  });

  test("calls at the same time run once", async () => {
    let runs = 0;
    const server = new MCPServer({ name: "slow", version: "1.0.0" })
      .use(idempotency())
      .tool("order", { ...about, input }, async () => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        return ++runs;
      });
    const client = await connect(server, named("k"), era);
    const calls = Array.from({ length: 100 }, async () => client.call("order", { item: "pen" }));
    expect(new Set(await Promise.all(calls))).toEqual(new Set([1]));
    expect(runs).toBe(1);
  });
});

test("what a tool says itself comes before its layers, and of layers the innermost counts", async () => {
  const router = counting(new MCPRouter({ middleware: [idempotency()] }));
  const server = new MCPServer({ name: "inner", version: "1.0.0" })
    .use(idempotency(byArguments))
    .include(router)
    .tool("outer", { ...about, input }, () => "outer");
  const client = await connect(server);
  expect(await twice(client, "change", "declared")).toEqual([
    "change 1",
    "declared 1",
    "change 2",
    "declared 1",
  ]);
});

test("a router's layer is around its tools alone, those of later too", async () => {
  const router = counting(new MCPRouter({ prefix: "r" }).use(idempotency(byArguments)), "router");
  const server = counting(new MCPServer({ name: "router", version: "1.0.0" })).include(router);
  const client = await connect(server);
  expect(await twice(client, "r_change", "change")).toEqual(["change 1", "change 1", "change 1", "change 2"]);
  let late = 0;
  router.tool("late", about, () => ++late);
  expect([await client.call("r_late"), await client.call("r_late")]).toEqual([1, 1]);
});

test("a mounted server keeps its layer, and what its tools came to is kept where it is mounted", async () => {
  const keys: string[] = [];
  const memory = memoryIdempotencyStore();
  const store: IdempotencyStore = {
    ...memory,
    claim: (key, ...rest) => {
      keys.push(key);
      return memory.claim(key, ...rest);
    },
  };
  const server = counting(new MCPServer({ name: "outer", version: "1.0.0", idempotency: { store } }));
  const inner = new MCPServer({ name: "inner", version: "1.0.0" }).use(idempotency(byArguments));
  server.mount(counting(inner, "mounted"), { prefix: "inner" });
  const client = await connect(server);
  expect(await twice(client, "inner_change", "change")).toEqual([
    "change 1",
    "change 1",
    "change 1",
    "change 2",
  ]);
  expect(keys.length).toBe(2);
});

test("what was kept invalidates nothing again, and a cache stands beside it", async () => {
  const client = await connect(served(byArguments));
  expect(await twice(client, "kept")).toEqual(["kept 1", "kept 1"]);
  expect(await twice(client, "forget", "kept")).toEqual(["forget 1", "kept 2", "forget 1", "kept 2"]);
});

test("policy decides for every call, wherever the layer stands, and results are their caller's", async () => {
  let admin = true;
  const server = new MCPServer({ name: "policy", version: "1.0.0" }).use(idempotency()).use(
    authenticate({
      authenticate: ({ token }) =>
        token === undefined ? undefined : { clientId: token, roles: admin ? ["admin"] : [] },
    }),
  );
  let runs = 0;
  server.tool("purge", { ...about, guards: [hasRole("admin")] }, () => ++runs);
  const as = (token: string) => connect(server, { authorization: `Bearer ${token}`, ...named("k") });
  const [ana, ben] = [await as("ana"), await as("ben")];
  expect([await ana.call("purge"), await ana.call("purge"), await ben.call("purge")]).toEqual([1, 1, 2]);
  admin = false;
  expect(await codeOf(ana.call("purge"))).not.toBe("done");
  expect(runs).toBe(2);
});

test("a call that may take long keeps its key for so long", async () => {
  const lifetimes: number[] = [];
  const memory = memoryIdempotencyStore();
  const store: IdempotencyStore = {
    ...memory,
    claim: (key, record, lifetime) => {
      lifetimes.push(lifetime);
      return memory.claim(key, record, lifetime);
    },
  };
  const server = new MCPServer({ name: "long", version: "1.0.0", idempotency: { store } })
    .use(timeout({ default: "10m" }))
    .use(idempotency(byArguments))
    .tool("order", about, () => "ordered")
    .tool("quick", { ...about, timeout: "1s" }, () => "ordered");
  const client = await connect(server);
  await client.call("order");
  await client.call("quick");
  expect(lifetimes).toEqual([660_000, 61_000]);
});

test.each<readonly [unknown, string]>([
  [null, 'idempotency() got null: write idempotency({ ttl: "1h" }).'],
  [true, 'idempotency() got true: write idempotency({ ttl: "1h" }).'],
  [{ key: "caller" }, 'idempotency(): key is "caller": write "arguments" or "client".'],
  [{ ttl: 0 }, "idempotency(): ttl is 0, which keeps nothing"],
  [{ store: {} }, 'idempotency(): unknown option "store".'],
])("%j is refused, with what to write", (options, message) => {
  const make = () => idempotency(options as IdempotencyOptions);
  expect(make).toThrow(ConfigurationError);
  expect(make).toThrow(message);
});
