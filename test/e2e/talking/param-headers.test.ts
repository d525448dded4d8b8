/** Parameters that headers mirror (2026-07-28, "Custom Headers from Tool Parameters"). */

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { ConfigurationError, type ListeningServer, MCPServer, jsonSchema } from "gantry-mcp";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { listen } from "../../support/listening.ts";
import { envelope, modern, modernHeaders, send } from "../../support/wire.ts";

const handler = vi.fn<(args: object) => object>((args) => args);

const input = z.object({
  region: z.string().optional().meta({ "x-mcp-header": "Region" }),
  count: z.int().nullable().meta({ "x-mcp-header": "Count" }),
  dry: z.boolean().optional().meta({ "x-mcp-header": "Dry-Run" }),
  where: z.object({ zone: z.string().optional().meta({ "x-mcp-header": "Zone" }) }).optional(),
  note: z.string().optional(),
});

const plain = {
  type: "object",
  properties: {
    region: { type: "string", "x-mcp-header": "Region" },
    count: { type: "integer", "x-mcp-header": "Count" },
    dry: { type: "boolean", "x-mcp-header": "Dry-Run" },
    where: { type: "object", properties: { zone: { type: "string", "x-mcp-header": "Zone" } } },
    note: { type: "string" },
  },
} as const;

function headerServer(): MCPServer {
  return new MCPServer({ name: "headers", version: "1.0.0" })
    .tool("run", { description: "Runs.", input: jsonSchema(plain) }, (args) => handler(args as object))
    .tool("bare", { description: "Mirrors nothing.", input: z.object({ region: z.string() }) }, (args) =>
      handler(args),
    );
}

let running: ListeningServer;

beforeAll(async () => {
  running = await listen(headerServer());
});

afterAll(async () => {
  await running.close();
});

/** One call by hand, and how often the handler ran for it. */
async function call(args: object, headers: Record<string, string | readonly string[]>, name = "run") {
  handler.mockClear();
  const answer = await send(running.url, {
    headers: { ...modernHeaders("tools/call", name), ...headers },
    body: JSON.stringify(modern("tools/call", { name, arguments: args })),
  });
  return {
    status: answer.status,
    code: answer.code,
    ran: handler.mock.calls.length,
    message: answer.json?.error?.message,
  };
}

const base64 = (value: string | Uint8Array) => `=?base64?${Buffer.from(value).toString("base64")}?=`;

const SERVED = { status: 200, code: undefined, ran: 1 };
const REFUSED = { status: 400, code: -32020, ran: 0 };

