/** An author's schema → a validator and the JSON Schema to advertise, once. */

import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import { ConfigurationError, ValidationError, refusal } from "../errors.ts";
import type { Issue, JsonSchema, Validator } from "../ports.ts";
import { problem } from "./problem.ts";

/** A Standard Schema that can also give JSON Schema: zod 4, ArkType, Valibot through its adapter, … */
export type StandardSchema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output> &
  StandardJSONSchemaV1<Input, Output>;

declare const TYPE: unique symbol;

/** A plain JSON Schema that knows the type it describes; made by {@link jsonSchema}. */
export type TypedJsonSchema<T> = JsonSchema & { readonly [TYPE]?: T };

/** What `input` and `output` accept. */
export type Schema = StandardSchema | JsonSchema;

/** Makes the validator of a schema. Throws where the schema itself is wrong. */
export type SchemaCompiler = (schema: Schema) => Validator;

/** The type a handler receives for arguments described by `S`. */
export type Parsed<S> =
  S extends StandardSchemaV1<unknown, infer Output>
    ? Output
    : S extends { readonly [TYPE]?: infer T }
      ? Known<T>
      : Record<string, unknown>;

/** The type a handler must return where its output is described by `S`. */
export type Returned<S> =
  S extends StandardSchemaV1<infer Input, unknown>
    ? Input
    : S extends { readonly [TYPE]?: infer T }
      ? Known<T>
      : unknown;

type Known<T> = unknown extends T ? Record<string, unknown> : T;

/**
 * Gives a plain JSON Schema a type, so that handlers are checked against it.
 *
 * @example
 * ```ts
 * server.tool("add", { description: "Add.", input: jsonSchema<{ a: number; b: number }>({
 *   type: "object", properties: { a: { type: "number" }, b: { type: "number" } }, required: ["a", "b"],
 * }) }, ({ a, b }) => a + b);
 * ```
 */
export function jsonSchema<T>(schema: JsonSchema): TypedJsonSchema<T> {
  return schema;
}

/** Whether plain JSON Schema is used, whose compiler is loaded when the server is sealed. */
export function isPlainJsonSchema(schema: Schema): schema is JsonSchema {
  return !("~standard" in schema);
}

/**
 * The JSON Schema to advertise. Plain schemas are kept to the letter; generated ones lose `$schema`
 * (2020-12 is the protocol's default dialect, and some hosts refuse the key) and local references that
 * do not recurse. Throws a {@link ConfigurationError} where the schema cannot be advertised.
 *
 * @param side - `"input"` describes what may be sent, `"output"` what comes back.
 */
export function advertised(schema: Schema, side: "input" | "output", what: string): JsonSchema {
  checkSchema(schema, what);
  const json = isPlainJsonSchema(schema) ? schema : generated(schema, side, what);
  try {
    JSON.stringify(json);
  } catch (error) {
    throw new ConfigurationError(
      `${what} cannot be written as JSON (${reason(error)}). Use plain JSON values in defaults and examples.`,
    );
  }
  return json;
}

/** What is given for a schema, before anything is read from it. */
function checkSchema(schema: unknown, what: string): void {
  if (isStandard(schema)) return;
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    throw new ConfigurationError(
      `${what} is not a schema. Write z.object({ … }), another Standard Schema, or a plain JSON Schema object.`,
    );
  }
  const key = Object.entries(schema).find(([, value]) => isStandard(value))?.[0];
  if (key !== undefined) {
    throw new ConfigurationError(
      `${what} is an object of schemas, which is not a schema yet. Wrap it: z.object({ ${key}: … }).`,
    );
  }
}

function isStandard(value: unknown): boolean {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") && "~standard" in value
  );
}

/** A validator for `schema`, made by `compile`. What is wrong with the schema is told after `what`. */
export function validator(schema: Schema, compile: SchemaCompiler, what: string): Validator {
  try {
    return compile(schema);
  } catch (error) {
    throw error instanceof ConfigurationError ? new ConfigurationError(`${what} ${error.message}`) : error;
  }
}

