/** Dependencies: who opens them, what handlers get, and that all of them are closed and told the truth. */

import {
  type Dependency,
  MCPServer,
  type MCPServerOptions,
  ToolError,
  ToolResponse,
  authenticate,
  dependency,
  guard,
} from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { capturedLog } from "../support/captured-log.ts";
import { listen } from "../support/listening.ts";
import { envelope } from "../support/wire.ts";

const about = { description: "About it." };
const input = z.object({ sql: z.string() });

function made(options: Partial<MCPServerOptions> = {}) {
  const log = capturedLog();
  const server = new MCPServer({ name: "injected", version: "1.0.0", logger: log.logger, ...options });
  return { server, log };
}

/** A dependency that notes what becomes of it. */
function noted(
  events: string[],
  name: string,
  inject: Record<string, Dependency<unknown>> = {},
): Dependency<string> {
  return dependency({ inject }, async function* () {
    await Promise.resolve();
    events.push(`open ${name}`);
    try {
      yield name;
      events.push(`close ${name}`);
    } catch (error) {
      events.push(`close ${name}: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  });
}

const settled = (events: readonly string[], count: number) =>
  vi.waitFor(() => expect(events).toHaveLength(count), { timeout: 5_000 });

describe.each(["2026-07-28", "2025-11-25"] as const)("dependencies, revision %s", (era) => {
  test("the guide's: a connection for the handler, closed when it has returned, and in no schema", async () => {
    const events: string[] = [];
    class Database {
      static async connect() {
        await Promise.resolve();
        events.push("connect");
        return new Database();
      }
      async execute(sql: string) {
        await Promise.resolve();
        events.push("execute");
        return [{ sql }];
      }
      close() {
        events.push("close");
      }
    }
    const database = dependency(async function* () {
      const connection = await Database.connect();
      try {
        yield connection;
      } finally {
        connection.close();
      }
    });
    const { server } = made();
    server.tool("query_tasks", { ...about, input, inject: { db: database } }, ({ sql }, { db }) =>
      db.execute(sql),
    );

    const client = await TestClient.connect(server, { era });
    const [tool] = await client.listTools();
    expect(tool?.["inputSchema"]).toMatchObject({ properties: { sql: {} }, required: ["sql"] });
    expect(JSON.stringify(tool)).not.toContain("db");
    expect(await client.call("query_tasks", { sql: "select 1", db: "mine" })).toEqual([{ sql: "select 1" }]);
    expect(events).toEqual(["connect", "execute", "close"]);
  });

  test("open in order, once for a call however often they are injected, and close in reverse", async () => {
    const events: string[] = [];
    const pool = noted(events, "pool");
    const tx = noted(events, "tx", { pool });
    const users = noted(events, "users", { pool, tx });
    const { server } = made();
    server.tool("act", { ...about, inject: { users, pool } }, (_args, ctx) => {
      events.push("handler");
      return [ctx.users, ctx.pool];
    });

    const client = await TestClient.connect(server, { era });
    expect(await client.call("act")).toEqual(["users", "pool"]);
    expect(events).toEqual([
      "open pool",
      "open tx",
      "open users",
      "handler",
      "close users",
      "close tx",
      "close pool",
    ]);
  });

  test("are told what the call failed with, and its caller learns what it would without them", async () => {
    const events: string[] = [];
    const inner = noted(events, "inner", { outer: noted(events, "outer") });
    const { server, log } = made();
    server
      .tool("refuse", { ...about, inject: { inner } }, () => {
        throw new ToolError("No such task.");
      })
      .tool("crash", { ...about, inject: { inner } }, async () => {
        await Promise.resolve();
        throw new Error("disk gone");
      })
      .tool(
        "misfit",
        { ...about, inject: { inner }, output: z.object({ n: z.number() }) },
        () => ({ n: "one" }) as never,
      );

    const client = await TestClient.connect(server, { era });
    await expect(client.call("refuse")).rejects.toMatchObject({
      code: "TOOL_ERROR",
      message: "No such task.",
    });
    await expect(client.call("crash")).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
    await expect(client.call("misfit")).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
    expect(events.filter((event) => event.startsWith("close"))).toEqual([
      "close inner: No such task.",
      "close outer: No such task.",
      "close inner: disk gone",
      "close outer: disk gone",
      expect.stringContaining("close inner: The handler's return value does not fit"),
      expect.stringContaining("close outer: The handler's return value does not fit"),
    ]);
    expect(log.entries().filter(({ message }) => message === "A dependency's clean-up failed")).toEqual([]);
  });

  test("stay closed where policy or validation refuse", async () => {
    const events: string[] = [];
    const inject = { db: noted(events, "db") };
    const { server } = made();
    const callers = authenticate({
      authenticate: ({ token }) => (token === undefined ? undefined : { clientId: token, roles: [] }),
    });
    const own = guard<{ sql: string }>("own", ({ sql }) => sql === "mine");
    server.use(callers);
    server
      .tool("open", { ...about, public: true, inject }, () => "")
      .tool("admins", { ...about, roles: ["admin"], inject }, () => "")
      .tool("known", { ...about, auth: true, input, inject }, () => "")
      .tool("owners", { ...about, guards: [own], input, inject }, () => "done");

    const nobody = await TestClient.connect(server, { era });
    const ana = await TestClient.connect(server, { era, headers: { authorization: "Bearer ana" } });
    await expect(nobody.call("admins")).rejects.toThrow("Missing authentication token");
    await expect(ana.call("admins")).rejects.toMatchObject({ code: "ACCESS_DENIED" });
    await expect(ana.call("known", { sql: 1 })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
    await expect(ana.call("owners", { sql: "theirs" })).rejects.toMatchObject({ code: "ACCESS_DENIED" });
    expect(events).toEqual([]);
    expect(await ana.call("owners", { sql: "mine" })).toBe("done");
    expect(events).toEqual(["open db", "close db"]);
  });

  test("are for resources and prompts too", async () => {
    const events: string[] = [];
    const inject = { db: noted(events, "db") };
    const { server } = made();
    server.resource("tasks://{id}", { ...about, name: "task", inject }, ({ id }, { db }) =>
      id === "1" ? `${db} ${id}` : undefined,
    );
    server.prompt("plan", { ...about, inject }, (_args, { db }) => `Plan ${db}.`);

    const client = await TestClient.connect(server, { era });
    expect((await client.readResource("tasks://1")).contents[0]).toMatchObject({ text: "db 1" });
    await expect(client.readResource("tasks://2")).rejects.toThrow("Resource not found");
    expect((await client.getPrompt("plan")).messages[0]?.content).toMatchObject({ text: "Plan db." });
    expect(events.filter((event) => event.startsWith("close"))).toEqual([
      "close db",
      "close db: Resource not found: tasks://2",
      "close db",
    ]);
  });

  test("take the context", async () => {
    const where = dependency(({ operation, requestId }) => `${operation.name} ${requestId}`);
    const { server } = made();
    server.tool("act", { ...about, inject: { where } }, (_args, ctx) => ctx.where);
    const client = await TestClient.connect(server, { era, headers: { "x-request-id": "r-1" } });
    expect(await client.call("act")).toBe("act r-1");
  });
});

test("a clean-up that fails after a success fails the call, and those after it are told; after a failure it is logged", async () => {
  const events: string[] = [];
  const outer = noted(events, "outer");
  const committing = dependency({ inject: { outer } }, async function* () {
    yield "tx";
    throw new ToolError("Somebody else was faster.");
  });
  const failing = dependency({ inject: { outer } }, async function* () {
    try {
      yield "tx";
    } finally {
      // oxlint-disable-next-line no-unsafe-finally -- what a careless clean-up does
      throw new Error("connection lost");
    }
  });
  const { server, log } = made();
  server
    .tool("commit", { ...about, inject: { committing } }, () => "done")
    .tool("fail", { ...about, inject: { failing } }, () => {
      throw new ToolError("No.");
    });
  const client = await TestClient.connect(server);
  await expect(client.call("commit")).rejects.toMatchObject({ message: "Somebody else was faster." });
  await expect(client.call("fail")).rejects.toMatchObject({ message: "No." });
  expect(events.filter((event) => event.startsWith("close"))).toEqual([
    "close outer: Somebody else was faster.",
    "close outer: No.",
  ]);
  expect(log.entries()).toMatchObject([
    { message: "A dependency's clean-up failed", dependency: "failing", name: "fail" },
  ]);
});

test("what fails to open closes what was open, and runs no handler", async () => {
  const events: string[] = [];
  const broken = dependency({ inject: { outer: noted(events, "outer") } }, () => {
    throw new ToolError("The database is down.", { retryable: true });
  });
  const empty = dependency(function* (): Generator<string> {});
  const twice = dependency(function* () {
    yield 1;
    yield 2;
  });
  const { server, log } = made();
  server
    .tool("broken", { ...about, inject: { broken } }, () => events.push("handler"))
    .tool("empty", { ...about, inject: { empty } }, () => events.push("handler"))
    .tool("twice", { ...about, inject: { twice } }, () => "done");
  const client = await TestClient.connect(server);
  await expect(client.call("broken")).rejects.toMatchObject({ message: "The database is down." });
  expect(events).toEqual(["open outer", "close outer: The database is down."]);
  await expect(client.call("empty")).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
  await expect(client.call("twice")).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
  const causes = log.entries().map(({ err }) => (err as Error).message);
  expect(causes).toEqual([
    expect.stringContaining("ended without a value"),
    expect.stringContaining("yielded twice"),
  ]);
});

test("a call that takes too long tells its dependencies so: at once where its handler heeds the signal, soon where not", async () => {
  const events: string[] = [];
  const inject = { inner: noted(events, "inner", { outer: noted(events, "outer") }) };
  const { server } = made({ timeout: 50 });
  server
    .tool("heeds", { ...about, inject }, async (_args, { signal }) => {
      await new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("aborted")));
      });
    })
    .tool("returns", { ...about, inject }, async (_args, { signal }) => {
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve);
      });
      return "too late";
    })
    .tool("ignores", { ...about, inject }, () => new Promise(() => {}));
  const client = await TestClient.connect(server);
  const told = async (name: string) => {
    events.length = 0;
    await expect(client.call(name)).rejects.toMatchObject({ code: "TIMEOUT" });
    await settled(events, 4);
    return events.slice(2);
  };
  for (const name of ["heeds", "returns", "ignores"])
    expect(await told(name)).toEqual([
      `close inner: Tool '${name}' timed out after 0.05s`,
      `close outer: Tool '${name}' timed out after 0.05s`,
    ]);
});

test("what is opened too late is closed at once, and what it needed before", async () => {
  const events: string[] = [];
  let connect = () => {};
  const slow = dependency({ inject: { outer: noted(events, "outer") } }, async function* () {
    await new Promise<void>((resolve) => {
      connect = resolve;
    });
    events.push("open slow");
    try {
      yield "slow";
    } finally {
      events.push("close slow");
    }
  });
  const { server } = made({ timeout: 50 });
  server.tool("act", { ...about, inject: { slow } }, () => events.push("handler"));
  const client = await TestClient.connect(server);
  await expect(client.call("act")).rejects.toMatchObject({ code: "TIMEOUT" });
  await settled(events, 2);
  connect();
  await settled(events, 4);
  expect(events).toEqual([
    "open outer",
    "close outer: Tool 'act' timed out after 0.05s",
    "open slow",
    "close slow",
  ]);
});

test("a client that leaves ends its call: what was opened for it is closed", async () => {
  const events: string[] = [];
  const { server } = made();
  server.tool("act", { ...about, inject: { db: noted(events, "db") } }, (_args, { signal }) => {
    return new Promise((resolve) => {
      signal.addEventListener("abort", resolve);
    });
  });
  const { url, close } = await listen(server);
  const leaving = new AbortController();
  const call = fetch(url, { ...envelope("tools/call", { name: "act" }), signal: leaving.signal });
  call.catch(() => {});
  await settled(events, 1);
  leaving.abort();
  await settled(events, 2);
  expect(events).toEqual(["open db", "close db: The client disconnected."]);
  await close();
});

test("a call that asks ends with its question: what was opened for it is told, and opened again for the answer", async () => {
  const events: string[] = [];
  const { server } = made();
  server.tool("act", { ...about, inject: { db: noted(events, "db") } }, async (_args, ctx) => {
    const answer = await ctx.elicit("Really?", z.object({ yes: z.boolean() }));
    return answer.action;
  });
  const client = await TestClient.connect(server, {
    onElicit: () => ({ action: "accept", content: { yes: true } }),
  });
  expect(await client.call("act")).toBe("accept");
  expect(events).toEqual([
    "open db",
    "close db: The call waits for an answer: let this pass.",
    "open db",
    "close db",
  ]);
});

test("that is the truth too where the handler swallows the interruption", async () => {
  const events: string[] = [];
  const { server } = made();
  server.tool("act", { ...about, inject: { db: noted(events, "db") } }, async (_args, ctx) => {
    const answer = await ctx.elicit("Really?", z.object({ yes: z.boolean() })).catch(() => undefined);
    return answer?.action ?? "went on";
  });
  const client = await TestClient.connect(server, { onElicit: () => ({ action: "decline" }) });
  expect(await client.call("act")).toBe("decline");
  expect(events.filter((event) => event.startsWith("close"))).toEqual([
    "close db: The call waits for an answer: let this pass.",
    "close db",
  ]);
});

describe("scopes", () => {
  test("server: opened once for all calls when the first needs it, closed before the shutdown hooks", async () => {
    const events: string[] = [];
    const config = dependency({ scope: "server" }, () => ({ url: "db://tasks" }));
    const pool = dependency({ scope: "server", inject: { config } }, async function* ({ logger }, injected) {
      await Promise.resolve();
      logger.info({ url: injected.config.url }, "connected");
      events.push("open pool");
      yield { url: injected.config.url };
      events.push("close pool");
    });
    const cache = dependency({ scope: "server", inject: { pool } }, function* () {
      events.push("open cache");
      yield new Map();
      events.push("close cache");
    });
    const { server, log } = made();
    server.onShutdown(() => events.push("hook"));
    server.tool("act", { ...about, inject: { pool, cache } }, async (_args, ctx) => ctx.pool.url);
    const client = await TestClient.connect(server);
    expect(events).toEqual([]);
    const answers = await Promise.all([client.call("act"), client.call("act"), client.call("act")]);
    expect(answers).toEqual(["db://tasks", "db://tasks", "db://tasks"]);
    expect(events).toEqual(["open pool", "open cache"]);
    expect(log.entries()).toMatchObject([{ message: "connected", url: "db://tasks" }]);
    await client.close();
    expect(events).toEqual(["open pool", "open cache", "close cache", "close pool", "hook"]);
  });

  test("server: what failed to open is tried again by the next call; no call's error closes it", async () => {
    let tries = 0;
    const events: string[] = [];
    const pool = dependency({ scope: "server" }, async function* () {
      tries++;
      await Promise.resolve();
      if (tries === 1) throw new ToolError("Not yet.");
      yield tries;
      events.push("closed");
    });
    const { server } = made();
    server
      .tool("act", { ...about, inject: { pool } }, (_args, ctx) => ctx.pool)
      .tool("fail", { ...about, inject: { pool } }, () => {
        throw new ToolError("No.");
      });
    const client = await TestClient.connect(server);
    await expect(client.call("act")).rejects.toThrow("Not yet.");
    expect(await client.call("act")).toBe(2);
    await expect(client.call("fail")).rejects.toThrow("No.");
    expect(await client.call("act")).toBe(2);
    expect(events).toEqual([]);
    await client.close();
    expect(events).toEqual(["closed"]);
  });

  test("transient: opened anew for each place that injects it", async () => {
    let opened = 0;
    let closed = 0;
    const counter = dependency({ scope: "transient" }, function* () {
      yield ++opened;
      closed++;
    });
    const twice = dependency({ inject: { counter } }, (_ctx, injected) => injected.counter);
    const { server } = made();
    server.tool("act", { ...about, inject: { a: counter, b: counter, c: twice } }, (_args, { a, b, c }) => [
      a,
      b,
      c,
    ]);
    const client = await TestClient.connect(server);
    expect(await client.call("act")).toEqual([1, 2, 3]);
    expect(closed).toBe(3);
  });
});

test("a result that is kept opens nothing, adds no background work, and has the metadata that it had", async () => {
  const events: string[] = [];
  const { server } = made();
  server.use(async (ctx, next) => {
    const result = await next();
    if (ctx.operation.kind === "tool") events.push(`metadata ${JSON.stringify(ctx.metadata)}`);
    return result;
  });
  server.tool(
    "act",
    { ...about, inject: { db: noted(events, "db") }, cache: { ttl: "1m" } },
    (_args, ctx) => {
      ctx.background.add(() => void events.push("background"));
      return new ToolResponse(ctx.db, { metadata: { from: "db" } });
    },
  );
  const client = await TestClient.connect(server);
  expect(await client.call("act")).toBe("db");
  await settled(events, 4);
  expect(await client.call("act")).toBe("db");
  await client.close();
  expect(events).toEqual([
    "open db",
    "close db",
    'metadata {"from":"db"}',
    "background",
    'metadata {"from":"db"}',
  ]);
});

describe("override", () => {
  const database = dependency((): { query: () => string } => ({ query: () => "real" }));

  test("puts a fake in the place of a dependency, wherever it is injected", async () => {
    const nested = dependency({ inject: { database } }, (_ctx, injected) => injected.database.query());
    const { server } = made();
    server.tool("act", { ...about, inject: { database, nested } }, (_args, ctx) => [
      ctx.database.query(),
      ctx.nested,
    ]);
    server.override(
      database,
      dependency(() => ({ query: () => "fake" })),
    );
    expect(await (await TestClient.connect(server)).call("act")).toEqual(["fake", "fake"]);
  });

  test("may wrap what it replaces, and counts for servers that are mounted", async () => {
    const { server: billing } = made();
    billing.tool("act", { ...about, inject: { database } }, (_args, ctx) => ctx.database.query());
    billing.override(
      database,
      dependency({ inject: { database } }, (_ctx, inner) => ({
        query: () => `watched ${inner.database.query()}`,
      })),
    );
    const { server } = made();
    server.mount(billing, { prefix: "billing" });
    expect(await (await TestClient.connect(server)).call("billing_act")).toBe("watched real");
  });

  test("of a mounted server counts for all of the server that runs, unless that has one of its own", async () => {
    const fake = (what: string) => dependency(() => ({ query: () => what }));
    const nested = (outer?: string) => {
      const { server: billing } = made();
      billing.tool("act", { ...about, inject: { database } }, (_args, ctx) => ctx.database.query());
      billing.override(database, fake("billing's"));
      const { server } = made();
      server.tool("act", { ...about, inject: { database } }, (_args, ctx) => ctx.database.query());
      if (outer !== undefined) server.override(database, fake(outer));
      return TestClient.connect(server.mount(billing, { prefix: "billing" }));
    };
    const [alone, outvoted] = [await nested(), await nested("the outer's")];
    expect([await alone.call("act"), await alone.call("billing_act")]).toEqual(["billing's", "billing's"]);
    expect([await outvoted.call("act"), await outvoted.call("billing_act")]).toEqual([
      "the outer's",
      "the outer's",
    ]);
  });

  test("is refused where it comes too late, or would be shared by calls that it belongs to", async () => {
    const pool = dependency({ scope: "server" }, () => 1);
    const { server } = made();
    server.tool("act", { ...about, inject: { database } }, () => "");
    expect(() =>
      server.override(
        pool,
        dependency(() => 2),
      ),
    ).toThrow('Give its replacement scope: "server" too');
    expect(() => server.override(pool, 2 as never)).toThrow("override() takes two dependencies");
    await TestClient.connect(server);
    expect(() => server.override(database, database)).toThrow("override() comes too late");
  });
});

test("mistakes are told where they are written", () => {
  const { server } = made();
  const call = dependency(() => 1);
  const told = (wrong: () => unknown) => {
    try {
      wrong();
      return "nothing";
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(told(() => server.tool("a", { ...about, inject: { db: {} } as never }, () => ""))).toBe(
    'Tool "a": inject has "db", which is not a dependency. Make it one: dependency(() => …).',
  );
  expect(told(() => server.tool("a", { ...about, inject: "db" as never }, () => ""))).toBe(
    'Tool "a": inject is "db": write { db: dependency(…) }.',
  );
  expect(told(() => server.tool("a", { ...about, inject: { signal: call } as never }, () => ""))).toBe(
    'Tool "a": inject has "signal", which every context has already. Choose another name.',
  );
  expect(told(() => dependency({ scope: "server", inject: { call } as never }, () => 1))).toContain(
    '"call" lives as long as a call, and cannot be injected into what all calls share.',
  );
  expect(told(() => dependency({ scope: "session" } as never, () => 1))).toBe(
    'dependency(): scope is "session": write "call", "server" or "transient".',
  );
  expect(told(() => dependency({ scop: "server" } as never, () => 1))).toContain('Did you mean "scope"?');
  expect(told(() => dependency(1 as never))).toContain("A dependency has no function that opens it.");
});
