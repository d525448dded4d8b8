/** `ctx.logger`: the server's logger, whose lines say which call they belong to. */

import { MCPServer, authenticate, createLogger } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import pino from "pino";
import { describe, expect, test } from "vitest";
import { capturedLog } from "../support/captured-log.ts";

const about = { description: "About it." };

/** The loggers that an author may give, each with what it wrote. */
const LOGGERS = {
  createLogger: () => {
    const lines: string[] = [];
    const logger = createLogger({ format: "json", level: "debug", write: (line) => lines.push(line) });
    return { logger, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
  },
  pino: () => {
    const lines: string[] = [];
    const formatters = { level: (level: string) => ({ level }) };
    const options = { level: "debug", messageKey: "message", base: null, formatters };
    const logger = pino(options, { write: (line: string) => void lines.push(line) });
    return { logger, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
  },
  "one without children": () => capturedLog(),
} as const;

describe.each(Object.entries(LOGGERS))("ctx.logger over %s", (_name, make) => {
  async function run(handler: Parameters<MCPServer["tool"]>[2], headers: Record<string, string> = {}) {
    const { logger, entries } = make();
    const server = new MCPServer({ name: "logged", version: "1.0.0", logger })
      .use((ctx, next) => {
        ctx.logger.debug({}, "before it is known who calls");
        return next();
      })
      .use(
        authenticate(
          { authenticate: ({ token }) => (token === undefined ? undefined : { clientId: token }) },
          { optional: true },
        ),
      )
      .tool("act", about, handler);
    const client = await TestClient.connect(server, { headers });
    await client.callTool("act").catch(() => {});
    return entries().filter(({ operation }) => operation === "tool");
  }

  test("says in each line which call it belongs to, and who called once that is known", async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const entries = await run(
      (_args, { logger }) => {
        logger.info({ account: 7 }, "nearly empty");
        const step = logger.child({ step: 2 });
        step.warn({ step: 3 }, "still here");
        step.error({}, "gone");
        return "done";
      },
      {
        authorization: "Bearer ana",
        "x-request-id": "abc",
        traceparent: `00-${traceId}-b7ad6b7169203331-01`,
      },
    );
    const call = { requestId: "abc", operation: "tool", name: "act", traceId };
    expect(entries).toMatchObject([
      { level: "debug", message: "before it is known who calls", ...call },
      { level: "info", message: "nearly empty", account: 7, clientId: "ana", ...call },
      { level: "warn", message: "still here", clientId: "ana", ...call },
      { level: "error", message: "gone", step: 2, clientId: "ana", ...call },
    ]);
    expect(entries[0]).not.toHaveProperty("clientId");
  });

  test("writes errors with their stacks, and the framework's own lines as well", async () => {
    const entries = await run((_args, { logger }) => {
      logger.warn({ err: new Error("first") }, "as expected");
      throw new Error("second", { cause: new Error("third") });
    });
    expect(entries.slice(1)).toMatchObject([
      { level: "warn", message: "as expected", err: { message: expect.stringContaining("first") } },
      { level: "error", message: "Unexpected error", err: { message: expect.stringContaining("second") } },
    ]);
    expect(JSON.stringify(entries.slice(1))).toContain("call-logger.test.ts");
  });
});

describe("pino", () => {
  test("is asked by its level: what is off is not made", async () => {
    const { logger, entries } = LOGGERS.pino();
    logger.level = "warn";
    const enabled: boolean[] = [];
    const server = new MCPServer({ name: "logged", version: "1.0.0", logger }).tool(
      "act",
      about,
      (_args, ctx) => {
        enabled.push(ctx.logger.isLevelEnabled("info"), ctx.logger.isLevelEnabled("warn"));
        ctx.logger.info({}, "off");
        ctx.logger.child({ a: 1 }).info({}, "off");
        return "done";
      },
    );
    await (await TestClient.connect(server)).call("act");
    expect(enabled).toEqual([false, true]);
    expect(entries()).toEqual([]);
  });

  test("makes one child for a call that logs, and none for one that does not", async () => {
    const { logger } = LOGGERS.pino();
    let children = 0;
    logger.onChild = () => children++;
    const server = new MCPServer({ name: "logged", version: "1.0.0", logger })
      .tool("quiet", about, () => "done")
      .tool("chatty", about, (_args, ctx) => {
        for (let i = 0; i < 10; i++) ctx.logger.debug({ i }, "step");
        return "done";
      });
    const client = await TestClient.connect(server);
    await client.call("quiet");
    expect(children).toBe(0);
    await client.call("chatty");
    expect(children).toBe(1);
  });

  test("leaves out by its own rules, in the fields of calls as well", async () => {
    const lines: string[] = [];
    const logger = pino({ redact: ["clientId", "card"] }, { write: (line: string) => void lines.push(line) });
    const server = new MCPServer({ name: "logged", version: "1.0.0", logger })
      .use(authenticate({ authenticate: () => ({ clientId: "canary" }) }))
      .tool("act", about, (_args, ctx) => {
        ctx.logger.info({ card: "canary" }, "paid");
        return "done";
      });
    await (await TestClient.connect(server, { headers: { authorization: "Bearer t" } })).call("act");
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain("canary");
  });
});

test("a logger that fails harms neither the call nor its children", async () => {
  const fail = () => {
    throw new Error("disk full");
  };
  const logger = { debug: fail, info: fail, warn: fail, error: fail, child: fail, isLevelEnabled: fail };
  const server = new MCPServer({ name: "logged", version: "1.0.0", logger }).tool(
    "act",
    about,
    (_args, ctx) => {
      ctx.logger.child({ a: 1 }).info({}, "m");
      ctx.logger.error({}, "m");
      return String(ctx.logger.isLevelEnabled("debug"));
    },
  );
  expect(await (await TestClient.connect(server)).callTool("act")).toMatchObject({
    content: [{ text: "true" }],
  });
});
