/** Results that are kept: for whom, for how long, what is never kept, and what makes them old. */

import {
  type CacheOptions,
  type CacheStore,
  ConfigurationError,
  MCPRouter,
  MCPServer,
  type MCPServerOptions,
  ToolError,
  ToolResponse,
  authenticate,
  dependency,
  guard,
  image,
  memoryCache,
} from "gantry-mcp";
import { TestClient, type ToolCallError } from "gantry-mcp/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { capturedLog } from "../../support/captured-log.ts";

const about = { description: "About it." };
const Query = z.object({ query: z.string(), page: z.int().default(1) });

/** A token is a name, perhaps a tenant, and perhaps roles: `ana@acme+admin`. What follows `#` changes with each token. */
const callers = () =>
  authenticate(
    {
      authenticate: ({ token }) => {
        const [, clientId, tenantId, roles] = /^(\w+)(?:@(\w+))?(?:\+([\w+]+))?/.exec(token ?? "") ?? [];
        return clientId === undefined ? undefined : { clientId, tenantId, roles: roles?.split("+") ?? [] };
      },
    },
    { optional: true },
  );

const as = (server: MCPServer, token?: string, era: "2026-07-28" | "2025-11-25" = "2026-07-28") =>
  TestClient.connect(server, { era, ...(token && { headers: { authorization: `Bearer ${token}` } }) });

/** A server with one tool that tells how often it has run. */
function counting(cache: CacheOptions = { ttl: "5m" }, options: Partial<MCPServerOptions> = {}) {
  const runs = { count: 0 };
  const server = new MCPServer({ name: "counting", version: "1.0.0", ...options })
    .use(callers())
    .tool("search", { ...about, input: Query, cache, tags: ["tasks"] }, ({ query, page }, { client }) => ({
      run: ++runs.count,
      query,
      page,
      who: client.clientId,
    }));
  return { server, runs };
}

/** A store whose time the test tells. */
function clocked() {
  let now = 0;
  return {
    store: memoryCache({ now: () => now }),
    advance: (milliseconds: number) => void (now += milliseconds),
  };
}

/** The same store, over a connection. */
function remote(store: CacheStore): CacheStore {
  const later = async <T>(work: () => T | Promise<T>) => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    return work();
  };
  return {
    read: (key, tags) => later(() => store.read(key, tags)),
    write: (key, value, stamp, lifetime) => later(() => store.write(key, value, stamp, lifetime)),
    invalidate: (tags) => later(() => store.invalidate(tags)),
  };
}

describe.each(["2026-07-28", "2025-11-25"] as const)("a kept result, revision %s", (era) => {
  test("is given for the same arguments, in whatever order and defaults filled in", async () => {
    const { server, runs } = counting();
    const client = await as(server, "ana", era);
    const first = await client.callTool("search", { query: "a", page: 1 });
    expect(await client.callTool("search", { page: 1, query: "a" })).toEqual(first);
    expect(await client.callTool("search", { query: "a" })).toEqual(first);
    expect(runs.count).toBe(1);
    expect(await client.call("search", { query: "a", page: 2 })).toMatchObject({ run: 2 });
  });

  test("is its caller's, with whatever token", async () => {
    const { server } = counting();
    const run = async (token?: string) =>
      ((await (await as(server, token, era)).call("search", { query: "a" })) as { run: number }).run;
    expect(await run("ana#1")).toBe(1);
    expect(await run("ana#2")).toBe(1);
    expect(await run("ben")).toBe(2);
    expect(await run("ana@acme")).toBe(3);
    expect(await run("ana@acme+admin")).toBe(4);
    expect(await run("ana@acme+admin+editor")).toBe(5);
    expect(await run("ana@acme+editor+admin")).toBe(5);
    expect(await run()).toBe(6);
    expect(await run()).toBe(6);
  });

  test("may be its tenant's, or everybody's", async () => {
    const run = async (server: MCPServer, token?: string) =>
      ((await (await as(server, token, era)).call("search", { query: "a" })) as { run: number }).run;
    const { server: tenants } = counting({ ttl: "5m", scope: "tenant" });
    expect(await run(tenants, "ana@acme")).toBe(1);
    expect(await run(tenants, "ben@acme")).toBe(1);
    expect(await run(tenants, "ben@acme+admin")).toBe(2);
    expect(await run(tenants, "ana@other")).toBe(3);
    expect(await run(tenants, "ana")).toBe(4);
    expect(await run(tenants, "ben")).toBe(5);
    expect(await run(tenants)).toBe(6);
    const { server: shared } = counting({ ttl: "5m", scope: "shared" });
    expect([await run(shared, "ana@acme"), await run(shared, "ben"), await run(shared)]).toEqual([1, 1, 1]);
  });

  test("serves resources, templates and prompts alike", async () => {
    let runs = 0;
    const server = new MCPServer({ name: "kinds", version: "1.0.0" })
      .resource("config://app", { ...about, name: "config", cache: { ttl: "1m" } }, () => ({ run: ++runs }))
      .resource("tasks://{id}", { ...about, name: "task", cache: { ttl: "1m" } }, ({ id }) =>
        id === "none" ? undefined : `${id} ${++runs}`,
      )
      .prompt(
        "review",
        { ...about, input: z.object({ path: z.string() }), cache: { ttl: "1m" } },
        ({ path }) => `Review ${path}: ${++runs}`,
      );
    const client = await as(server, undefined, era);
    for (const read of [
      () => client.readResource("config://app"),
      () => client.readResource("tasks://1"),
      () => client.readResource("tasks://2"),
      () => client.getPrompt("review", { path: "a.ts" }),
    ])
      expect(await read()).toEqual(await read());
    expect(runs).toBe(4);
    await expect(client.readResource("tasks://none")).rejects.toThrow("Resource not found");
    expect((await client.readResource("tasks://%31")).contents).toEqual([
      { uri: "tasks://%31", mimeType: "text/plain", text: "1 5" },
    ]);
  });
});

