import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { JsonSchema } from "../../../../src/core/ports.ts";
import { advertised } from "../../../../src/core/schemas/schema.ts";
import { REDACTED, sensitiveRedactor } from "../../../../src/core/schemas/sensitive.ts";

/** What is left of `value`, which `schema` describes. */
function shown(schema: JsonSchema | z.ZodType, value: unknown): unknown {
  const json = "~standard" in schema ? advertised(schema, "input", "Input") : schema;
  const redact = sensitiveRedactor(json);
  expect(redact, "the schema marks something").toBeDefined();
  return redact?.(value);
}

const secret = z.string().meta({ sensitive: true });
const marked = { type: "string", sensitive: true };

describe("a sensitive field", () => {
  test.each([
    ["sensitive: true", { sensitive: true }],
    ["writeOnly: true", { writeOnly: true }],
    ['format: "password"', { format: "password" }],
  ])("is marked by %s", (_words, mark) => {
    const schema = { properties: { user: { type: "string" }, pin: { type: "string", ...mark } } };
    expect(shown(schema, { user: "ada", pin: "1234" })).toEqual({ user: "ada", pin: REDACTED });
  });

  test.each([{ sensitive: false }, { sensitive: "true" }, { writeOnly: false }, { format: "email" }])(
    "is none by %j",
    (mark) => {
      expect(sensitiveRedactor({ properties: { a: { type: "string", ...mark } } })).toBeUndefined();
    },
  );

  test.each([
    ["a text", "1234"],
    ["a number", 1234],
    ["an object", { deep: { value: 1 } }],
    ["a list", [1, 2]],
    ["null", null],
  ])("is hidden whatever it is: %s", (_words, value) => {
    expect(shown({ properties: { pin: { sensitive: true } } }, { pin: value })).toEqual({ pin: REDACTED });
  });

  test.each([
    ["optional", z.object({ pin: secret.optional() })],
    ["nullable", z.object({ pin: secret.nullable() })],
    ["with a default", z.object({ pin: secret.default("0000") })],
    ["read-only", z.object({ pin: secret.readonly() })],
    ["in a record", z.record(z.string(), secret)],
    ["behind an intersection", z.object({ user: z.string() }).and(z.object({ pin: secret }))],
    ["in one branch of a union", z.union([z.object({ pin: z.string() }), z.object({ pin: secret })])],
  ])("may be %s, in zod", (_words, schema) => {
    expect(shown(schema, { pin: "1234" })).toEqual({ pin: REDACTED });
  });

  test("is not shown where its name is misspelt", () => {
    const schema = z.object({ pinCode: secret, pan: z.string() });
    expect(
      shown(schema, { PinCode: "1", pincode: "1", pin_code: "1", picCode: "1", pan: "a", plan: "b" }),
    ).toEqual({
      PinCode: REDACTED,
      pincode: REDACTED,
      pin_code: REDACTED,
      picCode: REDACTED,
      pan: "a",
      plan: "b",
    });
  });

  test("may be a type with a name, in zod", () => {
    const Pin = z.string().meta({ id: "Pin", sensitive: true });
    expect(
      shown(z.object({ old: Pin, next: Pin, user: z.string() }), { old: "1", next: "2", user: "ada" }),
    ).toEqual({ old: REDACTED, next: REDACTED, user: "ada" });
  });

  test("is found in lists, tuples and objects within", () => {
    const schema = z.object({
      accounts: z.array(z.object({ name: z.string(), key: secret })),
      pair: z.tuple([z.string(), secret]),
    });
    const value = {
      accounts: [
        { name: "a", key: "k1" },
        { name: "b", key: "k2" },
      ],
      pair: ["user", "word"],
    };
    expect(shown(schema, value)).toEqual({
      accounts: [
        { name: "a", key: REDACTED },
        { name: "b", key: REDACTED },
      ],
      pair: ["user", REDACTED],
    });
  });

  test("is found in what recurses", () => {
    const Node = z.object({
      name: z.string(),
      key: secret,
      get children() {
        return z.array(Node);
      },
    });
    const leaf = { name: "leaf", key: "k2", children: [] };
    expect(shown(Node, { name: "root", key: "k1", children: [leaf] })).toEqual({
      name: "root",
      key: REDACTED,
      children: [{ name: "leaf", key: REDACTED, children: [] }],
    });
  });

  test.each<[string, JsonSchema]>([
    ["$defs", { properties: { pin: { $ref: "#/$defs/Pin" } }, $defs: { Pin: marked } }],
    ["definitions", { properties: { pin: { $ref: "#/definitions/Pin" } }, definitions: { Pin: marked } }],
    [
      "a pointer with escapes",
      { properties: { pin: { $ref: "#/$defs/a~1b%20c" } }, $defs: { "a/b c": marked } },
    ],
    [
      "a reference to a reference",
      { properties: { pin: { $ref: "#/$defs/A" } }, $defs: { A: { $ref: "#/$defs/B" }, B: marked } },
    ],
    ["an anchor", { properties: { pin: { $ref: "#pin" } }, $defs: { Pin: { $anchor: "pin", ...marked } } }],
    ["an $id", { properties: { pin: { $ref: "pin.json" } }, $defs: { Pin: { $id: "pin.json", ...marked } } }],
    ["patternProperties", { patternProperties: { "^p": marked } }],
    ["additionalProperties", { properties: { user: {} }, additionalProperties: marked }],
    ["allOf", { allOf: [{ properties: { user: {} } }, { properties: { pin: marked } }] }],
    ["anyOf", { anyOf: [{ properties: { pin: {} } }, { properties: { pin: marked } }] }],
    ["oneOf", { oneOf: [{ properties: { pin: {} } }, { properties: { pin: marked } }] }],
    ["else", { if: { required: ["key"] }, else: { properties: { pin: marked } } }],
    ["dependentSchemas", { dependentSchemas: { user: { properties: { pin: marked } } } }],
  ])("is found through %s", (_words, schema) => {
    expect(shown(schema, { user: "ada", pin: "1234" })).toEqual({ user: "ada", pin: REDACTED });
  });

  test("may be an element that is named by its place, in draft-07", () => {
    const schema = { items: [{ type: "string" }, marked], additionalItems: { type: "number" } };
    expect(shown(schema, ["ada", "1234", 3])).toEqual(["ada", REDACTED, 3]);
  });
});

