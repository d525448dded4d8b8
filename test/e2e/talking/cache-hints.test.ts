/** How long and for whom clients may keep what they are told (2026-07-28, "Caching"). */

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import {
  type CacheHint,
  ConfigurationError,
  MCPRouter,
  MCPServer,
  type MCPServerOptions,
  type RequestContext,
  authenticate,
} from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { listen } from "../../support/listening.ts";
import { TALKING_WAYS, talk } from "../../support/talkers.ts";

type Hint = { readonly ttlMs?: unknown; readonly cacheScope?: unknown };

const hintOf = ({ ttlMs, cacheScope }: Hint): readonly unknown[] => [ttlMs, cacheScope];

const OPERATIONS = [
  "server/discover",
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
];

function server(options: Partial<MCPServerOptions> = {}, hint?: CacheHint): MCPServer {
  return new MCPServer({ name: "cached", version: "1.0.0", pageSize: 1, ...options })
    .tool("a", { description: "A." }, () => "a")
    .tool("b", { description: "B." }, () => "b")
    .prompt("p", { description: "P." }, () => "p")
    .resource(
      "plain://it",
      { name: "plain", description: "Plain.", ...(hint && { cacheHint: hint }) },
      () => "plain",
    )
    .resource(
      "plain://{id}",
      { name: "template", description: "Template.", ...(hint && { cacheHint: hint }) },
      ({ id }) => id,
    )
    .resource(
      "mine://it",
      { name: "mine", description: "Mine.", ...(hint && { cacheHint: hint }) },
      (_params, ctx) => ctx.requestId,
    );
}

const client = (which: MCPServer) => TestClient.connect(which);

describe("lists and discovery", () => {
  test.each(OPERATIONS)("%s: for everybody, and not to be kept, where nothing is said", async (method) => {
    expect(hintOf(await (await client(server())).request(method))).toEqual([0, "public"]);
  });

  test.each(OPERATIONS)(
    "%s: private where there is middleware, which may tell callers apart",
    async (method) => {
      const layered = server().use((_ctx, next) => next());
      expect(hintOf(await (await client(layered)).request(method))).toEqual([0, "private"]);
    },
  );

  test.each(OPERATIONS)("%s: as the author says", async (method) => {
    const hours = await client(server({ cacheHint: { ttl: "2h" } }));
    expect(hintOf(await hours.request(method))).toEqual([7_200_000, "public"]);
    const layered = await client(
      server({ cacheHint: { ttl: 1_500, scope: "public" } }).use((_ctx, next) => next()),
    );
    expect(hintOf(await layered.request(method))).toEqual([1_500, "public"]);
    const own = await client(server({ cacheHint: { ttl: "1s", scope: "private" } }));
    expect(hintOf(await own.request(method))).toEqual([1_000, "private"]);
  });

  test("are said alike on every page", async () => {
    const caller = await client(server({ cacheHint: { ttl: "1m" } }));
    const first = await caller.request("tools/list");
    const second = await caller.request("tools/list", { cursor: first["nextCursor"] });
    expect(hintOf(second)).toEqual(hintOf(first));
  });
});

