/** Calls that have their effect once: whose they are, what repeats them, and what does not. */

import {
  ConfigurationError,
  type IdempotencyOptions,
  type IdempotencyStore,
  MCPServer,
  type MCPServerOptions,
  ToolError,
  ToolResponse,
  authenticate,
  memoryIdempotencyStore,
} from "gantry-mcp";
import { TestClient, type ToolCallError } from "gantry-mcp/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";
import { connectTo } from "../../support/talkers.ts";

const about = { description: "About it." };
const input = z.object({ item: z.string(), count: z.int().default(1) });

type Era = "2026-07-28" | "2025-11-25";

/** A server with one tool that has an effect. */
function shop(idempotent: true | IdempotencyOptions = true, options: Partial<MCPServerOptions> = {}) {
  const orders: string[] = [];
  const server = new MCPServer({ name: "shop", version: "1.0.0", ...options })
    .use(
      authenticate(
        { authenticate: ({ token }) => (token === undefined ? undefined : { clientId: token }) },
        { optional: true },
      ),
    )
    .tool("order", { ...about, input, idempotent }, ({ item, count }) => {
      orders.push(`${count} ${item}`);
      return { id: orders.length, item, count };
    });
  return { server, orders };
}

const connect = (server: MCPServer, headers: Record<string, string> = {}, era: Era = "2026-07-28") =>
  TestClient.connect(server, { era, headers });

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "done",
    ({ code }: ToolCallError) => code,
  );

describe.each<Era>(["2026-07-28", "2025-11-25"])("an idempotent tool, revision %s", (era) => {
  test("gives the first result to calls with the same arguments", async () => {
    const { server, orders } = shop();
    const client = await connect(server, {}, era);
    const first = await client.callTool("order", { item: "pen", count: 1 });
    expect(await client.callTool("order", { item: "pen" })).toEqual(first);
    expect(await client.call("order", { item: "pen", count: 2 })).toMatchObject({ id: 2 });
    expect(orders).toEqual(["1 pen", "2 pen"]);
  });

  test("a client's key names the call: others run, and the same with other arguments is refused", async () => {
    const { server, orders } = shop();
    const [one, quoted, two] = [
      await connect(server, { "idempotency-key": "k-1" }, era),
      await connect(server, { "idempotency-key": '"k-1"' }, era),
      await connect(server, { "idempotency-key": "k-2" }, era),
    ];
    expect(await one.call("order", { item: "pen" })).toMatchObject({ id: 1 });
    expect(await quoted.call("order", { item: "pen" })).toMatchObject({ id: 1 });
    expect(await two.call("order", { item: "pen" })).toMatchObject({ id: 2 });
    const refused = await one.callTool("order", { item: "ink" });
    expect(refused.isError).toBe(true);
    expect(await codeOf(one.call("order", { item: "ink" }))).toBe("IDEMPOTENCY_KEY_REUSED");
    expect(orders).toEqual(["1 pen", "1 pen"]);
  });

  test("keys and arguments are their caller's", async () => {
    const { server, orders } = shop();
    const as = (token: string) =>
      connect(server, { authorization: `Bearer ${token}`, "idempotency-key": "k" }, era);
    const [ana, ben] = [await as("ana"), await as("ben")];
    expect(await ana.call("order", { item: "pen" })).toMatchObject({ id: 1 });
    expect(await ben.call("order", { item: "ink" })).toMatchObject({ id: 2 });
    expect(await (await connect(server, {}, era)).call("order", { item: "pen" })).toMatchObject({ id: 3 });
    expect(orders).toHaveLength(3);
  });
});

test("the key may stand in _meta, and in the header too where it is the same", async () => {
  const { server, orders } = shop();
  const call = async (key: unknown, headers: Record<string, string> = {}) => {
    const { result } = (await (
      await server.fetch(
        new Request("http://localhost/mcp", {
          method: "POST",
          headers: {
            host: "localhost",
            "content-type": "application/json",
            accept: "application/json, text/event-stream",
            "mcp-protocol-version": "2025-11-25",
            ...headers,
          },
          body: JSON.stringify({
            jsonrpc: "2.0",
            id: 1,
            method: "tools/call",
            params: { name: "order", arguments: { item: "pen" }, _meta: { idempotencyKey: key } },
          }),
        }),
      )
    ).json()) as { result: { content: { text: string }[] } };
    return JSON.parse(result.content[0]?.text ?? "") as { id?: number; error?: { code: string } };
  };
  expect([(await call("a")).id, (await call("b")).id, (await call("a")).id]).toEqual([1, 2, 1]);
  expect((await call("a", { "idempotency-key": '"a"' })).id).toBe(1);
  expect(JSON.stringify(await call("c", { "idempotency-key": "d" }))).toContain(
    "Idempotency-Key: The header names another call than _meta.idempotencyKey",
  );
  expect(orders).toHaveLength(2);
  for (const key of ["", 7, "x".repeat(256)])
    expect(JSON.stringify(await call(key))).toContain("Expected a text of 1 to 255 characters");
  for (const key of ["", "x".repeat(256)]) {
    const client = await connect(server, { "idempotency-key": key });
    await expect(client.call("order", { item: "pen" })).rejects.toMatchObject({
      message: "Invalid input: Idempotency-Key: Expected a text of 1 to 255 characters",
    });
  }
});

