/** What middleware may get wrong, and what becomes of the call then. */

import {
  MCPRouter,
  MCPServer,
  type MiddlewareFunction,
  type Next,
  type RequestContext,
  rateLimit,
} from "gantry-mcp";
import { RequestError, TestClient, ToolCallError } from "gantry-mcp/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { capturedLog } from "../support/captured-log.ts";

/** A server with one of each kind behind `layers`, with `timeout` as its time limit. */
async function behind(layers: readonly MiddlewareFunction[], timeout = 5_000) {
  const log = capturedLog();
  const calls: string[] = [];
  const server = new MCPServer({ name: "layered", version: "1.0.0", logger: log.logger, timeout });
  server
    .tool("act", { description: "Acts." }, () => {
      calls.push("tool");
      return "done";
    })
    .tool("fail", { description: "Fails, later." }, async () => {
      await Promise.resolve();
      throw new Error("disk gone");
    })
    .tool("hang", { description: "Never ends.", timeout: 50 }, () => new Promise(() => {}))
    .resource("config://app", { name: "config", description: "Settings." }, () => {
      calls.push("resource");
      return "on";
    })
    .prompt("plan", { description: "Plan." }, () => {
      calls.push("prompt");
      return "Plan it.";
    });
  // The handshake passes: what is tried is what comes after it.
  const afterDiscovery = layers.map((layer) =>
    named(layer.name, (ctx, next) => (ctx.operation.kind === "discover" ? next() : layer(ctx, next))),
  );
  for (const layer of afterDiscovery) server.use(layer);
  return { client: await TestClient.connect(server), log, calls };
}

function named(name: string, layer: MiddlewareFunction): MiddlewareFunction {
  return Object.defineProperty(layer, "name", { value: name });
}

const OPERATIONS: readonly (readonly [string, string, object])[] = [
  ["a tool call", "tools/call", { name: "act" }],
  ["an unknown tool", "tools/call", { name: "nothing" }],
  ["a resource", "resources/read", { uri: "config://app" }],
  ["a prompt", "prompts/get", { name: "plan" }],
  ["a list", "tools/list", {}],
  [
    "a completion",
    "completion/complete",
    { ref: { type: "ref/prompt", name: "plan" }, argument: { name: "a", value: "" } },
  ],
];

/** Those that there are: a refusal is thrown, and passes every layer as it is. */
const FOUND = OPERATIONS.filter(([what]) => what !== "an unknown tool");

const post = async (client: TestClient, method: string, params: object) => {
  try {
    const result = await client.request(method, params as Record<string, unknown>);
    return JSON.stringify(result);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return JSON.stringify({ code: error.code, message: error.message, data: error.data });
  }
};