test("a result is kept as it is: blocks, structured content, metadata", async () => {
  const seen: unknown[] = [];
  const server = new MCPServer({ name: "kinds", version: "1.0.0" })
    .use(async (ctx, next) => {
      const result = await next();
      seen.push(ctx.metadata);
      return result;
    })
    .tool("picture", { ...about, cache: { ttl: 60_000 } }, () => [
      "Look:",
      image(new Uint8Array([1, 2]), "image/png"),
    ])
    .tool("total", { ...about, output: z.object({ total: z.number() }), cache: { ttl: 60_000 } }, () => ({
      total: Math.random(),
    }))
    .tool(
      "order",
      { ...about, cache: { ttl: 60_000 } },
      () => new ToolResponse({ id: 1 }, { metadata: { action: "order", at: new Date(0) } }),
    );
  const client = await as(server);
  for (const name of ["picture", "total", "order"])
    expect(await client.callTool(name)).toEqual(await client.callTool(name));
  expect(seen.slice(-2)).toEqual([
    { action: "order", at: new Date(0) },
    { action: "order", at: "1970-01-01T00:00:00.000Z" },
  ]);
});

test("its time ends", async () => {
  const { store, advance } = clocked();
  const { server } = counting({ ttl: "5m" }, { cache: { store } });
  const client = await as(server);
  const run = async () => ((await client.call("search", { query: "a" })) as { run: number }).run;
  expect([await run(), await run()]).toEqual([1, 1]);
  advance(299_999);
  expect(await run()).toBe(1);
  advance(1);
  expect([await run(), await run()]).toEqual([2, 2]);
});

test("while a new one is made an old one is given, once it is made the new one", async () => {
  const { store, advance } = clocked();
  const { server, runs } = counting({ ttl: "1m", staleWhileRevalidate: "1h" }, { cache: { store } });
  const ana = await as(server, "ana");
  const run = async () => (await ana.call("search", { query: "a" })) as object;
  expect(await run()).toMatchObject({ run: 1 });
  advance(60_001);
  expect(await Promise.all([run(), run(), run()])).toEqual(Array(3).fill(await run()));
  await vi.waitFor(() => expect(runs.count).toBe(2));
  expect(await run()).toMatchObject({ run: 2, who: "ana" });
  expect(runs.count).toBe(2);
  advance(61 * 60_000);
  expect(await run()).toMatchObject({ run: 3 });
});

