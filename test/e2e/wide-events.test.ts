/** What the line that `logging()` writes of a call says: all that is known of it, and what its handler adds. */

import { setTimeout as sleep } from "node:timers/promises";
import {
  type Identity,
  type LoggingOptions,
  MCPRouter,
  MCPServer,
  ToolResponse,
  authenticate,
  concurrency,
  logging,
} from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { capturedLog } from "../support/captured-log.ts";

const about = { description: "About it." };
const identity: Identity = { clientId: "agent", subject: "ana", tenantId: "acme" };

function logged(options: LoggingOptions = {}) {
  const log = capturedLog();
  const server = new MCPServer({ name: "logged", version: "1.0.0", logger: log.logger })
    .use(logging({ kinds: ["tool", "prompt", "resource"], ...options }))
    .use(
      authenticate(
        { authenticate: ({ token }) => (token === undefined ? undefined : identity) },
        { optional: true },
      ),
    );
  return { server, log, lines: () => log.entries().filter(({ outcome }) => outcome !== undefined) };
}

describe("the line of a call", () => {
  test("says who called, from where, with what client, and in which trace", async () => {
    const { server, lines } = logged();
    server.resource("notes://{id}", { ...about, name: "note" }, ({ id }) => id);
    const client = await TestClient.connect(server, {
      headers: {
        authorization: "Bearer t",
        "user-agent": `probe/1.0 ${"x".repeat(5_000)}`,
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      },
    });
    await client.readResource("notes://7");
    expect(lines()).toEqual([
      {
        level: "info",
        message: expect.stringContaining("] notes://7 completed in "),
        requestId: expect.any(String),
        operation: "resource",
        name: "notes://7",
        component: "notes://{id}",
        durationMs: expect.any(Number),
        outcome: "ok",
        clientId: "agent",
        subject: "ana",
        tenantId: "acme",
        clientName: expect.any(String),
        clientVersion: expect.any(String),
        userAgent: expect.stringMatching(/^probe\/1\.0 x{245,250}…$/),
        protocolVersion: "2026-07-28",
        transport: "http",
        traceId: "0af7651916cd43dd8448eb211c80319c",
      },
    ]);
  });

  test("says what its handler and layers add, and how its result is described; what is known of it stays", async () => {
    const { server, lines } = logged();
    server
      .use((ctx, next) => {
        ctx.logger.set({ plan: "premium" });
        return next();
      })
      .tool("import", about, (_args, { logger }) => {
        logger.set({ rows: 12, outcome: "great", code: undefined });
        logger.set({ rows: 13 });
        return new ToolResponse("done", { metadata: { source: "disk" } });
      });
    await (await TestClient.connect(server)).call("import");
    expect(lines()).toMatchObject([
      { plan: "premium", rows: 13, outcome: "ok", metadata: { source: "disk" } },
    ]);
  });

  test("says whether its result was kept, whether it ran, and how long it waited for a place", async () => {
    const { server, lines } = logged();
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    server
      .tool("kept", { ...about, cache: { ttl: "1m", scope: "shared" } }, (_args, { logger }) => {
        logger.set({ made: true });
        return "kept";
      })
      .tool("once", { ...about, idempotent: true }, () => "once")
      .tool("narrow", { ...about, concurrency: { max: 1, queue: { wait: "5s" } } }, () =>
        held.then(() => "in"),
      );
    const client = await TestClient.connect(server);
    for (const name of ["kept", "kept", "once", "once"]) await client.call(name);
    expect(lines().map(({ name, cache, idempotency, made }) => [name, cache ?? idempotency, made])).toEqual([
      ["kept", "miss", true],
      ["kept", "hit", undefined],
      ["once", "first", undefined],
      ["once", "replayed", undefined],
    ]);
    const first = client.call("narrow");
    await sleep(100);
    const second = client.call("narrow");
    await sleep(300);
    release();
    await Promise.all([first, second]);
    const waits = lines()
      .slice(4)
      .map(({ queuedMs }) => queuedMs);
    expect(waits[0]).toBeUndefined();
    expect(waits[1]).toBeGreaterThan(50);
  });

  test("is written also where a layer within never answers, or the client leaves", async () => {
    const { server, log, lines } = logged();
    const leaving = new AbortController();
    server
      .tool("leave", about, (_args, { signal }) => {
        setTimeout(() => leaving.abort());
        return new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason)),
        );
      })
      .use((ctx, next) => (ctx.operation.name === "hang" ? new Promise(() => {}) : next()))
      .tool("hang", { ...about, timeout: 20 }, () => "never");
    const client = await TestClient.connect(server);
    await client.callTool("hang").catch(() => {});
    await client.callTool("leave", {}, { signal: leaving.signal }).catch(() => {});
    await expect
      .poll(() => lines().map(({ name, outcome, code, level }) => [name, outcome, code, level]))
      .toEqual([
        ["hang", "failed", "TIMEOUT", "warn"],
        ["leave", "cancelled", "CANCELLED", "warn"],
      ]);
    // A client that leaves is nobody's fault: no stack is worth its room.
    expect(JSON.stringify(log.entries())).not.toContain("    at ");
  });
});