test("where only keys count, calls without one run", async () => {
  const { server, orders } = shop({ key: "client" });
  const client = await connect(server);
  await client.call("order", { item: "pen" });
  await client.call("order", { item: "pen" });
  const keyed = await connect(server, { "idempotency-key": "k" });
  await keyed.call("order", { item: "pen" });
  await keyed.call("order", { item: "pen" });
  expect(orders).toHaveLength(3);
});

test("its time ends", async () => {
  let now = 0;
  const { server } = shop(
    { ttl: "1h" },
    { idempotency: { store: memoryIdempotencyStore({ now: () => now }) } },
  );
  const client = await connect(server);
  expect(await client.call("order", { item: "pen" })).toMatchObject({ id: 1 });
  now = 3_599_999;
  expect(await client.call("order", { item: "pen" })).toMatchObject({ id: 1 });
  now = 3_600_000;
  expect(await client.call("order", { item: "pen" })).toMatchObject({ id: 2 });
});

/** A store that answers later, as one does over a connection. */
function remote(store: IdempotencyStore): IdempotencyStore {
  const later = async <T>(work: () => T | Promise<T>) => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    return work();
  };
  return {
    claim: (...args) => later(() => store.claim(...args)),
    replace: (...args) => later(() => store.replace(...args)),
    release: (...args) => later(() => store.release(...args)),
  };
}

test("1,000 calls at once have one effect, in one process and in two", async () => {
  const store = remote(memoryIdempotencyStore());
  let effects = 0;
  const make = () =>
    new MCPServer({ name: "slow", version: "1.0.0", idempotency: { store } }).tool(
      "order",
      { ...about, input, idempotent: true },
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return new ToolResponse(++effects, { metadata: { action: "order" } });
      },
    );
  const clients = [await connect(make()), await connect(make())];
  const calls = Array.from({ length: 1_000 }, async (_, call) =>
    clients[call % 2]?.call("order", { item: "pen" }),
  );
  expect(new Set(await Promise.all(calls))).toEqual(new Set([1]));
  expect(effects).toBe(1);
});

test("what fails may be tried again; what succeeds although its caller has gone is not done twice", async () => {
  let runs = 0;
  const server = new MCPServer({ name: "fails", version: "1.0.0" })
    .tool("fail", { ...about, idempotent: true }, () => {
      if (++runs === 1) throw new ToolError("Out of stock");
      return runs;
    })
    .tool("slow", { ...about, timeout: 40, idempotent: true }, async () => {
      runs++;
      await new Promise((resolve) => setTimeout(resolve, 400));
      return "ordered";
    });
  const client = await connect(server);
  expect(await codeOf(client.call("fail"))).toBe("TOOL_ERROR");
  expect([await client.call("fail"), await client.call("fail")]).toEqual([2, 2]);
  expect(await codeOf(client.call("slow"))).toBe("TIMEOUT");
  expect(await codeOf(client.call("slow"))).toBe("TIMEOUT");
  await vi.waitFor(async () => expect(await client.call("slow")).toBe("ordered"), { timeout: 5_000 });
  expect(runs).toBe(3);
});

test("a call that asks runs again with its answers, and then no more", async () => {
  let effects = 0;
  const server = new MCPServer({ name: "asks", version: "1.0.0" }).tool(
    "order",
    { ...about, idempotent: true },
    async (_args, ctx) => {
      const answer = await ctx.elicit("Sure?", z.object({ sure: z.boolean() }));
      return `${answer.action} ${++effects}`;
    },
  );
  const client = await TestClient.connect(server, {
    onElicit: () => ({ action: "accept", content: { sure: true } }),
  });
  expect([await client.call("order"), await client.call("order")]).toEqual(["accept 1", "accept 1"]);
});