test("what makes the new one is held to its time, has the caller's identity, and is told in the log where it fails", async () => {
  const { store, advance } = clocked();
  const { logger, entries } = capturedLog();
  const opened: string[] = [];
  const session = dependency(async function* ({ client }) {
    opened.push(client.clientId);
    yield client.clientId;
    opened.push("closed");
  });
  let runs = 0;
  const server = new MCPServer({ name: "stale", version: "1.0.0", cache: { store }, logger })
    .use(callers())
    .tool(
      "slow",
      { ...about, timeout: 50, inject: { session }, cache: { ttl: 1_000, staleWhileRevalidate: "1h" } },
      async (_args, { session: who }) => {
        if (++runs === 2) await new Promise(() => {});
        return `${who} ${runs}`;
      },
    );
  const client = await as(server, "ana");
  expect(await client.call("slow")).toBe("ana 1");
  advance(1_000);
  expect(await client.call("slow")).toBe("ana 1");
  await vi.waitFor(() =>
    expect(entries()).toContainEqual(
      expect.objectContaining({
        message: "A background task failed",
        err: expect.objectContaining({ message: "Tool 'slow' timed out after 0.05s" }),
      }),
    ),
  );
  expect(await client.call("slow")).toBe("ana 1");
  await vi.waitFor(async () => expect(await client.call("slow")).toBe("ana 3"));
  expect(opened.slice(-2)).toEqual(["ana", "closed"]);
});

test("errors are not kept, nor is what was asked, cancelled, or refused", async () => {
  let runs = 0;
  const cache = { ttl: "5m" } as const;
  const server = new MCPServer({ name: "fails", version: "1.0.0" })
    .tool("fail", { ...about, cache }, () => {
      if (++runs % 2 === 1) throw new ToolError("Not now");
      return runs;
    })
    .tool("ask", { ...about, cache }, async (_args, ctx) => {
      const answer = await ctx.elicit("Which?", z.object({ name: z.string() }));
      return `${answer.action} ${++runs}`;
    })
    .tool("hang", { ...about, timeout: 30, cache }, async () => {
      if (++runs === 5) await new Promise((resolve) => setTimeout(resolve, 60));
      return runs;
    });
  const client = await TestClient.connect(server, {
    onElicit: () => ({ action: "accept", content: { name: "ana" } }),
  });
  await expect(client.call("fail")).rejects.toMatchObject({ code: "TOOL_ERROR" });
  expect([await client.call("fail"), await client.call("fail")]).toEqual([2, 2]);
  expect([await client.call("ask"), await client.call("ask")]).toEqual(["accept 3", "accept 4"]);
  await expect(client.call("hang")).rejects.toMatchObject({ code: "TIMEOUT" });
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(await client.call("hang")).toBe(6);
});

test("policy and guards are asked before what is kept, dependencies are not opened for it", async () => {
  let opened = 0;
  let allowed = true;
  const db = dependency(() => ++opened);
  const server = new MCPServer({ name: "guarded", version: "1.0.0" }).use(callers()).tool(
    "read",
    {
      ...about,
      roles: ["reader"],
      guards: [guard("open", () => allowed)],
      inject: { db },
      cache: { ttl: "5m" },
    },
    (_args, ctx) => ctx.db,
  );
  const reader = await as(server, "ana+reader");
  expect([await reader.call("read"), await reader.call("read"), opened]).toEqual([1, 1, 1]);
  const denied = (call: Promise<unknown>) => call.catch(({ code }: ToolCallError) => code);
  expect(await denied((await as(server, "ana")).call("read"))).toBe("ACCESS_DENIED");
  allowed = false;
  expect(await denied(reader.call("read"))).toBe("ACCESS_DENIED");
});

