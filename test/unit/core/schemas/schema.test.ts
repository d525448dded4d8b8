import { type JsonSchema, MCPServer, type Schema } from "gantry-mcp";
import { TestClient, type TestEra } from "gantry-mcp/testing";
import { Ajv2020 } from "ajv/dist/2020.js";
import { type } from "arktype";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Validation } from "../../../../src/core/ports.ts";
import { compileJsonSchema } from "../../../../src/validation/json-schema.ts";

interface Listed {
  readonly inputSchema: JsonSchema;
  readonly outputSchema?: JsonSchema;
}

/** A tool of these schemas as the list shows it. */
async function listed(
  options: { readonly input?: Schema; readonly output?: Schema },
  era: TestEra = "2026-07-28",
): Promise<Listed> {
  const server = new MCPServer({ name: "schemas", version: "1.0.0" });
  server.tool("t", { description: "A tool.", ...options }, () => [] as never);
  const client = await TestClient.connect(server, { era });
  const [tool] = await client.listTools();
  return tool as unknown as Listed;
}

const input = async (schema: Schema) => (await listed({ input: schema })).inputSchema;

const Tag = z.object({ label: z.string() }).meta({ id: "Tag" });
const Node = z.object({
  name: z.string(),
  tag: Tag,
  get children() {
    return z.array(Node);
  },
});

describe("an advertised schema", () => {
  test("names no dialect", async () => {
    expect(await input(z.object({}))).not.toHaveProperty("$schema");
    expect(await input(type({ a: "string" }))).not.toHaveProperty("$schema");
  });

  test("has what is used again in each place where it is used", async () => {
    const schema = await input(
      z.object({ first: Tag, more: z.array(Tag), deep: z.object({ tag: Tag.optional() }) }),
    );
    expect(JSON.stringify(schema)).not.toMatch(/\$ref|\$defs/);
    const tag = { type: "object", properties: { label: { type: "string" } }, required: ["label"] };
    expect(schema).toMatchObject({
      properties: { first: tag, more: { items: tag }, deep: { properties: { tag } } },
    });
  });

  test("keeps what stands beside a reference", async () => {
    expect(await input(z.object({ tag: Tag.describe("The one.") }))).toMatchObject({
      properties: { tag: { type: "object", description: "The one." } },
    });
  });

  test("keeps the definitions of what recurses, and accepts what the validator accepts", async () => {
    const schema = await input(z.object({ root: Node }));
    expect(schema).toHaveProperty("$defs");
    const validate = new Ajv2020({ strict: false }).compile(schema);
    const leaf = { name: "b", tag: { label: "t" }, children: [] };
    expect(validate({ root: { name: "a", tag: { label: "t" }, children: [leaf] } })).toBe(true);
    expect(validate({ root: { name: "a", tag: { label: "t" }, children: [{ ...leaf, name: 1 }] } })).toBe(
      false,
    );
    expect(validate({ root: { name: "a", tag: {}, children: [] } })).toBe(false);
  });

  test("keeps pointers to its own root", async () => {
    const schema = await input(Node);
    expect(schema).toMatchObject({ type: "object", properties: { children: { items: { $ref: "#" } } } });
  });

  test("does not grow without bound", async () => {
    let schema: z.ZodType = z.object({ a: z.string() }).meta({ id: "level0" });
    for (let level = 1; level <= 24; level++)
      schema = z.object({ a: schema, b: schema }).meta({ id: `level${level}` });
    const begun = performance.now();
    const json = await input(schema);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(JSON.stringify(json).length).toBeLessThan(100_000);
    expect(() => new Ajv2020({ strict: false }).compile(json)).not.toThrow();
  });

  test("says nothing of the bounds that every whole number in JSON has", async () => {
    expect(await input(z.object({ n: z.int(), positive: z.int().min(1) }))).toMatchObject({
      properties: { n: { type: "integer" }, positive: { type: "integer", minimum: 1 } },
    });
    expect(JSON.stringify(await input(z.object({ n: z.int() })))).not.toContain("9007199254740991");
  });

  test("keeps descriptions, defaults, bounds, formats and examples", async () => {
    const schema = z.object({
      due: z.iso
        .date()
        .describe("Due date")
        .meta({ examples: ["2026-03-10"] }),
      kind: z.enum(["a", "b"]).default("a"),
      size: z.number().gt(0).multipleOf(0.5),
      names: z.array(z.string()).min(1).max(3),
    });
    expect(await input(schema)).toMatchObject({
      properties: {
        due: { type: "string", format: "date", description: "Due date", examples: ["2026-03-10"] },
        kind: { enum: ["a", "b"], default: "a" },
        size: { exclusiveMinimum: 0, multipleOf: 0.5 },
        names: { minItems: 1, maxItems: 3 },
      },
      required: ["due", "size", "names"],
    });
  });

  test("written by hand is kept to the letter", async () => {
    const schema = {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      properties: { a: { $ref: "#/definitions/a" }, n: { maximum: 9_007_199_254_740_991 } },
      definitions: { a: { type: "string", "x-note": ["kept"] } },
    };
    expect(await input(schema)).toEqual(schema);
  });

  test("of unions says that arguments are an object", async () => {
    const union = z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]);
    expect(await input(union)).toMatchObject({
      type: "object",
      anyOf: [{ type: "object" }, { type: "object" }],
    });
  });
});