describe("by hand", () => {
  test.each<[string, object, Record<string, string>]>([
    ["a string", { region: "eu-west-1" }, { "mcp-param-region": "eu-west-1" }],
    ["a string in base64", { region: "eu" }, { "mcp-param-region": base64("eu") }],
    ["more than ASCII", { region: "Zürich 世界" }, { "mcp-param-region": base64("Zürich 世界") }],
    ["spaces around", { region: " eu " }, { "mcp-param-region": base64(" eu ") }],
    ["a line break", { region: "a\nb" }, { "mcp-param-region": base64("a\nb") }],
    ["what looks encoded", { region: base64("x") }, { "mcp-param-region": base64(base64("x")) }],
    ["half of the mark", { region: "=?base64?x" }, { "mcp-param-region": "=?base64?x" }],
    ["an empty string", { region: "" }, { "mcp-param-region": "" }],
    ["an empty string in base64", { region: "" }, { "mcp-param-region": base64("") }],
    ["an integer", { count: 42 }, { "mcp-param-count": "42" }],
    ["an integer with a point", { count: 42 }, { "mcp-param-count": "42.0" }],
    ["an integer below zero", { count: -7 }, { "mcp-param-count": "-7" }],
    ["the largest integer", { count: 9_007_199_254_740_991 }, { "mcp-param-count": "9007199254740991" }],
    ["true", { dry: true }, { "mcp-param-dry-run": "true" }],
    ["false", { dry: false }, { "Mcp-Param-Dry-Run": "false" }],
    ["a parameter within another", { where: { zone: "b" } }, { "mcp-param-zone": "b" }],
    ["nothing, where nothing is said", { note: "x" }, {}],
    ["nothing within nothing", { where: {} }, {}],
    ["a header that no parameter declares", { note: "x" }, { "mcp-param-note": "other" }],
  ])("mirrors %s", async (_what, args, headers) => {
    expect(await call(args, headers)).toMatchObject(SERVED);
  });

  test.each<[string, object, Record<string, string | readonly string[]>]>([
    ["a missing header", { region: "eu" }, {}],
    ["another value", { region: "eu" }, { "mcp-param-region": "us" }],
    ["another case", { region: "eu" }, { "mcp-param-region": "EU" }],
    ["a header for what is absent", { note: "x" }, { "mcp-param-region": "eu" }],
    ["a header for what is within nothing", {}, { "mcp-param-zone": "b" }],
    ["the header twice", { region: "eu" }, { "mcp-param-region": ["eu", "eu"] }],
    ["characters that are no ASCII", { region: "é" }, { "mcp-param-region": "é" }],
    ["base64 of another value", { region: "eu" }, { "mcp-param-region": base64("us") }],
    ["base64 that is none", { region: "eu" }, { "mcp-param-region": "=?base64?e!?=" }],
    ["base64 without its padding", { region: "e" }, { "mcp-param-region": "=?base64?ZQ?=" }],
    ["base64 of no UTF-8", { region: "\ufffd" }, { "mcp-param-region": base64(Uint8Array.of(0xff)) }],
    [
      "the mark in capitals",
      { region: "eu" },
      { "mcp-param-region": base64("eu").replace("base64", "BASE64") },
    ],
    ["another integer", { count: 42 }, { "mcp-param-count": "43" }],
    ["an integer in other digits", { count: 42 }, { "mcp-param-count": "0x2a" }],
    ["an integer in scientific notation", { count: 100 }, { "mcp-param-count": "1e2" }],
    ["an integer with spaces within", { count: 42 }, { "mcp-param-count": "4 2" }],
    ["an empty integer", { count: 0 }, { "mcp-param-count": "" }],
    ["another boolean", { dry: true }, { "mcp-param-dry-run": "false" }],
    ["a boolean as a number", { dry: true }, { "mcp-param-dry-run": "1" }],
    ["another value within", { where: { zone: "b" } }, { "mcp-param-zone": "c" }],
  ])("refuses %s, before the handler runs", async (_what, args, headers) => {
    expect(await call(args, headers)).toMatchObject(REFUSED);
  });

  test("takes null for absent", async () => {
    // The schema refuses it: a failed call, not a contradiction.
    expect(await call({ region: null }, {})).toMatchObject({ status: 200, code: undefined, ran: 0 });
    expect(await call({ region: null }, { "mcp-param-region": "null" })).toMatchObject(REFUSED);
  });

  test("leaves types to the schema: a header that says what the arguments say is no contradiction", async () => {
    const failed = { status: 200, code: undefined, ran: 0 };
    expect(await call({ region: 7 }, { "mcp-param-region": "7" })).toMatchObject(failed);
    expect(await call({ count: "7" }, { "mcp-param-count": "7" })).toMatchObject(failed);
    expect(await call({ dry: "true" }, { "mcp-param-dry-run": "true" })).toMatchObject(failed);
    expect(await call({ count: "7" }, { "mcp-param-count": "7.0" })).toMatchObject(REFUSED);
    // What no header can say is expected in none.
    for (const region of [{}, ["eu"]]) {
      expect(await call({ region }, {})).toMatchObject(failed);
      expect(await call({ region }, { "mcp-param-region": "eu" })).toMatchObject(REFUSED);
    }
  });

  test("refuses what is not ASCII and not in base64, though the arguments say the same", async () => {
    // In whichever way a client writes it, and a server reads it.
    for (const region of ["é", Buffer.from("é").toString("latin1")])
      expect(await call({ region }, { "mcp-param-region": "é" })).toMatchObject(REFUSED);
    expect(await call({ region: "é" }, { "mcp-param-region": base64("é") })).toMatchObject(SERVED);
  });

  test("takes what every object inherits for absent", async () => {
    const properties = { constructor: { type: "string", "x-mcp-header": "Constructor" } };
    const server = new MCPServer({ name: "headers", version: "1.0.0" }).tool(
      "build",
      { description: "Builds.", input: jsonSchema({ type: "object", properties }) },
      () => "built",
    );
    const message = envelope("tools/call", { name: "build", arguments: {} });
    expect((await server.fetch(new Request("http://localhost/mcp", message))).status).toBe(200);
    await server.close();
  });

  test("says which header", async () => {
    const { message } = await call({ region: "eu" }, {});
    expect(message).toBe("Header mismatch: mcp-param-region is missing.");
  });

  test("asks nothing of tools that mirror nothing, and of the 2025 era", async () => {
    expect(await call({ region: "eu" }, { "mcp-param-region": "us" }, "bare")).toMatchObject(SERVED);
    handler.mockClear();
    const answer = await send(running.url, {
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2025-11-25",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: "run", arguments: { region: "eu" } },
      }),
    });
    expect(answer).toMatchObject({ status: 200, code: undefined });
    expect(handler).toHaveBeenCalledTimes(1);
  });
});

