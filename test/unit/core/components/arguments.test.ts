import { type MCPServerOptions, type Schema, type ToolOptions, MCPServer, ValidationError } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { closed } from "../../../../src/core/schemas/schema.ts";

/** Calls a tool with this input: what its handler got, or which fields were wrong. */
async function check(
  input: Schema,
  args: Record<string, unknown>,
  options: Pick<ToolOptions<Schema, undefined>, "unknownArguments"> = {},
  server: Partial<MCPServerOptions> = {},
): Promise<{ readonly got: unknown } | { readonly wrong: unknown }> {
  const got: unknown[] = [];
  const client = await TestClient.connect(
    new MCPServer({ name: "arguments", version: "1.0.0", ...server }).tool(
      "check",
      { description: "Checks.", input, ...options },
      (given: unknown) => void got.push(given),
    ),
  );
  const { isError, content } = await client.callTool("check", args);
  expect(got.length).toBe(isError ? 0 : 1);
  if (!isError) return { got: got[0] };
  const { error } = JSON.parse((content[0] as { text: string }).text) as {
    error: { code: string; details: { field_errors: unknown } };
  };
  expect(error.code).toBe("VALIDATION_ERROR");
  return { wrong: error.details.field_errors };
}

describe("an object sent as a JSON string", () => {
  const inner = z.object({ a: z.number(), b: z.array(z.string()).default([]) });
  const input = z.object({
    object: inner.optional(),
    list: z.array(z.number()).optional(),
    text: z.string().optional(),
  });

  test("is parsed where an object or a list is expected", async () => {
    expect(await check(input, { object: '{"a":1}' })).toEqual({ got: { object: { a: 1, b: [] } } });
    expect(await check(input, { object: ' \n{"a":1}' })).toEqual({ got: { object: { a: 1, b: [] } } });
    expect(await check(input, { list: "[1,2]" })).toEqual({ got: { list: [1, 2] } });
    expect(await check(input, { object: '{"a":1}', list: "[1]", text: "{}" })).toEqual({
      got: { object: { a: 1, b: [] }, list: [1], text: "{}" },
    });
  });

  test("stays text where text is expected", async () => {
    for (const text of ['{"a":1}', "[1]", "null", "1"])
      expect(await check(input, { text })).toEqual({ got: { text } });
    const either = z.object({ value: z.union([z.string(), inner]) });
    expect(await check(either, { value: '{"a":1}' })).toEqual({ got: { value: '{"a":1}' } });
  });

  test("is parsed in each kind of schema, and through unions and references", async () => {
    const shape = { type: "object", properties: { a: { type: "number" } }, required: ["a"] };
    const schemas: readonly Schema[] = [
      z.object({ o: z.union([z.object({ a: z.number() }), z.null()]) }),
      z.object({ o: z.nullable(z.object({ a: z.number() })) }),
      toStandardJsonSchema(v.object({ o: v.object({ a: v.number() }) })),
      type({ o: { a: "number" } }),
      { type: "object", properties: { o: shape } },
      { type: "object", properties: { o: { oneOf: [{ type: "null" }, shape] } } },
      { type: "object", properties: { o: { ...shape, type: ["object", "null"] } } },
      { type: "object", properties: { o: { $ref: "#/$defs/o" } }, $defs: { o: shape } },
    ];
    for (const schema of schemas)
      expect(await check(schema, { o: '{"a":1}' })).toEqual({ got: { o: { a: 1 } } });
  });

  test("is told of as what it is, where it does not fit", async () => {
    expect(await check(input, { object: '{"a":"x"}' })).toEqual({
      wrong: { "object.a": "expected number, received string" },
    });
    expect(await check(input, { object: "{a:1}" })).toEqual({
      wrong: { object: "expected object, received string" },
    });
    expect(await check(input, { object: "[1]" })).toEqual({
      wrong: { object: "expected object, received array" },
    });
  });

  test("hides neither __proto__ nor depth", async () => {
    const open = z.object({ object: z.record(z.string(), z.unknown()) });
    const wrong = { wrong: { object: "expected record, received string" } };
    expect(await check(open, { object: '{"__proto__":{"polluted":1}}' })).toEqual(wrong);
    expect(await check(open, { object: '{"a":[{"\\u005f_proto__":1}]}' })).toEqual(wrong);
    const nested = (levels: number) => `{"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;
    expect(await check(open, { object: nested(64) })).toHaveProperty("got");
    for (const levels of [65, 1_000, 100_000])
      expect(await check(open, { object: nested(levels) })).toEqual(wrong);
  });

  test.each([
    '{"a":1,"a":2}',
    '{"a":{"b":1,"\\u0062":2}}',
    '{"a":9007199254740993}',
    '{"a":1e999}',
    '{"a":1',
  ])("is held to what a body is held to: %s", async (text) => {
    const open = z.object({ object: z.record(z.string(), z.unknown()) });
    expect(await check(open, { object: text })).toEqual({
      wrong: { object: "expected record, received string" },
    });
  });

  test("is parsed where the check takes its time", async () => {
    const slow = z.object({ o: z.object({ a: z.number().refine(async (a) => Promise.resolve(a > 0)) }) });
    expect(await check(slow, { o: '{"a":1}' })).toEqual({ got: { o: { a: 1 } } });
    expect(await check(slow, { o: '{"a":-1}' })).toHaveProperty("wrong");
  });
});

describe("arguments that no schema names", () => {
  const input = z.object({
    title: z.string().optional(),
    due_date: z.string().optional(),
    tags: z.array(z.object({ name: z.string() })).optional(),
  });
  const refuse = { unknownArguments: "refuse" } as const;

  test("follow the schema unless told otherwise", async () => {
    expect(await check(input, { colour: 1 })).toEqual({ got: {} });
    expect(await check(z.looseObject({}), { colour: 1 })).toEqual({ got: { colour: 1 } });
    expect(await check(z.strictObject({}), { colour: 1 })).toEqual({
      wrong: { "": 'Unrecognized key: "colour"' },
    });
    expect(await check(toStandardJsonSchema(v.object({})), { colour: 1 })).toEqual({ got: {} });
    const title = { title: { type: "string" } };
    for (const open of [type({ "title?": "string" }), { type: "object", properties: title }])
      expect(await check(open, { colour: 1 })).toEqual({ got: { colour: 1 } });
  });

  test("are refused where a schema names fields and is not open in so many words", async () => {
    const title = { title: { type: "string" } };
    const wrong = { wrong: { colour: "Unknown argument." } };
    for (const named of [type({ "title?": "string" }), { type: "object", properties: title }])
      expect(await check(named, { colour: 1 }, refuse)).toEqual(wrong);
    const open = { type: "object", properties: title, additionalProperties: true };
    expect(await check(open, { colour: 1 }, refuse)).toEqual({ got: { colour: 1 } });
  });

  test("are refused where the tool or the server says so, and a tool may differ", async () => {
    const wrong = { wrong: { colour: "Unknown argument." } };
    expect(await check(input, { colour: 1 }, refuse)).toEqual(wrong);
    expect(await check(input, { colour: 1 }, {}, refuse)).toEqual(wrong);
    expect(await check(input, { colour: 1 }, { unknownArguments: "follow-schema" }, refuse)).toEqual({
      got: {},
    });
  });

  test.each([
    ["titel", "title"],
    ["Title", "title"],
    ["TITLE", "title"],
    ["titl", "title"],
    ["dueDate", "due_date"],
    ["due-date", "due_date"],
    ["duedate", "due_date"],
    ["tag", "tags"],
  ])("%s is near to %s", async (given, near) => {
    expect(await check(input, { [given]: "x" }, refuse)).toEqual({
      wrong: { [given]: `Unknown argument. Did you mean "${near}"?` },
    });
  });

  test.each(["colour", "xy", "x".repeat(10_000), "constructor"])("%s is near to none", async (given) => {
    expect(await check(input, { [given]: "x" }, refuse)).toEqual({ wrong: { [given]: "Unknown argument." } });
  });

  test("are found in what is nested, and told by path", async () => {
    expect(await check(input, { tags: [{ name: "a" }, { name: "b", nam: 1 }] }, refuse)).toEqual({
      wrong: { "tags.1.nam": 'Unknown argument. Did you mean "name"?' },
    });
  });

  test("are told together with every other problem", async () => {
    const strict = z.object({ title: z.string(), count: z.number() });
    expect(await check(strict, { titel: "x", count: "y" }, refuse)).toEqual({
      wrong: {
        titel: 'Unknown argument. Did you mean "title"?',
        title: "Field required",
        count: "expected number, received string",
      },
    });
  });

  test("are told once, also by a schema that refuses them itself", async () => {
    const unknown = { wrong: { "o.titel": 'Unknown argument. Did you mean "title"?' } };
    const zod = z.object({ o: z.strictObject({ title: z.string().optional() }) });
    const valibot = toStandardJsonSchema(v.object({ o: v.strictObject({ title: v.optional(v.string()) }) }));
    const ark = type({ o: { "title?": "string", "+": "reject" } });
    for (const schema of [zod, valibot, ark])
      expect(await check(schema, { o: { titel: "x" } }, refuse)).toEqual(unknown);
    // What the schema says beside it is told.
    const twice = await check(zod, { o: { titel: "x", title: 1 } }, refuse);
    expect(twice).toEqual({
      wrong: { ...unknown.wrong, "o.title": "expected string, received number" },
    });
  });

  test("may be where the schema is open", async () => {
    const open = z.object({ map: z.record(z.string(), z.number()), loose: z.looseObject({ a: z.number() }) });
    const args = { map: { any: 1 }, loose: { a: 1, b: 2 } };
    expect(await check(open, args, refuse)).toEqual({ got: args });
  });
});

describe("arguments that one of several schemas names", () => {
  const refuse = { unknownArguments: "refuse" } as const;
  const n = { type: "number" };
  const has = (...names: string[]) => ({
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, n])),
  });

  // An object that is written with a "then" would be taken for a promise by the linter.
  const conditional = (condition: object, then: object, otherwise?: object) =>
    Object.fromEntries(Object.entries({ if: condition, else: otherwise ?? {} }).concat([["then", then]]));

  test.each<readonly [string, Record<string, unknown>]>([
    ["anyOf", { anyOf: [{ ...has("b"), required: ["b"] }, has("d")] }],
    ["oneOf", { oneOf: [{ ...has("b"), required: ["b"] }, { required: ["d"] }] }],
    ["allOf", { allOf: [has("b"), { minProperties: 1 }, { type: "object" }] }],
    ["then and else", conditional({ required: ["b"] }, has("b"), has("d"))],
    ["if", conditional({ ...has("b"), required: ["b"] }, { required: ["a"] })],
    ["$ref", { $ref: "#/$defs/b~1c", $defs: { "b/c": has("b") } }],
    ["a reference to the whole", { properties: { a: n, b: n, c: { $ref: "#" } }, oneOf: [{}] }],
    ["unevaluatedProperties", { allOf: [has("b")], unevaluatedProperties: false }],
    ["dependentSchemas", { dependentSchemas: { a: has("b") } }],
    ["not", { properties: { a: n, b: n }, not: { required: ["e"] } }],
  ])("are known: %s", async (_keyword, composed) => {
    const input = { ...has("a"), ...composed };
    expect(await check(input, { a: 1, b: 2 }, refuse)).toEqual({ got: { a: 1, b: 2 } });
    expect(await check(input, { a: 1, b: 2, eeee: 3 }, refuse)).toMatchObject({
      wrong: { eeee: "Unknown argument." },
    });
  });

  test.each<readonly [string, Record<string, unknown>]>([
    ["an open branch", { ...has("a"), anyOf: [{ type: "object", additionalProperties: true }] }],
    ["a branch for any object", { anyOf: [has("a"), { type: "object" }] }],
    ["a branch for anything", { anyOf: [has("a"), true] }],
    ["further properties by any other name", { ...has("a"), unevaluatedProperties: n }],
    ["what is defined elsewhere", { ...has("a"), $ref: "#more", $defs: { m: { $anchor: "more" } } }],
    ["names by pattern", { ...has("a"), allOf: [{ patternProperties: { "^e": n } }] }],
  ])("may be any with %s", async (_kind, input) => {
    expect(await check(input, { a: 1, eeee: 3 }, refuse)).toEqual({ got: { a: 1, eeee: 3 } });
  });

  const inner = z.object({ name: z.string() });
  const other = z.object({ size: z.number() });
  test.each<readonly [string, Schema, Record<string, unknown>, string]>([
    ["a nullable object", z.object({ o: inner.nullable() }), { o: { name: "a", nam: 1 } }, "o.nam"],
    ["a union", z.object({ o: z.union([other, inner]) }), { o: { name: "a", nam: 1 } }, "o.nam"],
    [
      "a discriminated union",
      z.discriminatedUnion("kind", [
        inner.extend({ kind: z.literal("a") }),
        other.extend({ kind: z.literal("b") }),
      ]),
      { kind: "a", name: "a", nam: 1 },
      "nam",
    ],
    ["a tuple", z.object({ t: z.tuple([z.number(), inner]) }), { t: [1, { name: "a", nam: 1 }] }, "t.1.nam"],
    [
      "the rest of a tuple",
      z.object({ t: z.tuple([z.number()]).rest(inner) }),
      { t: [1, { name: "a", nam: 1 }] },
      "t.1.nam",
    ],
    [
      "the values of a record",
      z.object({ r: z.record(z.string(), inner) }),
      { r: { x: { name: "a", nam: 1 } } },
      "r.x.nam",
    ],
    ["an intersection", z.object({ o: inner.and(other) }), { o: { name: "a", size: 1, nam: 1 } }, "o.nam"],
    [
      "what recurses",
      z.object({
        ...inner.shape,
        get sub() {
          return inner.extend({ sub: inner }).optional();
        },
      }),
      { name: "a", sub: { name: "a", sub: { name: "b", nam: 1 } } },
      "sub.sub.nam",
    ],
    [
      "a tuple of draft-07",
      {
        $schema: "http://json-schema.org/draft-07/schema#",
        type: "object",
        properties: { t: { items: [{}, { type: "object", properties: { name: {} } }] } },
      },
      { t: [1, { name: "a", nam: 1 }] },
      "t.1.nam",
    ],
  ])("are looked for in %s", async (_kind, input, args, path) => {
    expect(await check(input, args, refuse)).toEqual({
      wrong: { [path]: 'Unknown argument. Did you mean "name"?' },
    });
    const clean: unknown = JSON.parse(
      JSON.stringify(args, (key, value: unknown) => (key === "nam" ? undefined : value)),
    );
    expect(await check(input, clean as Record<string, unknown>, refuse)).toEqual({ got: clean });
  });

  test("are advertised as refused where one schema alone describes an object", () => {
    const object = { type: "object", properties: {} };
    const shut = { ...object, additionalProperties: false };
    for (const place of ["items", "additionalProperties"])
      expect(closed({ [place]: object })).toEqual({ [place]: shut });
    for (const union of ["anyOf", "oneOf", "prefixItems"])
      expect(closed({ [union]: [object, { type: "null" }] })).toEqual({ [union]: [shut, { type: "null" }] });
    for (const keyword of ["anyOf", "oneOf", "allOf"])
      for (const beside of [object, { not: {} }, { $ref: "#/$defs/a" }, { unevaluatedProperties: false }]) {
        const schema = { ...beside, [keyword]: [object] };
        expect(closed(schema)).toEqual(schema);
      }
  });

  test("may be what any branch of a union names", async () => {
    const input = {
      type: "object",
      properties: { o: { anyOf: [{ properties: { x: has("a") } }, { properties: { x: has("b") } }] } },
    };
    expect(await check(input, { o: { x: { a: 1, b: 1 } } }, refuse)).toHaveProperty("got");
    expect(await check(input, { o: { x: { a: 1, eeee: 1 } } }, refuse)).toEqual({
      wrong: { "o.x.eeee": "Unknown argument." },
    });
  });

  test("are told up to 32", async () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`key${i}`, i]));
    const { wrong } = (await check(z.object({ a: z.string().optional() }), many, refuse)) as {
      wrong: object;
    };
    expect(Object.keys(wrong)).toHaveLength(32);
  });
});

describe("what a caller is told", () => {
  const CANARY = "canary-81c2";
  const wrongArgs = {
    e: CANARY,
    l: CANARY,
    n: CANARY,
    u: { [CANARY]: CANARY },
    d: CANARY,
    o: { a: [CANARY] },
    p: `${CANARY}!`,
  };

  test.each<readonly [string, Schema]>([
    [
      "zod",
      z.object({
        e: z.email(),
        l: z.literal("x"),
        n: z.number(),
        u: z.union([z.number(), z.boolean()]),
        d: z.iso.date(),
        o: z.object({ a: z.string() }),
        p: z.string().regex(/^[a-z]+$/),
      }),
    ],
    [
      "valibot",
      toStandardJsonSchema(
        v.object({
          e: v.pipe(v.string(), v.email()),
          l: v.literal("x"),
          n: v.number(),
          u: v.union([v.number(), v.boolean()]),
          d: v.pipe(v.string(), v.isoDate()),
          o: v.object({ a: v.string() }),
          p: v.pipe(v.string(), v.regex(/^[a-z]+$/)),
        }),
      ),
    ],
    [
      "arktype",
      type({
        e: "string.email",
        l: "'x'",
        n: "number",
        u: "number | boolean",
        d: "string.date.iso",
        o: { a: "string" },
        p: "/^[a-z]+$/",
      }),
    ],
    [
      "JSON Schema",
      {
        type: "object",
        properties: {
          e: { type: "string", format: "email" },
          l: { const: "x" },
          n: { type: "number" },
          u: { type: ["number", "boolean"] },
          d: { type: "string", format: "date" },
          o: { type: "object", properties: { a: { type: "string" } } },
          p: { type: "string", pattern: "^[a-z]+$" },
        },
      },
    ],
  ])("holds nothing of the values, with %s", async (_kind, input) => {
    const outcome = await check(input, wrongArgs);
    expect(Object.keys((outcome as { wrong: object }).wrong).toSorted()).toEqual([
      "d",
      "e",
      "l",
      "n",
      "o.a",
      "p",
      "u",
    ]);
    expect(JSON.stringify(outcome)).not.toContain(CANARY);
  });

  test.each<readonly [string, Schema]>([
    ["zod", z.object({ constructor: z.string(), toString: z.string() })],
    [
      "JSON Schema",
      {
        type: "object",
        properties: { constructor: { type: "string" } },
        required: ["constructor", "toString"],
      },
    ],
  ])("names fields that are called as what every object has, with %s", async (_kind, input) => {
    expect(await check(input, {})).toEqual({
      wrong: { constructor: "Field required", toString: "Field required" },
    });
    expect(await check(input, { constructor: "a" })).toEqual({ wrong: { toString: "Field required" } });
  });

  test("says what ArkType expects of unions and intersections, without what it was", async () => {
    const input = type({
      flag: "boolean",
      choice: "'a' | 'b'",
      shape: type({ k: "'x'", a: "string" }).or({ k: "'y'", b: "number" }).or("number[]"),
      short: "string.email & string < 5",
      json: "string.json",
      own: type("string").narrow((_text, ctx) => ctx.reject({ message: "must rhyme" })),
    });
    const args = {
      flag: CANARY,
      choice: CANARY,
      shape: CANARY,
      short: `${CANARY})`,
      json: `{${CANARY}`,
      own: CANARY,
    };
    const outcome = await check(input, args);
    expect(outcome).toMatchObject({
      wrong: {
        flag: "must be false or true",
        choice: 'must be "a" or "b"',
        short: "must be an email address and at most length 4",
        json: "must be a JSON string",
        own: "must rhyme",
      },
    });
    expect(JSON.stringify(outcome)).not.toContain(CANARY);
  });

  test("holds 32 problems at most", async () => {
    const items = Array.from({ length: 1_000 }, () => 1);
    const { wrong } = (await check(z.object({ items: z.array(z.string()) }), { items })) as { wrong: object };
    expect(Object.keys(wrong)).toHaveLength(32);
  });
});

describe("arguments that do not fit", () => {
  const fits = z.object({ n: z.string().max(1) });
  const fitsLater = fits.refine(async ({ n }) => Promise.resolve(n === "1"));

  test.each([
    ["at once", fits],
    ["later", fitsLater],
  ])("are thrown to middleware, which may answer them: told %s", async (_when, input) => {
    const thrown: unknown[] = [];
    const reached: unknown[] = [];
    const server = new MCPServer({ name: "arguments", version: "1.0.0" })
      .tool("tool", { description: "Takes one.", input }, (args) => void reached.push(args))
      .prompt("prompt", { description: "Takes one.", input }, (args) => void reached.push(args))
      .use(async (_ctx, next) => {
        try {
          return await next();
        } catch (error) {
          thrown.push(error);
          return "Write one digit.";
        }
      });
    const client = await TestClient.connect(server);
    expect(await client.callTool("tool", { n: "22" })).toMatchObject({
      content: [{ type: "text", text: "Write one digit." }],
    });
    expect(await client.getPrompt("prompt", { n: "22" })).toMatchObject({
      messages: [{ role: "user", content: { type: "text", text: "Write one digit." } }],
    });
    expect(thrown).toHaveLength(2);
    for (const error of thrown) expect(error).toBeInstanceOf(ValidationError);
    expect(reached).toEqual([]);
  });

  test.each([
    ["at once", fits],
    ["later", fitsLater],
  ])("refuse tools and prompts: told %s", async (_when, input) => {
    const reached: unknown[] = [];
    const server = new MCPServer({ name: "arguments", version: "1.0.0" })
      .tool("tool", { description: "Takes one.", input }, (args) => void reached.push(args))
      .prompt("prompt", { description: "Takes one.", input }, (args) => void reached.push(args));
    const client = await TestClient.connect(server);
    expect(await client.callTool("tool", { n: "22" })).toMatchObject({ isError: true });
    await expect(client.getPrompt("prompt", { n: "22" })).rejects.toMatchObject({
      code: -32602,
      data: { code: "VALIDATION_ERROR" },
    });
    expect(reached).toEqual([]);
  });
});