test("a user may take longer to answer than a call: it is not made again meanwhile", async () => {
  let now = 0;
  let answer = () => {};
  let effects = 0;
  const store = memoryIdempotencyStore({ now: () => now });
  const options = { http: { sessions: true }, idempotency: { store }, logger: capturedLog().logger };
  const server = new MCPServer({ name: "asks", version: "1.0.0", ...options }).tool(
    "order",
    { ...about, timeout: 250, idempotent: true },
    async (_args, ctx) => {
      const { action } = await ctx.elicit("Sure?", z.object({ sure: z.boolean() }));
      return `${action} ${++effects}`;
    },
  );
  const { url, close } = await listen(server);
  const way = { client: "sdk 1.32", era: "legacy", over: "sessions" } as const;
  const client = await connectTo(url, way, { capabilities: { elicitation: {} } }, close);
  client.onElicit = () =>
    new Promise((resolve) => {
      answer = () => resolve({ action: "accept", content: { sure: true } });
    });
  const text = async () => JSON.stringify((await client.callTool("order")).content);
  const first = text();
  await vi.waitFor(() => expect(client.asked.length).toBe(1));
  // A claim is made for a call's time and a minute, and renewed while the call waits.
  for (const time of [50_000, 100_000]) {
    await new Promise((resolve) => setTimeout(resolve, 600));
    now = time;
  }
  expect(await text()).toContain("TIMEOUT");
  answer();
  expect([await first, await text()]).toEqual(Array(2).fill(expect.stringContaining("accept 1")));
  expect(client.asked.length).toBe(1);
  await client.close();
});

test("while its store fails, so does the tool, and nobody is told why", async () => {
  const { logger, entries } = capturedLog();
  const broken = () => Promise.reject(new Error("connection refused to 10.0.0.7"));
  const store: IdempotencyStore = { claim: broken, replace: broken, release: broken };
  const { server, orders } = shop(true, { idempotency: { store }, logger });
  const result = await (await connect(server)).callTool("order", { item: "pen" });
  expect([result.isError, JSON.stringify(result).includes("10.0.0.7"), orders]).toEqual([true, false, []]);
  const late: IdempotencyStore = { claim: () => undefined, replace: broken, release: broken };
  const { server: other } = shop(true, { idempotency: { store: late }, logger });
  expect(await (await connect(other)).call("order", { item: "pen" })).toMatchObject({ id: 1 });
  expect(entries().at(-1)).toMatchObject({
    level: "error",
    message: "What an idempotent call came to could not be recorded",
  });
});

test.each(["junk", "null", '{"args":"x"}', '{"claim":"x","result":"junk"}'])(
  "a record that is %s is told in the log, and the call is refused rather than run",
  async (record) => {
    const { logger, entries } = capturedLog();
    const store: IdempotencyStore = { claim: () => record, replace() {}, release() {} };
    const { server, orders } = shop(true, { idempotency: { store }, logger });
    expect(await codeOf((await connect(server)).call("order", { item: "pen" }))).toBe("BACKEND_UNAVAILABLE");
    expect(orders).toEqual([]);
    expect(entries()).toContainEqual(
      expect.objectContaining({
        level: "error",
        name: "order",
        message: "A record of an idempotent call cannot be read: the call is refused until it is deleted",
      }),
    );
  },
);

test("arguments that cannot be compared are an error of the server, and the log says what to write", async () => {
  const { logger, entries } = capturedLog();
  const { server } = shop(true, { logger });
  let runs = 0;
  const link = z.object({ link: z.string().transform((text) => new URL(text)) });
  server.tool("open", { ...about, input: link, idempotent: true }, () => ++runs);
  const client = await connect(server);
  expect(await codeOf(client.call("open", { link: "https://a.example" }))).toBe("INTERNAL_ERROR");
  expect(runs).toBe(0);
  expect(JSON.stringify(entries().at(-1))).toContain("or say idempotent: false");
});

test("what is given again invalidates nothing again", async () => {
  let runs = 0;
  const { server } = shop();
  server
    .tool("list", { ...about, tags: ["orders"], cache: { ttl: "5m" } }, () => ++runs)
    .tool("add", { ...about, idempotent: true, invalidates: ["orders"] }, () => "added");
  const client = await connect(server);
  await client.call("add");
  expect(await client.call("list")).toBe(1);
  await client.call("add");
  expect(await client.call("list")).toBe(1);
});

test.each<readonly [object, string]>([
  [{ idempotent: null }, 'Tool "t": idempotent is null: write true, or { ttl: "1h" }.'],
  [{ idempotent: { ttl: 0 } }, "ttl is 0, which keeps nothing"],
  [{ idempotent: { key: "header" } }, 'key is "header": write "arguments" or "client".'],
  [{ idempotent: { keys: 1 } }, 'idempotent: unknown option "keys". Did you mean "key"?'],
  [{ idempotent: true, cache: { ttl: 1 } }, "has a cache, and is idempotent"],
])("%j is refused, with what to write", (options, message) => {
  const tool = () =>
    new MCPServer({ name: "wrong", version: "1.0.0" }).tool("t", { ...about, ...options }, () => "");
  expect(tool).toThrow(ConfigurationError);
  expect(tool).toThrow(message);
  expect(
    () => new MCPServer({ name: "wrong", version: "1.0.0", idempotency: { store: {} as never } }),
  ).toThrow("idempotency.store has no claim and no replace and no release");
});
