/** How often callers may call: who is counted with whom, what a refusal says, and what headers tell. */

import {
  ConfigurationError,
  type CountedBy,
  type LimitStore,
  type Logger,
  MCPRouter,
  MCPServer,
  type RateLimitLayerOptions,
  authenticate,
  memoryLimitStore,
  rateLimit,
} from "gantry-mcp";
import { RequestError, TestClient, type ToolCallError } from "gantry-mcp/testing";
import { afterEach, describe, expect, test } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";
import { type Answer, MODERN, modern, modernHeaders, send } from "../../support/wire.ts";

const about = { description: "About it." };

/** A token is a name, and perhaps a tenant. */
const callers = () =>
  authenticate(
    {
      authenticate: ({ token }) => {
        const [clientId, tenantId] = token?.split("@") ?? [];
        return clientId === undefined ? undefined : { clientId, tenantId };
      },
    },
    { optional: true },
  );

let now = 1_000_000;
const store = () => memoryLimitStore({ now: () => now });

function served(options: RateLimitLayerOptions, logger?: Logger): MCPServer {
  const limits = { store: store() };
  return new MCPServer({ name: "limited", version: "1.0.0", limits, ...(logger && { logger }) })
    .use(callers())
    .use(rateLimit(options))
    .tool("search", about, () => "found")
    .tool("export", { ...about, tags: ["costly"] }, () => "exported")
    .resource("notes://{id}", { ...about, name: "note" }, ({ id }) => id)
    .prompt("plan", about, () => "Plan it.");
}

const as = (server: MCPServer, token?: string, era: "2026-07-28" | "2025-11-25" = MODERN) =>
  TestClient.connect(server, { era, ...(token && { headers: { authorization: `Bearer ${token}` } }) });

/** How many of `times` calls pass. */
async function passing(call: () => Promise<unknown>, times: number): Promise<number> {
  let passed = 0;
  for (let time = 0; time < times; time++) {
    try {
      await call();
      passed++;
    } catch (error) {
      const { code, data } = error as { code: unknown; data?: { code?: unknown } };
      if ((data?.code ?? code) !== "RATE_LIMIT_EXCEEDED") throw error;
    }
  }
  return passed;
}

const refusalOf = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable("It passed."),
    (error: unknown) => error as ToolCallError,
  );

describe.each(["2026-07-28", "2025-11-25"] as const)("rateLimit, revision %s", (era) => {
  test("the guide's: 100 calls a minute for each tool and caller, and the 101st is told when to come back", async () => {
    const server = served({ perMinute: 100, perTool: true });
    const ana = await as(server, "ana", era);
    expect(await passing(() => ana.call("search"), 100)).toBe(100);
    const refusal = await refusalOf(ana.call("search"));
    expect(refusal.body).toEqual({
      code: "RATE_LIMIT_EXCEEDED",
      message: "Rate limit exceeded",
      retryable: true,
      suggestion: "Wait 1 second before retrying.",
      details: { retry_after_seconds: 0.6 },
      requestId: expect.any(String),
    });
    expect(await ana.call("export")).toBe("exported");
    expect(await (await as(server, "ben", era)).call("search")).toBe("found");
    now += 600;
    expect(await passing(() => ana.call("search"), 3)).toBe(1);
  });

  test("what a component declares is enforced without a layer, and said in its words", async () => {
    const server = new MCPServer({ name: "limited", version: "1.0.0", limits: { store: store() } })
      .tool("search", { ...about, rateLimit: "3/min" }, () => "found")
      .resource("notes://{id}", { ...about, name: "note", rateLimit: { perHour: 2 } }, ({ id }) => id)
      .prompt("plan", { ...about, rateLimit: ["1/s", "2/min"] }, () => "Plan it.");
    const client = await as(server, undefined, era);
    expect(await passing(() => client.call("search"), 5)).toBe(3);
    expect((await refusalOf(client.call("search"))).message).toBe(
      "Rate limit exceeded for tool 'search' (declared limit: 3/min)",
    );
    let note = 0;
    expect(await passing(() => client.readResource(`notes://${++note}`), 5)).toBe(2);
    expect(await passing(() => client.getPrompt("plan"), 3)).toBe(1);
    now += 1_000;
    expect(await passing(() => client.getPrompt("plan"), 3)).toBe(1);
    now += 1_000;
    expect(await passing(() => client.getPrompt("plan"), 3)).toBe(0);
  });

  test("what fails otherwise than as a tool call is 429 over HTTP, and says when to try again", async () => {
    const client = await as(served({ perMinute: 1, algorithm: "sliding-window" }), "ana", era);
    await client.getPrompt("plan");
    const refusal = await client.getPrompt("plan").catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RequestError);
    expect(refusal).toMatchObject({
      status: 429,
      code: -32603,
      data: { code: "RATE_LIMIT_EXCEEDED", details: { retry_after_seconds: expect.any(Number) } },
    });
  });

  test("names of tools that are not there are counted together, in whatever case", async () => {
    const client = await as(served({ perMinute: 3, perTool: true }), "ana", era);
    const names = ["SEARCH", "Search", "sEarch", "nothing", "none"];
    const codes = [];
    for (const name of names)
      codes.push(await client.call(name).catch(({ code }: { code: unknown }) => code));
    expect(codes).toEqual([-32602, -32602, -32602, "RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED"]);
    expect(await client.call("search")).toBe("found");
  });
});

