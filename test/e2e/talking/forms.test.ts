/** What users are shown of a schema, and what a handler gets of their answers, through the official clients. */

import { MCPServer, type RequestContext } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";
import { TALKING_WAYS, type Talker, connectTo } from "../../support/talkers.ts";

const titled = z.union([
  z.literal("a").meta({ title: "First" }),
  z.literal("b").meta({ title: "Second" }),
  z.literal("c"),
]);
const options = [
  { const: "a", title: "First" },
  { const: "b", title: "Second" },
  { const: "c", title: "c" },
];

/** Each field: its schema, what clients are shown of it, and an answer. */
const FIELDS: Readonly<Record<string, readonly [field: z.ZodType, shown: object, answer: unknown]>> = {
  mail: [z.email(), { type: "string", format: "email" }, "ada@example.com"],
  when: [z.iso.datetime(), { type: "string", format: "date-time" }, "2026-11-01T12:00:00Z"],
  uuid: [z.uuid(), { type: "string" }, "5f0c9b2e-7a41-4c5d-9d3e-1a2b3c4d5e6f"],
  address: [z.ipv4().meta({ title: "Address" }), { type: "string", title: "Address" }, "127.0.0.1"],
  max_tokens: [z.int().max(9), { type: "integer", maximum: 9 }, 7],
  only: [z.literal("k"), { type: "string", enum: ["k"] }, "k"],
  one: [z.enum(["a", "b"]), { type: "string", enum: ["a", "b"] }, "b"],
  plain: [z.union([z.literal("a"), z.literal("b")]), { type: "string", enum: ["a", "b"] }, "b"],
  titled: [titled, { type: "string", oneOf: options }, "b"],
  several: [
    z.array(z.enum(["a", "b"])).max(2),
    { type: "array", maxItems: 2, items: { type: "string", enum: ["a", "b"] } },
    ["a", "b"],
  ],
  several_titled: [z.array(titled), { type: "array", items: { anyOf: options } }, ["c", "a"]],
};

const ask = (schema: z.ZodObject) => async (_args: unknown, ctx: RequestContext) =>
  ctx.elicit("Fill in", schema);

function formServer(sessions: boolean): MCPServer {
  const server = new MCPServer({ name: "forms", version: "1.0.0", http: { sessions } });
  for (const [name, [field]] of Object.entries(FIELDS))
    server.tool(name, { description: "Asks." }, ask(z.object({ [name]: field })));
  return server;
}

describe.each(TALKING_WAYS.filter(({ over }) => over !== "stdio"))("$client, $era, over $over", (way) => {
  let talker: Talker;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    const running = await listen(formServer(way.over === "sessions"));
    stop = running.close;
    talker = await connectTo(running.url, way);
  });

  afterAll(async () => {
    await talker.close();
    await stop();
  });

  test.each(Object.entries(FIELDS))("%s", async (name, [, shown, answer]) => {
    talker.onElicit = () => ({ action: "accept", content: { [name]: answer } });
    expect(await talker.value(name)).toEqual({ action: "accept", content: { [name]: answer } });
    expect(talker.asked.at(-1)?.params).toMatchObject({
      requestedSchema: { properties: { [name]: shown }, required: [name] },
    });
  });
});

test("an answer is checked against formats that forms do not know", async () => {
  const given = ["nowhere", "127.0.0.1"];
  const client = await TestClient.connect(formServer(false), {
    onElicit: () => ({ action: "accept", content: { address: given.shift() } }),
  });
  expect(await client.call("address")).toEqual({ action: "accept", content: { address: "127.0.0.1" } });
});

test.each([
  ["nested", z.object({ nested: z.object({}) }), 'has the field "nested", which no form can show.'],
  [
    "a list of anything",
    z.object({ list: z.array(z.string()) }),
    'has the field "list", which no form can show.',
  ],
  [
    "what may be null",
    z.object({ maybe: z.string().nullable() }),
    'has the field "maybe", which no form can show.',
  ],
  ["an access token", z.object({ accessToken: z.string() }), 'asks for "accessToken". Secrets must not pass'],
])("no form asks for %s", async (_name, schema, message) => {
  const log = capturedLog();
  const server = new MCPServer({ name: "forms", version: "1.0.0", logger: log.logger });
  server.tool("ask", { description: "Asks." }, ask(schema as z.ZodObject));
  const client = await TestClient.connect(server, { onElicit: () => ({ action: "cancel" }) });
  await expect(client.call("ask")).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
  expect(log.entries()).toMatchObject([{ err: { message: expect.stringContaining(message) } }]);
});