describe.each(["memory", "remote"])("one run for all, in a %s store", (where) => {
  const store = () => (where === "memory" ? memoryCache() : remote(memoryCache()));

  test("1,000 misses at once run the handler once for each caller", async () => {
    const runs = new Map<string, number>();
    const server = new MCPServer({ name: "flood", version: "1.0.0", cache: { store: store() } })
      .use(callers())
      .tool("slow", { ...about, input: Query, cache: { ttl: "5m" } }, async ({ query }, { client }) => {
        const who = `${client.clientId} ${query}`;
        runs.set(who, (runs.get(who) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, 20));
        return who;
      });
    const names = ["ana", "ben", "cas", "dan"];
    const clients = await Promise.all(names.map((name) => as(server, name)));
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, async (_, call) => clients[call % 4]?.call("slow", { query: "a" })),
    );
    expect(answers).toEqual(Array.from({ length: 1_000 }, (_, call) => `${names[call % 4]} a`));
    expect(Object.fromEntries(runs)).toEqual({ "ana a": 1, "ben a": 1, "cas a": 1, "dan a": 1 });
  });

  test("who waits is given the error too, and the next call runs", async () => {
    let runs = 0;
    const server = new MCPServer({ name: "fails", version: "1.0.0", cache: { store: store() } }).tool(
      "fail",
      { ...about, cache: { ttl: "5m" } },
      async () => {
        if (++runs > 1) return "done";
        await new Promise((resolve) => setTimeout(resolve, 20));
        throw new ToolError("Not now");
      },
    );
    const client = await as(server);
    const calls = await Promise.allSettled(Array.from({ length: 50 }, () => client.call("fail")));
    expect([calls.every(({ status }) => status === "rejected"), runs]).toEqual([true, 1]);
    expect(await client.call("fail")).toBe("done");
  });

  test("when the caller that runs it goes away, another takes over", async () => {
    let runs = 0;
    const server = new MCPServer({ name: "left", version: "1.0.0", cache: { store: store() } }).tool(
      "slow",
      { ...about, cache: { ttl: "5m" } },
      async (_args, { signal }) => {
        const run = ++runs;
        // It does not heed its signal.
        if (run === 1)
          await new Promise((resolve) => signal.addEventListener("abort", () => setTimeout(resolve, 200)));
        return run;
      },
    );
    const client = await as(server);
    const aborting = new AbortController();
    const left = client.call("slow", {}, { signal: aborting.signal }).catch(() => "left");
    await vi.waitFor(() => expect(runs).toBe(1));
    const waiting = Array.from({ length: 20 }, () => client.call("slow"));
    await new Promise((resolve) => setTimeout(resolve, 30));
    aborting.abort();
    expect(await left).toBe("left");
    expect(await Promise.all(waiting)).toEqual(Array(20).fill(2));
    expect(runs).toBe(2);
  });

  test("who comes after a change is not given what was begun before it", async () => {
    const rows = ["first"];
    let runs = 0;
    let finish = () => {};
    const server = new MCPServer({ name: "rows", version: "1.0.0", cache: { store: store() } })
      .tool("list", { ...about, tags: ["rows"], cache: { ttl: "5m" } }, async () => {
        const read = [...rows];
        if (++runs === 1) await new Promise<void>((resolve) => (finish = resolve));
        return read;
      })
      .tool("add", { ...about, invalidates: ["rows"] }, () => void rows.push("second"));
    const client = await as(server);
    const before = client.call("list");
    await vi.waitFor(() => expect(runs).toBe(1));
    await client.call("add");
    expect(await client.call("list")).toEqual(["first", "second"]);
    finish();
    expect(await before).toEqual(["first"]);
    expect(await client.call("list")).toEqual(["first", "second"]);
  });
});

test("tags: a change makes what others keep old, whatever became of it, for all callers", async () => {
  let version = 1;
  const router = new MCPRouter({ tags: ["tasks"] })
    .tool("list", { ...about, cache: { ttl: "5m" } }, () => version)
    .resource("tasks://all", { ...about, name: "all", cache: { ttl: "5m" } }, () => String(version));
  const server = new MCPServer({ name: "tags", version: "1.0.0" })
    .use(callers())
    .include(router)
    .tool("other", { ...about, tags: ["others"], cache: { ttl: "5m" } }, () => version)
    .tool("change", { ...about, invalidates: ["tasks"] }, () => ++version)
    .tool("spoil", { ...about, invalidates: ["tasks"] }, async () => {
      version++;
      throw new ToolError("Halfway");
    });
  const [ana, ben] = [await as(server, "ana"), await as(server, "ben")];
  const all = async () => [
    await ana.call("list"),
    await ben.call("list"),
    await ana.call("other"),
    (await ana.readResource("tasks://all")).contents.map(
      (contents) => "text" in contents && Number(contents.text),
    )[0],
  ];
  expect(await all()).toEqual([1, 1, 1, 1]);
  version = 2;
  expect(await all()).toEqual([1, 1, 1, 1]);
  await ana.call("change");
  expect(await all()).toEqual([3, 3, 1, 3]);
  await expect(ana.call("spoil")).rejects.toThrow("Halfway");
  expect(await all()).toEqual([4, 4, 1, 4]);
});

test("a component that is registered anew keeps nothing of the old one; one that is switched off and on does", async () => {
  const { server } = counting();
  const client = await as(server);
  expect(await client.call("search", { query: "a" })).toMatchObject({ run: 1 });
  server.disable({ tool: "search" }).enable({ tool: "search" });
  expect(await client.call("search", { query: "a" })).toMatchObject({ run: 1 });
  server.remove({ tool: "search" });
  server.tool("search", { ...about, input: Query, cache: { ttl: "5m" } }, () => "another");
  expect(await client.call("search", { query: "a" })).toBe("another");
});