describe("who is counted with whom", () => {
  test("by client: one caller with many tokens has one limit, whatever its revision", async () => {
    const server = served({ perMinute: 4 });
    const modernAna = await as(server, "ana");
    const legacyAna = await as(server, "ana", "2025-11-25");
    expect(await passing(() => modernAna.call("search"), 3)).toBe(3);
    expect(await passing(() => legacyAna.call("export"), 3)).toBe(1);
    expect(await passing(() => modernAna.readResource("notes://1"), 1)).toBe(0);
  });

  test("by tenant: its callers together, those without one by themselves", async () => {
    const server = served({ perMinute: 2, by: "tenant" });
    const clients = await Promise.all(
      ["ana@acme", "ben@acme", "cy", "dan"].map((token) => as(server, token)),
    );
    const [ana, ben, cy, dan] = clients as [TestClient, TestClient, TestClient, TestClient];
    expect(await passing(() => ana.call("search"), 1)).toBe(1);
    expect(await passing(() => ben.call("search"), 3)).toBe(1);
    expect(await passing(() => cy.call("search"), 3)).toBe(2);
    expect(await passing(() => dan.call("search"), 3)).toBe(2);
  });

  test("by server: all together", async () => {
    const server = served({ perMinute: 3, by: "server" });
    const [ana, ben] = [await as(server, "ana"), await as(server, "ben")];
    expect((await passing(() => ana.call("search"), 2)) + (await passing(() => ben.call("search"), 2))).toBe(
      3,
    );
  });

  test("by a function, which may leave calls uncounted", async () => {
    const by: RateLimitLayerOptions["by"] = ({ client, operation }) =>
      client.clientId === "ops" ? undefined : operation.name;
    const server = served({ perMinute: 2, by });
    const [ana, ops] = [await as(server, "ana"), await as(server, "ops")];
    expect(await passing(() => ops.call("search"), 10)).toBe(10);
    expect(await passing(() => ana.call("search"), 10)).toBe(2);
    expect(await passing(() => ana.call("export"), 10)).toBe(2);
  });

  test.each<readonly [string, unknown]>([
    ["a promise", async () => "ana"],
    ["an object", () => ({ id: "ana" })],
    ["a number", () => 7],
  ])(
    "by a function that gives %s, which would be the same for many: the log says what to give",
    async (_what, by) => {
      const log = capturedLog();
      const client = await as(served({ perMinute: 2, by: by as CountedBy }, log.logger), "ana");
      await expect(client.call("search")).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
      expect(log.entries()).toMatchObject([
        { err: { message: expect.stringMatching(/^by gave .*: give a text at once, or undefined/) } },
      ]);
    },
  );

  test("weights count for more, and what costs nothing always passes", async () => {
    const weight: RateLimitLayerOptions["weight"] = ({ operation: { kind, tags } }) =>
      kind === "prompt" ? 0 : tags.includes("costly") ? 5 : 1;
    const client = await as(served({ perMinute: 10, weight }), "ana");
    expect(await passing(() => client.call("export"), 3)).toBe(2);
    expect(await passing(() => client.call("search"), 1)).toBe(0);
    expect(await passing(() => client.getPrompt("plan"), 5)).toBe(5);
  });

  test("a weight that could never pass is the author's mistake, and no answer to the caller", async () => {
    const client = await as(served({ perMinute: 10, weight: () => 11 }), "ana");
    await expect(client.call("search")).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
  });

  test("lists, discovery and handshakes are not counted unless asked for", async () => {
    const free = await as(served({ perMinute: 1 }), "ana");
    for (let time = 0; time < 5; time++) await free.listTools();
    expect(await free.call("search")).toBe("found");
    const counted = await as(served({ perMinute: 2, kinds: ["list"] }), "ana");
    expect(await passing(() => counted.listTools(), 5)).toBe(2);
  });

  test("a router's limit is its own", async () => {
    const router = new MCPRouter({ prefix: "reports", middleware: [rateLimit({ perMinute: 1 })] });
    router.tool("yearly", about, () => "all of it");
    const client = await as(served({ perMinute: 3 }).include(router), "ana");
    expect(await passing(() => client.call("reports_yearly"), 2)).toBe(1);
    expect(await passing(() => client.call("search"), 3)).toBe(1);
  });
});