/** Requires that `json` describes an object, as arguments are, and says so in the schema. */
export function asObjectSchema(json: JsonSchema, what: string): JsonSchema {
  if (json["type"] === "object") return json;
  const isUnion = "anyOf" in json || "oneOf" in json || "allOf" in json || "$ref" in json;
  if (json["type"] === undefined && (isUnion || Object.keys(json).length === 0))
    return { type: "object", ...json };
  throw new ConfigurationError(
    `${what} must describe an object, because arguments have names. Wrap it: z.object({ value: … }), or { type: "object", properties: { value: … } } in plain JSON Schema.`,
  );
}

/** What may name further properties of the object that a schema describes. */
const COMPOSITION = [
  ..."anyOf oneOf allOf $ref $dynamicRef if then else not dependentSchemas dependencies".split(" "),
  "unevaluatedProperties",
];
const MEMBERS = ["properties", "patternProperties", "additionalProperties", "items", "prefixItems"];

/**
 * The schema with every object closed that says nothing of further properties: what is refused is advertised.
 * Where several schemas describe one object, none of them can be closed; the branches of a plain union can.
 */
export function closed(schema: JsonSchema): JsonSchema {
  const composition = COMPOSITION.filter((key) => key in schema);
  const [union] = composition;
  if (union !== undefined) {
    const isPlainUnion = /^(?:any|one)Of$/.test(union) && composition.length === 1;
    return isPlainUnion && !MEMBERS.some((key) => key in schema)
      ? { ...schema, [union]: closedInside(schema[union]) }
      : schema;
  }
  const { properties, items, prefixItems, additionalProperties } = schema;
  const isOpen = additionalProperties !== undefined || "patternProperties" in schema;
  return {
    ...schema,
    ...(isSchema(properties) && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, inner]) => [key, closedInside(inner)]),
      ),
    }),
    ...(items !== undefined && { items: closedInside(items) }),
    ...(prefixItems !== undefined && { prefixItems: closedInside(prefixItems) }),
    ...(additionalProperties !== undefined && { additionalProperties: closedInside(additionalProperties) }),
    ...(isSchema(properties) && !isOpen && { additionalProperties: false }),
  };
}

function closedInside(inner: unknown): unknown {
  if (Array.isArray(inner)) return inner.map(closedInside);
  return isSchema(inner) ? closed(inner) : inner;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The error for a caller whose arguments do not fit. Says where and what, never the values. */
export function validationError(
  issues: readonly Issue[],
  value: unknown,
  unknown: Readonly<Record<string, string>> = {},
): ValidationError {
  const fieldErrors: Record<string, string> = { ...unknown };
  const untold = issues.filter((issue) => !isTold(issue, unknown));
  let missing = false;
  let mistyped = false;
  for (const issue of untold.slice(0, 32)) {
    const path = pathOf(issue);
    const absent = path.length > 0 && at(value, path) === undefined;
    missing ||= absent;
    mistyped ||= "code" in issue && issue.code === "invalid_type";
    const key = path.map(String).join(".");
    // Fields may be called as what every object has: "constructor", "toString".
    if (!Object.hasOwn(fieldErrors, key)) fieldErrors[key] = absent ? "Field required" : problem(issue);
  }
  const advice =
    untold.length > 0
      ? suggestion(missing, mistyped)
      : "Leave out unknown arguments, or correct their names.";
  return refusal(() => new ValidationError(fieldErrors, { suggestion: advice }));
}

function pathOf({ path = [] }: Issue): readonly PropertyKey[] {
  return path.map((segment) => (typeof segment === "object" ? segment.key : segment));
}

/** Whether an issue says no more than that there are fields which are told as unknown anyway; zod's strict objects do. */
function isTold(issue: Issue, unknown: Readonly<Record<string, string>>): boolean {
  if (!("code" in issue && issue.code === "unrecognized_keys" && "keys" in issue)) return false;
  const names = (issue.keys as readonly string[]).map((key) => [...pathOf(issue), key].map(String).join("."));
  return names.every((name) => Object.hasOwn(unknown, name));
}

function suggestion(missing: boolean, mistyped: boolean): string {
  if (missing) return "Required fields are missing. Check that all required parameters are provided.";
  if (mistyped)
    return "Parameter type mismatch. Check that values match the expected types in the tool schema.";
  return "Check the parameter types and constraints in the tool description.";
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let inner = value;
  for (const key of path) {
    if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, key)) return undefined;
    inner = (inner as Record<PropertyKey, unknown>)[key];
  }
  return inner;
}