test("arguments that hold objects of classes are not mixed up: their results are not kept", async () => {
  const { logger, entries } = capturedLog();
  let runs = 0;
  const cache = { ttl: "5m" } as const;
  const server = new MCPServer({ name: "classes", version: "1.0.0", logger })
    .tool(
      "link",
      { ...about, cache, input: z.object({ to: z.string().transform((to) => new URL(to)) }) },
      ({ to }) => `${to.href} ${++runs}`,
    )
    .tool(
      "on",
      { ...about, cache, input: z.object({ day: z.string().transform((day) => new Date(day)) }) },
      ({ day }) => `${day.getFullYear()} ${++runs}`,
    );
  const client = await as(server);
  expect(await client.call("link", { to: "https://a.example" })).toBe("https://a.example/ 1");
  expect(await client.call("link", { to: "https://b.example" })).toBe("https://b.example/ 2");
  expect(entries()).toEqual([expect.objectContaining({ level: "warn", name: "link" })]);
  expect(await client.call("on", { day: "2025-06-01" })).toBe("2025 3");
  expect(await client.call("on", { day: "2026-06-01" })).toBe("2026 4");
  expect(await client.call("on", { day: "2025-06-01" })).toBe("2025 3");
});

test("a store that fails fails no call", async () => {
  const { logger, entries } = capturedLog();
  const broken = () => Promise.reject(new Error("connection refused"));
  const store: CacheStore = { read: broken, write: broken, invalidate: broken };
  const { server, runs } = counting({ ttl: "5m" }, { cache: { store }, logger });
  server.tool("change", { ...about, invalidates: ["tasks"] }, () => "changed");
  const client = await as(server);
  expect(await client.call("search", { query: "a" })).toMatchObject({ run: 1 });
  expect(await client.call("change")).toBe("changed");
  expect(runs.count).toBe(1);
  expect(entries().map(({ message }) => message)).toEqual([
    "The cache could not be read: the handler runs",
    "The cache could not be told of a change: what it keeps may be old",
  ]);
  const spoiled: CacheStore = {
    read: () => ({ stamp: "", entry: { value: "{not json", expiresIn: 1_000 } }),
    write: () => {},
    invalidate: () => {},
  };
  const { server: other } = counting({ ttl: "5m" }, { cache: { store: spoiled }, logger });
  expect(await (await as(other)).call("search", { query: "a" })).toMatchObject({ run: 1 });
});

describe("registration", () => {
  const tool = (options: object) =>
    new MCPServer({ name: "wrong", version: "1.0.0" }).tool("t", { ...about, ...options }, () => "");

  test.each<readonly [object, string]>([
    [{ cache: true }, 'Tool "t": cache is true: write one such as { ttl: "5m" }.'],
    [{ cache: {} }, 'Tool "t": cache: ttl is undefined: write milliseconds or a string'],
    [{ cache: { ttl: 0 } }, 'Tool "t": cache: ttl is 0, which keeps nothing'],
    [{ cache: { ttl: 1, scope: "all" } }, 'scope is "all": write "caller" or "tenant" or "shared".'],
    [{ cache: { ttl: 1, stale: 1 } }, 'Tool "t": cache: unknown option "stale".'],
    [{ invalidates: "tasks" }, 'invalidates is "tasks": write the tags of components with a cache'],
    [{ cache: { ttl: 1 }, invalidates: ["a"] }, "What changes something has to run"],
    [
      { cache: { ttl: 1, scope: "shared" }, roles: ["a"] },
      'tool "t" has guards, and a cache that all callers share. Leave out the cache\'s scope',
    ],
  ])("%j is refused, with what to write", (options, message) => {
    expect(() => tool(options)).toThrow(ConfigurationError);
    expect(() => tool(options)).toThrow(message);
  });

  test("a shared cache is refused also where the guards are a router's", () => {
    const router = new MCPRouter({ roles: ["admin"] });
    router.tool("t", { ...about, cache: { ttl: 1, scope: "shared" } }, () => "");
    expect(() => new MCPServer({ name: "wrong", version: "1.0.0" }).include(router)).toThrow("has guards");
  });

  test("a store that is none is refused", () => {
    const make = (cache: object) => () => new MCPServer({ name: "wrong", version: "1.0.0", cache });
    expect(make({ store: new Map() })).toThrow("cache.store has no read and no write and no invalidate");
    expect(make({ ttl: 1 })).toThrow('MCPServer: cache: unknown option "ttl"');
  });
});