describe("by the official client", () => {
  test("that has read the list", async () => {
    const client = new Client({ name: "t", version: "1" }, { versionNegotiation: { mode: "auto" } });
    await client.connect(new StreamableHTTPClientTransport(new URL(running.url)));
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["run", "bare"]);
    const calls = [
      { region: "eu-west-1", count: 42, dry: true, where: { zone: "b" }, note: "x" },
      { region: "Zürich 世界", dry: false },
      { region: " padded " },
      { region: "=?base64?eA==?=" },
      { region: "" },
      { count: -7 },
      { count: 9_007_199_254_740_991 },
      {},
    ];
    for (const args of calls) {
      handler.mockClear();
      const result = await client.callTool({ name: "run", arguments: args });
      expect(result.isError).toBeFalsy();
      expect(handler).toHaveBeenCalledExactlyOnceWith(args);
    }
    await client.close();
  });

  test("that has not: it learns of them and calls again", async () => {
    const client = new Client({ name: "t", version: "1" }, { versionNegotiation: { mode: "auto" } });
    await client.connect(new StreamableHTTPClientTransport(new URL(running.url)));
    handler.mockClear();
    const result = await client.callTool({ name: "run", arguments: { region: "eu" } });
    expect(result.isError).toBeFalsy();
    expect(handler).toHaveBeenCalledExactlyOnceWith({ region: "eu" });
    await client.close();
  });
});

describe("registration", () => {
  const register =
    (properties: object, more: object = {}) =>
    () =>
      new MCPServer({ name: "headers", version: "1.0.0" }).tool(
        "bad",
        {
          description: "Bad.",
          input: jsonSchema({ type: "object", properties, ...more }),
        },
        () => "never",
      );

  test.each<[string, object, string]>([
    ["empty", { a: { type: "string", "x-mcp-header": "" } }, "is not a header name"],
    ["with a space", { a: { type: "string", "x-mcp-header": "My Header" } }, "is not a header name"],
    ["with a colon", { a: { type: "string", "x-mcp-header": "a:b" } }, "is not a header name"],
    ["with a line break", { a: { type: "string", "x-mcp-header": "a\r\nb" } }, "is not a header name"],
    ["beyond ASCII", { a: { type: "string", "x-mcp-header": "Zürich" } }, "is not a header name"],
    ["no text", { a: { type: "string", "x-mcp-header": 7 } }, "is not a header name"],
    [
      "on a number",
      { a: { type: "number", "x-mcp-header": "A" } },
      "neither a string, an integer nor a boolean",
    ],
    [
      "on an object",
      { a: { type: "object", "x-mcp-header": "A" } },
      "neither a string, an integer nor a boolean",
    ],
    [
      "on a list",
      { a: { type: "array", "x-mcp-header": "A" } },
      "neither a string, an integer nor a boolean",
    ],
    ["without a type", { a: { "x-mcp-header": "A" } }, "neither a string, an integer nor a boolean"],
    [
      "given twice",
      { a: { type: "string", "x-mcp-header": "A" }, b: { type: "string", "x-mcp-header": "a" } },
      "the same x-mcp-header",
    ],
    [
      "within a list",
      { a: { type: "array", items: { type: "string", "x-mcp-header": "A" } } },
      "cannot follow it",
    ],
    ["within a union", { a: { anyOf: [{ type: "string", "x-mcp-header": "A" }] } }, "cannot follow it"],
    ["of a secret", { password: { type: "string", "x-mcp-header": "A" } }, "would show a secret"],
    [
      "of a token",
      { auth: { type: "object", properties: { accessToken: { type: "string", "x-mcp-header": "A" } } } },
      "would show a secret",
    ],
  ])("refuses an annotation that is %s", (_what, properties, problem) => {
    expect(register(properties)).toThrow(ConfigurationError);
    expect(register(properties)).toThrow(problem);
  });

  test("refuses an annotation behind a reference", () => {
    const definitions = { $defs: { region: { type: "string", "x-mcp-header": "A" } } };
    expect(register({ a: { $ref: "#/$defs/region" } }, definitions)).toThrow("cannot follow it");
  });

  test("takes numbers of tokens, which are no secret", () => {
    expect(register({ max_tokens: { type: "integer", "x-mcp-header": "Max-Tokens" } })).not.toThrow();
  });

  test("takes what schema libraries write", () => {
    const server = new MCPServer({ name: "headers", version: "1.0.0" });
    expect(() =>
      server.tool("good", { description: "Good.", input: input.omit({ count: true }) }, () => "x"),
    ).not.toThrow();
    expect(() =>
      server.tool("bad", { description: "A union of integer and null.", input }, () => "x"),
    ).toThrow(ConfigurationError);
  });
});