describe("what does not fit its schema", () => {
  const schema = {
    properties: { login: { type: "object", properties: { pin: marked } }, note: { type: "string" } },
  };

  test.each([
    ["is a text in place of an object", '{"pin":"1234"}'],
    ["is a list in place of an object", [{ pin: "1234" }]],
  ])("is hidden where a sensitive field belongs: it %s", (_words, login) => {
    expect(shown(schema, { login, note: "n" })).toEqual({ login: REDACTED, note: "n" });
  });

  test("is hidden where a list belongs", () => {
    expect(shown({ properties: { pins: { items: marked } } }, { pins: { 0: "1234" } })).toEqual({
      pins: REDACTED,
    });
  });

  test("is shown elsewhere", () => {
    expect(shown(schema, { login: { pin: "1" }, note: { any: ["thing"] }, more: 1 })).toEqual({
      login: { pin: REDACTED },
      note: { any: ["thing"] },
      more: 1,
    });
  });
});

test("fields that are called as what every object has are told apart", () => {
  const schema = { properties: { pin: marked, constructor: { type: "string" } } };
  const value = JSON.parse('{"__proto__":{"a":1},"toString":"t","constructor":"c","pin":"1"}') as object;
  expect(JSON.stringify(shown(schema, value))).toBe(
    `{"__proto__":{"a":1},"toString":"t","constructor":"c","pin":"${REDACTED}"}`,
  );
});

test("the value itself stays as it was", () => {
  const value = { pin: "1234" };
  shown({ properties: { pin: marked } }, value);
  expect(value).toEqual({ pin: "1234" });
});

test("nesting without an end comes to one", () => {
  const schema = { properties: { inner: { $ref: "#" }, pin: marked } };
  const deep = JSON.parse(`${'{"inner":'.repeat(50_000)}{"pin":"canary"}${"}".repeat(50_000)}`) as unknown;
  expect(JSON.stringify(shown(schema, deep))).not.toContain("canary");
});

test("references that lead nowhere, or only to themselves, mark nothing", () => {
  expect(sensitiveRedactor({ $ref: "#/$defs/A", $defs: { A: { $ref: "#/$defs/A" } } })).toBeUndefined();
  expect(sensitiveRedactor({ properties: { a: { $ref: "#/nothing/there" } } })).toBeUndefined();
});

test("no arguments of any form show what is sensitive", () => {
  const schema = {
    properties: {
      a: { properties: { pin: marked } },
      b: { items: { properties: { pin: marked } } },
      pin: marked,
    },
  };
  const canary = fc.constantFrom(
    "canary",
    ["canary"],
    { pin: "canary" },
    [{ pin: "canary" }],
    '{"pin":"canary"}',
  );
  const field = fc.record({ pin: canary });
  const value = fc.record({
    a: fc.oneof(field, fc.array(field)),
    b: fc.oneof(field, fc.array(field)),
    pin: canary,
  });
  fc.assert(
    fc.property(value, (args) => {
      expect(JSON.stringify(shown(schema, args))).not.toContain("canary");
    }),
  );
});