describe("arguments", () => {
  const input = z.object({
    query: z.string(),
    secret: z.object({ deep: z.string() }).meta({ sensitive: true }).optional(),
    pin: z.string().meta({ writeOnly: true }).optional(),
    login: z.object({ user: z.string(), pass: z.string().meta({ format: "password" }) }).optional(),
  });

  test("are not logged unless told", async () => {
    const { server, log } = logged();
    server.tool("find", { ...about, input }, () => "found");
    await (await TestClient.connect(server)).call("find", { query: "canary" });
    expect(JSON.stringify(log.entries())).not.toContain("canary");
  });

  test("are logged without what their schema marks as sensitive, also where they do not fit", async () => {
    const { server, log, lines } = logged({ arguments: true });
    server
      .tool("find", { ...about, input }, () => "found")
      .prompt("plan", { ...about, input }, () => "Plan it.");
    const client = await TestClient.connect(server);
    const login = { user: "ana", pass: "canary" };
    await client.call("find", { query: "milk", secret: { deep: "canary" }, pin: "canary", login });
    await client.callTool("find", { query: 7, login, pin: ["canary"] }).catch(() => {});
    await client.getPrompt("plan", { query: "milk", pin: "canary" });
    expect(lines().map(({ name, code, arguments: args }) => [name, code, args])).toEqual([
      [
        "find",
        undefined,
        {
          query: "milk",
          secret: "[redacted]",
          pin: "[redacted]",
          login: { user: "ana", pass: "[redacted]" },
        },
      ],
      [
        "find",
        "VALIDATION_ERROR",
        { query: 7, login: { user: "ana", pass: "[redacted]" }, pin: "[redacted]" },
      ],
      ["plan", undefined, { query: "milk", pin: "[redacted]" }],
    ]);
    expect(JSON.stringify(log.entries())).not.toContain("canary");
  });

  test("are logged where a router's layer says so, and nowhere else", async () => {
    const { server, lines } = logged({ kinds: ["prompt"] });
    const router = new MCPRouter({ middleware: [logging({ arguments: true })] });
    router.tool("inner", { ...about, input }, () => "found");
    server.include(router).tool("outer", { ...about, input }, () => "found");
    const client = await TestClient.connect(server);
    await client.call("inner", { query: "milk" });
    await client.call("outer", { query: "milk" });
    expect(lines().map(({ name, arguments: args }) => [name, args])).toEqual([["inner", { query: "milk" }]]);
  });
});

describe("samples", () => {
  const calls = async (ok: number) => {
    const { server, lines } = logged({ sample: { ok } });
    server
      .tool("act", about, () => "done")
      .tool("crash", about, () => {
        throw new Error("disk gone");
      });
    const client = await TestClient.connect(server);
    for (let i = 0; i < 40; i++) {
      await client.call("act");
      await client.callTool("crash").catch(() => {});
    }
    return (name: string) => lines().filter((line) => line["name"] === name).length;
  };

  test("leave out calls that went well, and no others", async () => {
    const none = await calls(0);
    expect([none("act"), none("crash")]).toEqual([0, 40]);
    const some = await calls(0.5);
    expect(some("act")).toBeGreaterThan(2);
    expect(some("act")).toBeLessThan(38);
    expect(some("crash")).toBe(40);
  });
});

test("a level that is off costs nothing: nothing is asked of the call", async () => {
  const log = capturedLog();
  const logger = { ...log.logger, isLevelEnabled: (level: string) => level !== "info" };
  const server = new MCPServer({ name: "quiet", version: "1.0.0", logger })
    .use(logging())
    .use(concurrency({ max: 5 }))
    .tool("act", about, () => "done");
  await (await TestClient.connect(server)).call("act");
  expect(log.entries()).toEqual([]);
});

test.each<readonly [unknown, string]>([
  [{ arguments: "yes" }, 'logging(): arguments is "yes": write true or false.'],
  [{ sample: { ok: 2 } }, "logging(): sample takes a share from 0 to 1: write sample: { ok: 0.1 }."],
  [{ sample: 0.1 }, "logging(): sample takes a share from 0 to 1: write sample: { ok: 0.1 }."],
])("%j is refused, with what to write", (options, message) => {
  expect(() => logging(options as LoggingOptions)).toThrow(message);
});