describe("a middleware that forgets to return what next() gives", () => {
  const audit: MiddlewareFunction = async (_ctx, next) => {
    await next();
  };

  test.each(FOUND)(
    "makes %s an internal error, and the log says what to write",
    async (_what, method, params) => {
      const { client, log } = await behind([async (_ctx, next) => next(), named("audit", audit)]);
      const answer = await post(client, method, params);
      expect(answer).toContain("An internal error occurred.");
      expect(answer).not.toContain("audit");
      expect(log.entries()).toMatchObject([
        {
          level: "error",
          message: "Unexpected error",
          err: {
            message:
              'The middleware "audit" (number 2) returned nothing: write "return next()", or return an answer of its own.',
          },
        },
      ]);
    },
  );

  test("does not end the process where it does not even wait and the handler fails", async () => {
    const unhandled = vi.fn<() => void>();
    process.on("unhandledRejection", unhandled);
    try {
      const { client, log } = await behind([
        (_ctx, next) => {
          void next();
        },
      ]);
      await expect(client.call("fail")).rejects.toThrow(ToolCallError);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(unhandled).not.toHaveBeenCalled();
      expect(log.entries()).toMatchObject([
        {
          err: {
            message: expect.stringContaining(
              'The middleware number 1 returned nothing: write "return next()"',
            ),
          },
        },
      ]);
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });
});

describe("a middleware that answers with what is no answer", () => {
  test.each<readonly [string, string, object, unknown]>([
    ["a list", "tools/list", {}, "nothing today"],
    ["a list", "tools/list", {}, { tools: [] }],
    ["a list", "prompts/list", {}, []],
    ["a completion", "completion/complete", OPERATIONS[5]?.[2] ?? {}, "a"],
    ["a completion", "completion/complete", OPERATIONS[5]?.[2] ?? {}, { values: ["a"] }],
  ])("makes %s an internal error, and the log says what to write", async (_what, method, params, value) => {
    const { client, log } = await behind([() => value]);
    expect(await post(client, method, params)).toContain("An internal error occurred.");
    expect(log.entries()).toMatchObject([
      { level: "error", err: { message: expect.stringMatching(/middleware.*what next\(\) gives/) } },
    ]);
  });

  test("may still answer a tool call with any value, and a list with fewer items", async () => {
    const { client } = await behind([
      async (ctx, next) => {
        if (ctx.operation.kind === "tool") return { cached: true };
        const page = (await next()) as { readonly items: readonly { readonly name: string }[] };
        return { ...page, items: page.items.filter(({ name }) => name !== "fail") };
      },
    ]);
    expect(await client.call("act")).toEqual({ cached: true });
    expect((await client.listTools()).map(({ name }) => name)).toEqual(["act", "hang"]);
  });
});

describe.each(["2026-07-28", "2025-11-25"] as const)("what a middleware makes of a result, on %s", (era) => {
  type Layer = (operation: string, result: Record<string, unknown>) => unknown;

  /** A client of a server with one of each kind, behind a layer. */
  const changed = async (layer: Layer) => {
    const log = capturedLog();
    const server = new MCPServer({ name: "layered", version: "1.0.0", logger: log.logger })
      .use({
        name: "changing",
        kinds: ["tool", "resource", "prompt"],
        handle: async ({ operation }, next) =>
          layer(operation.name, (await next()) as Record<string, unknown>),
      })
      .tool("text", { description: "Text." }, () => "text")
      .tool("count", { description: "Counts.", output: z.object({ count: z.number() }) }, () => ({
        count: 1,
      }))
      .resource("config://app", { name: "config", description: "Settings." }, () => "on")
      .prompt("plan", { description: "Plan." }, () => "Plan it.");
    return { client: await TestClient.connect(server, { era }), log };
  };

  test("a copy is the result, with what was changed", async () => {
    const { client } = await changed((name, result) =>
      name === "count"
        ? { ...result, structuredContent: { count: 2 } }
        : name === "text"
          ? { ...result, content: [...(result["content"] as object[]), { type: "text", text: "more" }] }
          : { ...result },
    );
    expect(await client.callTool("text")).toMatchObject({
      content: [
        { type: "text", text: "text" },
        { type: "text", text: "more" },
      ],
    });
    expect(await client.callTool("count")).toMatchObject({ structuredContent: { count: 2 } });
    expect(await client.readResource("config://app")).toMatchObject({ contents: [{ text: "on" }] });
    expect(await client.getPrompt("plan")).toMatchObject({ messages: [{ content: { text: "Plan it." } }] });
  });

  test("the specification's own form is a result too", async () => {
    const { client } = await changed(() => ({ content: [{ type: "text", text: "no" }], isError: true }));
    expect(await client.callTool("text")).toMatchObject({ content: [{ text: "no" }], isError: true });
  });

  test("a value in the place of a declared output is held to it, and structured", async () => {
    const { client } = await changed(() => ({ count: 7 }));
    expect(await client.callTool("count")).toMatchObject({
      content: [{ type: "text", text: '{"count":7}' }],
      structuredContent: { count: 7 },
    });
    const { client: other, log } = await changed(() => ({ count: "seven" }));
    await expect(other.call("count")).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
    expect(log.entries()).toMatchObject([
      { err: { message: expect.stringContaining("declared output: count:") } },
    ]);
  });

  test("what handlers return is data, whatever its form", async () => {
    const data = { content: [{ type: "text", text: "mine" }] };
    const server = new MCPServer({ name: "layered", version: "1.0.0" })
      .use((_ctx, next) => next())
      .tool("data", { description: "Data." }, () => data);
    expect(await (await TestClient.connect(server, { era })).call("data")).toEqual(data);
  });
});

describe("a middleware that never settles", () => {
  const stuck: MiddlewareFunction = () => new Promise(() => {});
  const stuckAfter: MiddlewareFunction = async (_ctx, next) => {
    await next();
    return new Promise(() => {});
  };

  test.each(OPERATIONS)("does not hold up %s beyond the time limit", async (_what, method, params) => {
    const { client, calls } = await behind([stuck], 50);
    expect(await post(client, method, params)).toMatch(/TIMEOUT.*timed out after 0\.05s/);
    expect(calls).toEqual([]);
  });

  test.each(FOUND)("nor %s where it is stuck after the handler", async (_what, method, params) => {
    const { client } = await behind([stuckAfter], 50);
    expect(await post(client, method, params)).toMatch(/TIMEOUT.*timed out after 0\.05s/);
  });

  test("is ended by the tool's own limit where it has one, and its signal fires", async () => {
    let seen: RequestContext | undefined;
    const { client } = await behind([
      (ctx) => {
        seen = ctx;
        return new Promise(() => {});
      },
    ]);
    await expect(client.call("hang")).rejects.toThrow("Tool 'hang' timed out after 0.05s");
    expect(seen?.signal.aborted).toBe(true);
  });

  test("lets no handler run once the time is up", async () => {
    const late: Promise<unknown>[] = [];
    const { client, calls } = await behind(
      [
        (_ctx, next) =>
          new Promise((_resolve, reject) => {
            setTimeout(() => {
              const rest = next();
              rest.catch(reject);
              late.push(rest);
            }, 120);
          }),
      ],
      50,
    );
    await expect(client.call("act")).rejects.toThrow("timed out");
    await expect.poll(() => late.length).toBe(1);
    await expect(late[0]).rejects.toThrow("timed out");
    expect(calls).toEqual([]);
  });
});

describe("a handler that exceeds its time", () => {
  test("is told to the middleware around it, which may answer in its place", async () => {
    const seen: unknown[] = [];
    const { client } = await behind([
      async (_ctx, next) => {
        try {
          return await next();
        } catch (error) {
          seen.push((error as { code: string }).code);
          await Promise.resolve();
          return "from yesterday";
        }
      },
    ]);
    expect(await client.call("hang")).toBe("from yesterday");
    expect(seen).toEqual(["TIMEOUT"]);
  });

  test("is answered though the middleware around it does not settle even then", async () => {
    const { client } = await behind([(_ctx, next) => next().catch(() => new Promise(() => {}))]);
    await expect(client.call("hang")).rejects.toThrow("Tool 'hang' timed out after 0.05s");
  });
});

describe("a middleware for some kinds of operation", () => {
  test.each([
    { kinds: ["tools"] },
    { kinds: ["tool", "lists"] },
    { kinds: "tool" },
    { kinds: [5] },
    { kinds: [] },
  ])("that are none is refused, since it would be around nothing: %j", ({ kinds }) => {
    const layer = {
      name: "audit",
      kinds: kinds as readonly "tool"[],
      handle: (_: unknown, next: Next) => next(),
    };
    const message = /^use\(\): the layer's kinds (?:have|are) .*: write some of "tool", "resource", "prompt"/;
    expect(() => new MCPServer({ name: "layered", version: "1.0.0" }).use(layer)).toThrow(message);
    expect(() =>
      new MCPServer({ name: "layered", version: "1.0.0" }).use(
        rateLimit({ perMinute: 1, kinds: layer.kinds }),
      ),
    ).toThrow(message);
    expect(() => new MCPRouter({ middleware: [layer] })).toThrow(message);
  });

  test.each(["2026-07-28", "2025-11-25"] as const)("leaves the others as they are, on %s", async (era) => {
    const seen: string[] = [];
    const server = new MCPServer({ name: "layered", version: "1.0.0" })
      .tool("act", { description: "Acts." }, () => "done")
      .prompt("plan", { description: "Plan." }, () => "Plan it.")
      .use({
        name: "prompts",
        kinds: ["prompt"],
        handle: ({ operation }, next) => {
          seen.push(operation.kind);
          return next();
        },
      });
    const client = await TestClient.connect(server, { era });
    expect(await client.callTool("act")).toMatchObject({ content: [{ type: "text", text: "done" }] });
    await expect(client.callTool("nothing")).rejects.toMatchObject({ code: -32602 });
    expect(await client.getPrompt("plan")).toMatchObject({ messages: [{ role: "user" }] });
    expect(seen).toEqual(["prompt"]);
  });
});