describe("what is read", () => {
  const read = async (which: MCPServer, uri: string) =>
    hintOf(await (await client(which)).request("resources/read", { uri }));

  test("is for everybody where the handler cannot know its caller", async () => {
    expect(await read(server({}, { ttl: "5m" }), "plain://it")).toEqual([300_000, "public"]);
    expect(await read(server({}, { ttl: "5m" }), "plain://7")).toEqual([300_000, "public"]);
    expect(await read(server(), "plain://it")).toEqual([0, "public"]);
  });

  test("is private where the handler takes the context, or middleware stands before it", async () => {
    expect(await read(server({}, { ttl: "5m" }), "mine://it")).toEqual([300_000, "private"]);
    expect(
      await read(
        server({}, { ttl: "5m" }).use((_ctx, next) => next()),
        "plain://it",
      ),
    ).toEqual([300_000, "private"]);
  });

  test("is private where a router's middleware stands before it", async () => {
    const router = new MCPRouter({ middleware: [(_ctx, next) => next()] }).resource(
      "routed://it",
      { name: "routed", description: "Routed.", cacheHint: { ttl: "1m" } },
      () => "routed",
    );
    const which = new MCPServer({ name: "routing", version: "1.0.0" }).include(router);
    expect(await read(which, "routed://it")).toEqual([60_000, "private"]);
  });

  test("is as the author says", async () => {
    expect(await read(server({}, { ttl: "5m", scope: "public" }), "mine://it")).toEqual([300_000, "public"]);
    expect(await read(server({}, { ttl: "5m", scope: "private" }), "plain://it")).toEqual([
      300_000,
      "private",
    ]);
  });

  const wrapped =
    (handler: (...all: never[]) => unknown) =>
    (...all: unknown[]) =>
      handler(...(all as never[]));

  test.each<[string, (...all: never[]) => unknown, string]>([
    ["knows its caller", (_params: object, ctx: RequestContext) => ctx.clientInfo?.name, "private"],
    ["reads what the request carries", (_params: object, ctx: RequestContext) => ctx.meta, "private"],
    ["knows nothing of it", (_params: object) => "same", "public"],
    ["only watches its signal", (_params: object, ctx: RequestContext) => ctx.signal.aborted, "public"],
  ])("is what it is by what a wrapped handler does, which %s", async (_what, handler, scope) => {
    const which = new MCPServer({ name: "wrapped", version: "1.0.0" }).resource(
      "wrapped://it",
      { name: "wrapped", description: "Wrapped.", cacheHint: { ttl: "1m" } },
      wrapped(handler),
    );
    expect(await read(which, "wrapped://it")).toEqual([60_000, scope]);
  });

  test("is nobody's to keep where a middleware made it", async () => {
    const which = server({}, { ttl: "5m", scope: "public" }).use(async (ctx, next) =>
      ctx.operation.kind === "resource" ? "made" : next(),
    );
    expect(await read(which, "plain://it")).toEqual([0, "private"]);
  });

  test("is nobody's to keep where it came of answers, and a question carries no hint at all", async () => {
    const asking = new MCPServer({ name: "asks", version: "1.0.0" }).resource(
      "asks://it",
      { name: "asks", description: "Asks.", cacheHint: { ttl: "5m", scope: "public" } },
      async (_params, ctx) => (await ctx.elicit("Which?", z.object({ which: z.string() }))).action,
    );
    const caller = await TestClient.connect(asking, { clientCapabilities: { elicitation: {} } });
    const question = await caller.request("resources/read", { uri: "asks://it" });
    expect(question["resultType"]).toBe("input_required");
    expect(question).not.toHaveProperty("ttlMs");
    expect(question).not.toHaveProperty("cacheScope");
    const answering = await TestClient.connect(asking, {
      onElicit: () => ({ action: "accept", content: { which: "this" } }),
    });
    expect(hintOf(await answering.request("resources/read", { uri: "asks://it" }))).toEqual([0, "private"]);
  });
});

describe("no hint", () => {
  test("is given with tools, prompts and completions, nor before 2026-07-28", async () => {
    const caller = await client(server({ cacheHint: { ttl: "1h" } }, { ttl: "1h" }));
    const results = [
      await caller.request("tools/call", { name: "a", arguments: {} }),
      await caller.request("prompts/get", { name: "p" }),
    ];
    const old = await TestClient.connect(server({ cacheHint: { ttl: "1h" } }, { ttl: "1h" }), {
      era: "2025-11-25",
    });
    results.push(await old.request("tools/list"), await old.request("resources/read", { uri: "plain://it" }));
    for (const result of results) expect(hintOf(result)).toEqual([undefined, undefined]);
  });

  test.each([
    { ttl: -1 },
    { ttl: "soon" },
    { ttl: Number.NaN },
    { ttl: "1s", scope: "all" },
  ] as unknown as CacheHint[])("is taken that is none: %j", (cacheHint) => {
    expect(() => server({ cacheHint })).toThrow(ConfigurationError);
    expect(() => server({}, cacheHint)).toThrow(ConfigurationError);
  });
});