describe("the schema of an output that is no object, for 2025-era clients", () => {
  const legacy = async (output: Schema) =>
    (await listed({ output }, "2025-11-25")).outputSchema as JsonSchema;

  test("wraps it, with its definitions on top", async () => {
    const schema = await legacy(z.array(Node));
    expect(schema).toMatchObject({
      type: "object",
      properties: { result: { type: "array" } },
      required: ["result"],
    });
    const validate = new Ajv2020({ strict: false }).compile(schema);
    const leaf = { name: "b", tag: { label: "t" }, children: [] };
    expect(validate({ result: [leaf, { ...leaf, children: [leaf] }] })).toBe(true);
    expect(validate({ result: [{ ...leaf, children: [{}] }] })).toBe(false);
  });

  test("moves pointers to its root along", async () => {
    const validate = new Ajv2020({ strict: false }).compile(await legacy(z.json()));
    expect(validate({ result: [1, [{ a: ["b"] }]] })).toBe(true);
    const list = { type: "array", items: { anyOf: [{ type: "string" }, { $ref: "#" }] } };
    const nested = new Ajv2020({ strict: false }).compile(await legacy(list));
    expect(nested({ result: ["a", ["b", []]] })).toBe(true);
    expect(nested({ result: ["a", [1]] })).toBe(false);
    const pair = { type: "array", prefixItems: [{ type: "string" }, { $ref: "#/prefixItems/0" }] };
    expect(new Ajv2020({ strict: false }).compile(await legacy(pair))({ result: ["a", 1] })).toBe(false);
  });

  test("is as it was where it is an object", async () => {
    const output = z.object({ a: z.string() });
    expect(await legacy(output)).toEqual((await listed({ output })).outputSchema);
  });
});

describe("a validator of plain JSON Schema", () => {
  const check = (schema: JsonSchema, value: unknown) => {
    const { issues = [] } = compileJsonSchema(schema)(value) as Validation;
    return issues.map(({ path = [] }) => path.map(String).join("."));
  };

  test("follows pointers, to the root too", () => {
    const tree = {
      type: "object",
      properties: { sub: { $ref: "#" }, n: { type: "number" } },
      required: ["n"],
    };
    expect(check(tree, { n: 1, sub: { n: 2, sub: { n: 3 } } })).toEqual([]);
    expect(check(tree, { n: 1, sub: { n: 2, sub: {} } })).toEqual(["sub.sub.n"]);
    const linked = { type: "object", properties: { a: { type: "string" }, b: { $ref: "#/properties/a" } } };
    expect(check(linked, { b: 1 })).toEqual(["b"]);
  });

  test("keeps schemas apart that have the same $id", () => {
    const kind = (name: string) => ({
      $id: "https://example.com/s",
      type: "object",
      properties: { a: { type: name } },
    });
    const compiled = [kind("string"), kind("number")].map((schema) => compileJsonSchema(schema));
    const fits = (value: unknown) => compiled.map((validate) => !(validate(value) as Validation).issues);
    expect(fits({ a: "x" })).toEqual([true, false]);
    expect(fits({ a: 1 })).toEqual([false, true]);
  });

  test("heeds only what was sent, whatever objects inherit", () => {
    const schema = { type: "object", properties: { constructor: { type: "string" } }, required: ["valueOf"] };
    expect(check(schema, {})).toEqual(["valueOf"]);
    expect(check(schema, { valueOf: 1 })).toEqual([]);
    expect(check(schema, { valueOf: 1, constructor: 2 })).toEqual(["constructor"]);
  });
});
