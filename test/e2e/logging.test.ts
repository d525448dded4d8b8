/** The lines that `logging()` writes: one for each operation, refusals included. */

import { setImmediate } from "node:timers/promises";
import {
  ConfigurationError,
  type Logger,
  type LoggingOptions,
  MCPServer,
  ToolError,
  authenticate,
  createLogger,
  hasRole,
  logging,
} from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { capturedLog } from "../support/captured-log.ts";

const about = { description: "About it." };

const callers = () =>
  authenticate(
    { authenticate: ({ token }) => (token === undefined ? undefined : { clientId: token }) },
    { optional: true },
  );

function logged(options?: LoggingOptions) {
  const log = capturedLog();
  const server = new MCPServer({ name: "logged", version: "1.0.0", logger: log.logger })
    .use(logging(options))
    .use(callers())
    .tool("act", { ...about, input: z.object({ id: z.string().default("1") }) }, () => "done")
    .tool("refuse", about, () => {
      throw new ToolError("Not today.");
    })
    .tool("crash", about, () => {
      throw new Error("disk gone");
    })
    .tool("hang", { ...about, timeout: 20 }, () => new Promise(() => {}))
    .tool("secret", { ...about, guards: [hasRole("admin")] }, () => "secret")
    .tool(
      "ask",
      about,
      async (_args, ctx) => (await ctx.elicit("Sure?", z.object({ yes: z.boolean() }))).action,
    )
    .prompt("plan", about, () => "Plan it.");
  const lines = () => log.entries().filter(({ durationMs }) => durationMs !== undefined);
  return { server, lines, log };
}

describe.each(["2026-07-28", "2025-11-25"] as const)("logging, revision %s", (era) => {
  test("says of each operation who called what, what became of it, and how long it took", async () => {
    const { server, lines } = logged({ kinds: ["tool", "prompt"] });
    const headers = { authorization: "Bearer ana", "x-request-id": "abc" };
    const client = await TestClient.connect(server, { era, headers });
    await client.call("act");
    await client.getPrompt("plan");
    expect(lines().map(({ clientName: _name, clientVersion: _version, ...line }) => line)).toEqual([
      {
        level: "info",
        message: expect.stringMatching(/^\[abc\] act completed in \d+\.\d{3}s$/),
        requestId: "abc",
        operation: "tool",
        name: "act",
        durationMs: expect.any(Number),
        outcome: "ok",
        clientId: "ana",
        protocolVersion: era,
        transport: "http",
      },
      expect.objectContaining({ operation: "prompt", name: "plan", clientId: "ana" }),
    ]);
  });

  test("sees every refusal, with its code, and nothing of arguments or causes", async () => {
    const { server, lines } = logged({ kinds: ["tool"] });
    const client = await TestClient.connect(server, { era });
    for (const [name, args] of [
      ["refuse", {}],
      ["crash", {}],
      ["hang", {}],
      ["secret", {}],
      ["nothing", {}],
      ["act", { id: { password: "hunter2" } }],
    ] as const)
      await client.callTool(name, args).catch(() => {});
    expect(lines().map(({ level, name, code }) => [level, name, code])).toEqual([
      ["warn", "refuse", "TOOL_ERROR"],
      ["warn", "crash", "INTERNAL_ERROR"],
      ["warn", "hang", "TIMEOUT"],
      ["warn", "secret", "AUTHENTICATION_ERROR"],
      ["warn", "nothing", "TOOL_NOT_FOUND"],
      ["warn", "act", "VALIDATION_ERROR"],
    ]);
    expect(lines()[0]?.["message"]).toMatch(/^\[[0-9a-f]{12}\] refuse failed after \d+\.\d{3}s$/);
    expect(JSON.stringify(lines())).not.toMatch(/hunter2|disk gone|Not today/);
  });

  test("logs lists and discovery as well, unless told otherwise", async () => {
    const { server, lines } = logged();
    const client = await TestClient.connect(server, { era });
    await client.listTools();
    expect(lines().map(({ operation }) => operation)).toContain("list");
  });
});

test("a call that asks its client is told as that", async () => {
  const { server, lines } = logged({ kinds: ["tool"] });
  const client = await TestClient.connect(server, { onElicit: () => ({ action: "decline" }) });
  expect(await client.call("ask")).toBe("decline");
  expect(lines().map(({ message }) => String(message).replace(/^\S+ | \d\S+$/g, ""))).toEqual([
    "ask asked its client after",
    "ask completed in",
  ]);
});

test("a name that a caller made up cannot fill the log", async () => {
  const { server, lines } = logged({ kinds: ["tool"] });
  await (await TestClient.connect(server)).callTool("x".repeat(5_000)).catch(() => {});
  expect(JSON.stringify(lines()).length).toBeLessThan(1_500);
});

test("may write elsewhere, less loudly, and does no harm where writing fails", async () => {
  const own = capturedLog();
  const { server, lines } = logged({ level: "debug", kinds: ["tool"], logger: own.logger });
  await (await TestClient.connect(server)).call("act");
  expect(lines()).toEqual([]);
  expect(own.entries()).toMatchObject([{ level: "debug", name: "act" }]);

  const fail = () => {
    throw new Error("disk full");
  };
  const broken: Logger = { debug: fail, info: fail, warn: fail, error: fail };
  const harmed = logged({ logger: broken });
  expect(await (await TestClient.connect(harmed.server)).call("act")).toBe("done");

  const thrown: unknown[] = [];
  const catching = (error: unknown) => thrown.push(error);
  process.on("uncaughtException", catching);
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation(fail);
  try {
    const { server: standard } = logged({ logger: createLogger({ format: "json" }) });
    expect(await (await TestClient.connect(standard)).call("act")).toBe("done");
    await setImmediate();
    expect(thrown).toEqual([]);
  } finally {
    stderr.mockRestore();
    process.off("uncaughtException", catching);
  }
});

test.each<readonly [unknown, string]>([
  [{ level: "loud" }, 'logging(): level is "loud": write "debug" or "info".'],
  [{ levels: "info" }, 'logging(): unknown option "levels". Did you mean "level"?'],
])("%j is refused, with what to write", (options, message) => {
  expect(() => logging(options as LoggingOptions)).toThrow(ConfigurationError);
  expect(() => logging(options as LoggingOptions)).toThrow(message);
});