describe("the official client", () => {
  test("keeps what it may keep, until it hears of a change", async () => {
    const read = vi.fn<() => string>(() => "read");
    const which = new MCPServer({ name: "kept", version: "1.0.0", cacheHint: { ttl: "1h" } })
      .tool("a", { description: "A." }, () => "a")
      .resource("kept://it", { name: "kept", description: "Kept.", cacheHint: { ttl: "1h" } }, read)
      .resource("fresh://it", { name: "fresh", description: "Fresh." }, read);
    const running = await listen(which);
    const reader = new Client({ name: "keeps", version: "1" }, { versionNegotiation: { mode: "auto" } });
    await reader.connect(new StreamableHTTPClientTransport(new URL(running.url)));
    for (let i = 0; i < 3; i++) await reader.readResource({ uri: "kept://it" });
    expect(read).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 3; i++) await reader.readResource({ uri: "fresh://it" });
    expect(read).toHaveBeenCalledTimes(4);
    const names = async () => (await reader.listTools()).tools.map(({ name }) => name);
    expect(await names()).toEqual(["a"]);
    which.tool("b", { description: "B." }, () => "b");
    expect(await names()).toEqual(["a"]);
    await reader.listen({ toolsListChanged: true, resourceSubscriptions: ["kept://it"] });
    which.tool("c", { description: "C." }, () => "c");
    which.notify.resourceUpdated("kept://it");
    await expect.poll(names).toEqual(["a", "b", "c"]);
    await reader.readResource({ uri: "kept://it" });
    expect(read).toHaveBeenCalledTimes(5);
    await reader.close();
    await running.close();
  });

  test("is told the same over stdio as over HTTP", async () => {
    const [http, stdio] = await Promise.all(
      TALKING_WAYS.filter(({ era }) => era === "modern").map((way) => talk(way)),
    );
    for (const method of OPERATIONS) {
      const [one, two] = [await http?.request(method), await stdio?.request(method)];
      expect(hintOf(one as Hint)).toEqual([0, "public"]);
      expect(hintOf(two as Hint)).toEqual([0, "public"]);
    }
    for (const uri of ["board://status", "kept://it"]) {
      const params = { uri };
      const [one, two] = [
        await http?.request("resources/read", params),
        await stdio?.request("resources/read", params),
      ];
      expect(hintOf(two as Hint)).toEqual(hintOf(one as Hint));
    }
    await Promise.all([http?.close(), stdio?.close()]);
  });
});

describe("where callers are identified", () => {
  const identified = (options: Partial<MCPServerOptions> = {}) =>
    new MCPServer({ name: "cached", version: "1.0.0", ...options }).use(
      authenticate({ authenticate: ({ token }) => (token ? { clientId: token } : undefined) }),
    );
  const publicly = { ttl: "1h", scope: "public" } as const;
  const ana = (which: MCPServer) => TestClient.connect(which, { headers: { authorization: "Bearer ana" } });

  test("what needs identity cannot be for everybody", async () => {
    const which = identified().resource(
      "me://it",
      { name: "me", description: "Me.", auth: true, cacheHint: publicly },
      (_params, { client: { clientId } }) => clientId,
    );
    await expect(ana(which)).rejects.toThrow(
      'Resource "me://it" asks who calls, and its cacheHint lets others keep the answer. Leave out scope: "public".',
    );
  });

  test("lists that show each caller its own are private, and so is what a known caller reads", async () => {
    const which = identified({ cacheHint: publicly })
      .resource(
        "open://it",
        { name: "open", description: "Open.", public: true, cacheHint: publicly },
        () => "open",
      )
      .tool("mine", { description: "Mine.", auth: true }, () => "mine");
    const known = await ana(which);
    for (const method of OPERATIONS)
      expect(hintOf(await known.request(method))).toEqual([3_600_000, "private"]);
    expect(hintOf((await known.readResource("open://it")) as Hint)).toEqual([3_600_000, "private"]);
    const unknown = await client(which);
    expect(hintOf((await unknown.readResource("open://it")) as Hint)).toEqual([3_600_000, "public"]);
  });
});