describe("headers", () => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  async function listening(server: MCPServer) {
    const { url, close } = await listen(server);
    ends.push(close);
    return (headers: Record<string, string> = {}, era = MODERN, name = "search"): Promise<Answer> =>
      era === MODERN
        ? send(url, {
            headers: { ...modernHeaders("tools/call", name), ...headers },
            body: JSON.stringify(modern("tools/call", { name, arguments: {} })),
          })
        : send(url, {
            headers: {
              "content-type": "application/json",
              accept: "application/json",
              "mcp-protocol-version": era,
              ...headers,
            },
            body: JSON.stringify({
              jsonrpc: "2.0",
              id: 1,
              method: "tools/call",
              params: { name, arguments: {} },
            }),
          });
  }

  test("tell of each window on every answer, and when to try again on refusals", async () => {
    const server = served({ perSecond: 2, perDay: 1_000, name: "api" });
    server.tool("heavy", { ...about, rateLimit: "5/min" }, () => "done");
    const call = await listening(server);
    const first = await call({}, MODERN, "heavy");
    expect(first.status).toBe(200);
    expect(first.headers).toMatchObject({
      "ratelimit-policy": '"api-second";q=2;w=1, "api-day";q=1000;w=86400, "heavy-minute";q=5;w=60',
      ratelimit: '"api-second";r=1;t=1, "api-day";r=999;t=87, "heavy-minute";r=4;t=12',
    });
    expect(first.headers["retry-after"]).toBeUndefined();
    await call();
    const refused = await call();
    expect(refused.status).toBe(200);
    expect(refused.headers).toMatchObject({
      ratelimit: expect.stringContaining('"api-second";r=0;t=1'),
      "retry-after": "1",
    });
    expect(refused.json?.result).toMatchObject({ isError: true });
  });

  test.each([{ algorithm: "sliding-window" }, { burst: 3 }] as const)(
    "never tell of more time than the window has: %j",
    async (more) => {
      const call = await listening(served({ perMinute: 1, ...more }));
      const { headers } = await call();
      await call();
      await call();
      expect(headers).toMatchObject({ "ratelimit-policy": expect.stringContaining(";w=60") });
      const times = [headers, (await call()).headers].map(
        ({ ratelimit }) => /;t=(\d+)$/.exec(String(ratelimit))?.[1],
      );
      expect(times).toEqual(["60", "60"]);
    },
  );

  describe.each([MODERN, "2025-11-25"])("evasion, revision %s", (era) => {
    const limit = 50;

    /** How many of `times` calls pass, each with headers of its own. */
    async function allowed(
      call: Awaited<ReturnType<typeof listening>>,
      times: number,
      headers: (index: number) => Record<string, string>,
    ) {
      const answers = await Promise.all(
        Array.from({ length: times }, (_, index) => call(headers(index), era)),
      );
      return answers.filter(({ text }) => !text.includes("RATE_LIMIT_EXCEEDED")).length;
    }

    test("addresses that the caller makes up are not believed", async () => {
      const call = await listening(served({ perHour: limit }));
      const passed = await allowed(call, 3 * limit, (index) => ({
        "x-forwarded-for": `203.0.113.${index}`,
        "x-real-ip": `203.0.113.${index}`,
        forwarded: `for=203.0.113.${index}`,
        "x-client-ip": `203.0.113.${index}`,
      }));
      expect(passed).toBe(limit);
    });

    test("behind a proxy, hosts of one network of 64 bits are one caller, and IPv4 is IPv4 however written", async () => {
      const server = new MCPServer({
        name: "limited",
        version: "1.0.0",
        http: { trustedProxies: ["127.0.0.1"] },
        limits: { store: store() },
      })
        .use(rateLimit({ perHour: limit }))
        .tool("search", about, () => "found");
      const call = await listening(server);
      const hosts = await allowed(call, 3 * limit, (index) => ({
        "x-forwarded-for": `2001:db8:1:2:${(index * 7).toString(16)}::${index.toString(16)}`,
      }));
      expect(hosts).toBe(limit);
      const spellings = [
        "198.51.100.7",
        "::ffff:198.51.100.7",
        "::ffff:c633:6407",
        "0:0:0:0:0:ffff:c633:6407",
      ];
      const mapped = await allowed(call, 3 * limit, (index) => ({
        "x-forwarded-for": spellings[index % spellings.length] as string,
      }));
      expect(mapped).toBe(limit);
      const strangers = await allowed(call, 3 * limit, (index) => ({
        "x-forwarded-for": `2001:db8:2:${index}::1`,
      }));
      expect(strangers).toBe(3 * limit);
    });

    test("one caller is one caller, by whatever name, revision, header or body it calls", async () => {
      const call = await listening(served({ perHour: limit, perTool: true }));
      const modernCalls = await allowed(call, limit, () => ({ authorization: "Bearer ana" }));
      const others = await Promise.all(
        ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"].map((revision) =>
          call({ authorization: "bearer  ana" }, revision),
        ),
      );
      expect(modernCalls).toBe(limit);
      for (const { text } of others) expect(text).toContain("RATE_LIMIT_EXCEEDED");
      const contradicting = await call({ authorization: "Bearer ana", "mcp-name": "export" }, MODERN);
      expect([400, 200]).toContain(contradicting.status);
      expect(contradicting.text).not.toContain("found");
    });
  });
});