const HINTS: Readonly<Record<string, string>> = {
  valibot: "Wrap it: toStandardJsonSchema(…) from @valibot/to-json-schema.",
  zod: 'zod 3 and zod/mini have none: import { z } from "zod", 4.2 or newer.',
};

function generated(schema: StandardSchema, side: "input" | "output", what: string): JsonSchema {
  const { vendor, jsonSchema: converter } = schema["~standard"];
  if (typeof converter?.[side] !== "function") {
    const hint = HINTS[vendor] ?? "Use zod 4, ArkType, Valibot or plain JSON Schema.";
    throw new ConfigurationError(`${what} is a schema of ${vendor} that gives no JSON Schema. ${hint}`);
  }
  let json: Record<string, unknown>;
  try {
    json = converter[side]({ target: "draft-2020-12" });
  } catch (error) {
    throw new ConfigurationError(
      `${what} has no JSON Schema (${reason(error)}). Use types and defaults that JSON can carry${instead(reason(error))}.`,
    );
  }
  const { $schema: _dialect, "~standard": _standard, ...rest } = json;
  return tidy(rest);
}

/** What to write for a type that JSON cannot carry, by why it cannot. */
function instead(why: string): string {
  if (/\bbigint\b/i.test(why)) return ", such as z.int() or a z.string() of digits for a bigint";
  return /\bdate\b/i.test(why) ? ", such as z.iso.datetime() for a date" : "";
}

/** How many nodes tidying may grow a schema to; beyond, it stays as its library wrote it. */
const LARGEST = 20_000;

/**
 * A generated schema without what burdens models and clients: local references are replaced by what they
 * name, but for those that recurse, whose definitions stay; the bounds of safe integers go without saying.
 */
function tidy(root: Record<string, unknown>): JsonSchema {
  const definitions = (root["$defs"] ?? {}) as Record<string, unknown>;
  const recursive = new Set<string>();
  let nodes = 0;
  const visit = (node: unknown, open: readonly string[]): unknown => {
    if (++nodes > LARGEST || typeof node !== "object" || node === null) return node;
    if (Array.isArray(node)) return node.map((item) => visit(item, open));
    const reference =
      "$ref" in node && typeof node.$ref === "string"
        ? /^#\/\$defs\/([^/]+)$/.exec(node.$ref)?.[1]
        : undefined;
    if (reference === undefined || !Object.hasOwn(definitions, reference)) {
      return Object.fromEntries(
        Object.entries(node).flatMap(([key, value]) =>
          goesWithoutSaying(key, value) ? [] : [[key, visit(value, open)]],
        ),
      );
    }
    if (open.includes(reference)) recursive.add(reference);
    else {
      const { $ref: _reference, ...siblings } = node as Record<string, unknown>;
      const target = visit(definitions[reference], [...open, reference]);
      if (!recursive.has(reference)) return { ...(target as object), ...(visit(siblings, open) as object) };
    }
    return node;
  };
  const { $defs: _definitions, ...rest } = root;
  const result = visit(rest, []) as Record<string, unknown>;
  if (nodes > LARGEST) return root;
  // What recurses is kept with everything that it refers to, exactly as its library wrote it.
  return recursive.size === 0 ? result : { ...result, $defs: definitions };
}

function goesWithoutSaying(key: string, value: unknown): boolean {
  return (
    (key === "maximum" && value === Number.MAX_SAFE_INTEGER) ||
    (key === "minimum" && value === Number.MIN_SAFE_INTEGER)
  );
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