describe("set-ups that cannot be", () => {
  test.each<readonly [unknown, string]>([
    [
      {},
      "rateLimit() limits nothing. Write perSecond, perMinute, perHour or perDay, such as { perMinute: 100 }.",
    ],
    [{ perMinute: 0 }, "rateLimit(): perMinute is 0: write a whole number from 1."],
    [{ perMinute: 1.5 }, "rateLimit(): perMinute is 1.5: write a whole number from 1."],
    [{ per_minute: 5 }, 'rateLimit(): unknown option "per_minute". Did you mean "perMinute"?'],
    [
      { perMinute: 5, by: "user" },
      'rateLimit(): by is "user": write "client", "tenant", "address", "server", or a function',
    ],
    [
      { perMinute: 5, algorithm: "gcra" },
      'rateLimit(): algorithm is "gcra": write "token-bucket" or "sliding-window".',
    ],
    [{ perMinute: 5, burst: 2, algorithm: "sliding-window" }, "rateLimit(): a sliding window has no burst."],
    [{ perMinute: 5, weight: 2 }, "rateLimit(): weight is 2: write a function"],
    [{ perMinute: 5, name: "a b" }, 'rateLimit(): name is "a b": use 1 to 64 letters'],
    [undefined, "rateLimit() got undefined: write rateLimit({ perMinute: 100 })."],
  ])("%j is refused, with what to write", (options, message) => {
    expect(() => rateLimit(options as RateLimitLayerOptions)).toThrow(ConfigurationError);
    expect(() => rateLimit(options as RateLimitLayerOptions)).toThrow(message);
  });

  test.each<readonly [unknown, string]>([
    ["100/mn", 'Tool "act": rateLimit is "100/mn": write a count and a unit, such as "10/s"'],
    ["0/min", 'Tool "act": rateLimit is "0/min": write a count and a unit'],
    ["-1/min", 'Tool "act": rateLimit is "-1/min": write a count and a unit'],
    [["1/s", "60/sec"], 'Tool "act": rateLimit has two rates for the same time.'],
    [5, 'Tool "act": rateLimit is 5: write "100/min", or { perMinute: 100 }.'],
    [{ perTool: true, perMinute: 5 }, 'Tool "act": rateLimit: unknown option "perTool".'],
  ])("a declared %j is refused where it is registered", (declared, message) => {
    const server = new MCPServer({ name: "limited", version: "1.0.0" });
    expect(() => server.tool("act", { ...about, rateLimit: declared as "1/s" }, () => "")).toThrow(message);
  });

  test("a limit of callers outside the layer that finds out who calls is refused at the start", async () => {
    const server = new MCPServer({ name: "limited", version: "1.0.0" })
      .use(rateLimit({ perMinute: 100 }))
      .use(callers())
      .tool("act", about, () => "");
    await expect(listen(server)).rejects.toThrow(
      'rateLimit() counts callers, and stands outside authenticate(), which finds out who calls. Write server.use(rateLimit(…)) after server.use(authenticate(…)), or count by: "address".',
    );
  });

  test("two limits that would count as one are refused at the start, unless they are one or have names", async () => {
    const make = (...layers: ReturnType<typeof rateLimit>[]) => {
      const server = new MCPServer({ name: "limited", version: "1.0.0" });
      layers.forEach((layer, index) =>
        server.include(
          new MCPRouter({ prefix: `r${index}`, middleware: [layer] }).tool("act", about, () => "done"),
        ),
      );
      return server;
    };
    await expect(listen(make(rateLimit({ perMinute: 5 }), rateLimit({ perMinute: 5 })))).rejects.toThrow(
      "Two rateLimit() count under one name",
    );
    const shared = rateLimit({ perMinute: 1 });
    const together = await TestClient.connect(make(shared, shared));
    expect(await together.call("r0_act")).toBe("done");
    await expect(together.call("r1_act")).rejects.toMatchObject({ code: "RATE_LIMIT_EXCEEDED" });
    const apart = await TestClient.connect(
      make(rateLimit({ perMinute: 1, name: "a" }), rateLimit({ perMinute: 1, name: "b" })),
    );
    expect([await apart.call("r0_act"), await apart.call("r1_act")]).toEqual(["done", "done"]);
  });

  test("a store that is none is refused", () => {
    expect(
      () => new MCPServer({ name: "limited", version: "1.0.0", limits: { store: {} as LimitStore } }),
    ).toThrow("limits.store has no charge: write a method of that name.");
  });
});

test("a store may answer later, and one that fails lets nothing pass", async () => {
  const inner = store();
  let broken = false;
  const slow: LimitStore = {
    charge: async (charges) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (broken) throw new Error("ECONNREFUSED 10.0.0.7:6379");
      return inner.charge(charges);
    },
  };
  const server = new MCPServer({ name: "limited", version: "1.0.0", limits: { store: slow } }).tool(
    "act",
    { ...about, rateLimit: "5/min" },
    () => "done",
  );
  const client = await TestClient.connect(server);
  expect(await passing(() => client.call("act"), 8)).toBe(5);
  broken = true;
  const refusal = await refusalOf(client.call("act"));
  expect(refusal.code).toBe("INTERNAL_ERROR");
  expect(JSON.stringify(refusal.body)).not.toContain("10.0.0.7");
});
