/** Descriptions of values, their schemas in four languages, and what fits them: told without any validator. */

import type { JsonSchema, Schema } from "gantry-mcp";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type Type, type } from "arktype";
import * as fc from "fast-check";
import * as v from "valibot";
import { z } from "zod";

export type Shape =
  | { readonly kind: "text"; readonly min: number; readonly max: number }
  | { readonly kind: "integer" | "number"; readonly min: number; readonly max: number }
  | { readonly kind: "boolean" }
  | { readonly kind: "choice"; readonly values: readonly string[] }
  | { readonly kind: "list"; readonly item: Shape; readonly min: number; readonly max: number }
  | { readonly kind: "map"; readonly item: Shape }
  | { readonly kind: "nullable"; readonly inner: Shape }
  | { readonly kind: "object"; readonly fields: readonly Field[] };

export interface Field {
  readonly name: string;
  readonly shape: Shape;
  /** Whether it may be left out, and what stands there then. */
  readonly presence: "required" | "optional" | { readonly default: string | number | boolean };
}

export type ObjectShape = Extract<Shape, { kind: "object" }>;

const NAMES = [
  "title",
  "due_date",
  "n",
  "ärger",
  "文",
  "a.b",
  "with space",
  "$ref",
  "type",
  "properties",
  "x-y",
  "0",
  "constructor2",
  "_",
];

const bounds = (most: number) =>
  fc.tuple(fc.nat(most), fc.nat(most)).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) + 1 }));

const leaf: fc.Arbitrary<Shape> = fc.oneof(
  bounds(8).map((range) => ({ kind: "text" as const, ...range })),
  bounds(2_000).map(({ min, max }) => ({ kind: "integer" as const, min: min - 1_000, max: max - 1_000 })),
  bounds(2_000).map(({ min, max }) => ({ kind: "number" as const, min: min - 999.5, max: max - 999.5 })),
  fc.constant({ kind: "boolean" as const }),
  fc
    .uniqueArray(fc.constantFrom("open", "done", "in progress", "é", "", "1"), { minLength: 2, maxLength: 4 })
    .map((values) => ({ kind: "choice" as const, values })),
);

const { tree } = fc.letrec<{ tree: Shape; inner: Shape }>((tie) => ({
  tree: fc.oneof({ maxDepth: 3, withCrossShrink: true }, leaf, tie("inner")),
  inner: fc.oneof(
    fc.tuple(tie("tree"), bounds(3)).map(([item, range]) => ({ kind: "list" as const, item, ...range })),
    tie("tree").map((item) => ({ kind: "map" as const, item })),
    tie("tree").map((inner) => (inner.kind === "nullable" ? inner : { kind: "nullable" as const, inner })),
    fields(tie("tree"), 0, 3),
  ),
}));

function fields(shape: fc.Arbitrary<Shape>, least: number, most: number): fc.Arbitrary<ObjectShape> {
  const field = fc.tuple(fc.constantFrom(...NAMES), shape, fc.nat(3)).map(([name, inner, pick]): Field => {
    const standard = standardOf(inner);
    const presence =
      pick === 0 ? "optional" : pick === 1 && standard !== undefined ? { default: standard } : "required";
    return { name, shape: inner, presence };
  });
  return fc
    .uniqueArray(field, { selector: ({ name }) => name, minLength: least, maxLength: most })
    .map((all) => ({ kind: "object", fields: all }));
}

/** A value to fall back to, where the shape is simple. */
function standardOf(shape: Shape): string | number | boolean | undefined {
  switch (shape.kind) {
    case "text":
      return "d".repeat(shape.min);
    case "integer":
    case "number":
      return shape.min;
    case "boolean":
      return true;
    case "choice":
      return shape.values[0];
    default:
      return undefined;
  }
}

/** Shapes of arguments. */
export const argumentShapes: fc.Arbitrary<ObjectShape> = fields(tree, 1, 5);

// What stands in bounded texts counts the same in code units and in code points.
const text = (min: number, max: number) =>
  fc.string({
    unit: fc.constantFrom(
      "a",
      "Z",
      "9",
      " ",
      "é",
      "文",
      '"',
      "\\",
      "/",
      "\u0000",
      "\u2028",
      "\ufeff",
      "{",
      "[",
    ),
    minLength: min,
    maxLength: max,
  });

/** Values that fit. */
export function fitting(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case "text":
      return text(shape.min, shape.max);
    case "integer":
      return fc.integer({ min: shape.min, max: shape.max });
    case "number":
      return fc.double({ min: shape.min, max: shape.max, noNaN: true }).map((value) => value + 0);
    case "boolean":
      return fc.boolean();
    case "choice":
      return fc.constantFrom(...shape.values);
    case "list":
      return fc.array(fitting(shape.item), { minLength: shape.min, maxLength: shape.max });
    case "map":
      return fc.dictionary(fc.constantFrom("k", "é", "k 2", "toString", "0"), fitting(shape.item), {
        maxKeys: 3,
        noNullPrototype: true,
      });
    case "nullable":
      return fc.oneof(fc.constant(null), fitting(shape.inner));
    case "object":
      return fc
        .record(Object.fromEntries(shape.fields.map(({ name, shape: inner }) => [name, fitting(inner)])), {
          requiredKeys: shape.fields.flatMap(({ name, presence }) => (presence === "required" ? [name] : [])),
          noNullPrototype: true,
        })
        .chain((value) =>
          fc.oneof(
            { weight: 5, arbitrary: fc.constant(value) },
            fc.constant({ ...value, extra: [1, "more"] }),
          ),
        );
  }
}

/** Text in values that do not fit, which no error may hold. */
export const CANARY = "canary-5d1f";

const anything = fc.oneof(
  fc.constantFrom<unknown>(
    CANARY,
    `${CANARY}".]`,
    5e8,
    -5e8,
    0.25,
    true,
    null,
    [],
    {},
    [CANARY],
    { x: CANARY },
    `{"a":"${CANARY}"}`,
    "[]",
    "{}",
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Values that fit but for something in them, mostly. */
export function spoilt(shape: Shape): fc.Arbitrary<unknown> {
  const inside = (): fc.Arbitrary<unknown> => {
    switch (shape.kind) {
      case "text":
        return fc.oneof(
          text(shape.max + 1, shape.max + 3),
          shape.min > 0 ? text(0, shape.min - 1) : anything,
        );
      case "integer":
        return fc.constantFrom(shape.min - 1, shape.max + 1, shape.min + 0.5);
      case "number":
        return fc.constantFrom(shape.min - 0.5, shape.max + 0.5);
      case "list":
        return fc.oneof(
          fc.array(fc.oneof(spoilt(shape.item), fitting(shape.item)), { minLength: 1, maxLength: shape.max }),
          fc.array(fitting(shape.item), { minLength: shape.max + 1, maxLength: shape.max + 2 }),
        );
      case "map":
        return fc.dictionary(fc.constantFrom("k", "é"), spoilt(shape.item), {
          minKeys: 1,
          noNullPrototype: true,
        });
      case "nullable":
        return spoilt(shape.inner);
      case "object":
        return shape.fields.length === 0 ? anything : spoiltObject(shape);
      default:
        return anything;
    }
  };
  return fc.oneof({ weight: 1, arbitrary: anything }, { weight: 3, arbitrary: inside() });
}

/** An object with one field spoilt, left out, or sent as a JSON string. */
export function spoiltObject(shape: ObjectShape): fc.Arbitrary<Record<string, unknown>> {
  return fc.tuple(fitting(shape), fc.nat(shape.fields.length - 1), fc.nat(7)).chain(([value, index, way]) => {
    const object = value as Record<string, unknown>;
    const { name, shape: inner } = shape.fields[index] as Field;
    const { [name]: _left, ...rest } = object;
    if (way === 0) return fc.constant(rest);
    if (way === 1) return fitting(inner).map((encoded) => ({ ...object, [name]: JSON.stringify(encoded) }));
    return spoilt(inner).map((wrong) => ({ ...object, [name]: wrong }));
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether a value fits, told by the shape alone. */
export function fits(shape: Shape, value: unknown): boolean {
  switch (shape.kind) {
    case "text":
      return typeof value === "string" && value.length >= shape.min && value.length <= shape.max;
    case "integer":
      return Number.isInteger(value) && (value as number) >= shape.min && (value as number) <= shape.max;
    case "number":
      return typeof value === "number" && value >= shape.min && value <= shape.max;
    case "boolean":
      return typeof value === "boolean";
    case "choice":
      return shape.values.includes(value as string);
    case "list":
      return (
        Array.isArray(value) &&
        value.length >= shape.min &&
        value.length <= shape.max &&
        value.every((item) => fits(shape.item, item))
      );
    case "map":
      return isRecord(value) && Object.values(value).every((item) => fits(shape.item, item));
    case "nullable":
      return value === null || fits(shape.inner, value);
    case "object":
      return (
        isRecord(value) &&
        shape.fields.every(({ name, shape: inner, presence }) =>
          Object.hasOwn(value, name) ? fits(inner, value[name]) : presence !== "required",
        )
      );
  }
}

/** A value that fits with its defaults filled in; unknown fields stay or go. */
export function filled(shape: Shape, value: unknown, keepUnknown: boolean): unknown {
  switch (shape.kind) {
    case "list":
      return (value as unknown[]).map((item) => filled(shape.item, item, keepUnknown));
    case "map":
      return Object.fromEntries(
        Object.entries(value as object).map(([key, item]) => [key, filled(shape.item, item, keepUnknown)]),
      );
    case "nullable":
      return value === null ? null : filled(shape.inner, value, keepUnknown);
    case "object": {
      const given = value as Record<string, unknown>;
      const known = shape.fields.flatMap(({ name, shape: inner, presence }) =>
        Object.hasOwn(given, name)
          ? [[name, filled(inner, given[name], keepUnknown)]]
          : typeof presence === "object"
            ? [[name, presence.default]]
            : [],
      );
      return { ...(keepUnknown && given), ...(Object.fromEntries(known) as object) };
    }
    default:
      return value;
  }
}

const expectsStructure = (shape: Shape): boolean =>
  shape.kind === "nullable" ? expectsStructure(shape.inner) : ["list", "map", "object"].includes(shape.kind);

/** Arguments with what was sent as a JSON string parsed, where a list or an object is expected. */
export function mended(shape: ObjectShape, args: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(args).map(([name, value]) => {
    const field = shape.fields.find((candidate) => candidate.name === name);
    if (!field || typeof value !== "string" || !expectsStructure(field.shape)) return [name, value];
    try {
      const parsed: unknown = JSON.parse(value);
      return [name, typeof parsed === "object" && parsed !== null ? parsed : value];
    } catch {
      return [name, value];
    }
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

export interface Language {
  readonly name: string;
  readonly schema: (shape: ObjectShape) => Schema;
  /** Whether unknown fields stay. */
  readonly keepsUnknown: boolean;
  /** Whether a list may stand for an object without required fields: some libraries hold one for the other. */
  readonly takesLists: boolean;
}

export const LANGUAGES: readonly Language[] = [
  { name: "zod", schema: toZod, keepsUnknown: false, takesLists: false },
  {
    name: "valibot",
    schema: (shape) => toStandardJsonSchema(toValibot(shape)),
    keepsUnknown: false,
    takesLists: true,
  },
  { name: "arktype", schema: toArkType, keepsUnknown: true, takesLists: true },
  { name: "JSON Schema", schema: toJsonSchema, keepsUnknown: true, takesLists: false },
];

function toZod(shape: Shape): z.ZodType {
  switch (shape.kind) {
    case "text":
      return z.string().min(shape.min).max(shape.max);
    case "integer":
      return z.int().min(shape.min).max(shape.max);
    case "number":
      return z.number().min(shape.min).max(shape.max);
    case "boolean":
      return z.boolean();
    case "choice":
      return z.enum(shape.values as [string, ...string[]]);
    case "list":
      return z.array(toZod(shape.item)).min(shape.min).max(shape.max);
    case "map":
      return z.record(z.string(), toZod(shape.item));
    case "nullable":
      return z.nullable(toZod(shape.inner));
    case "object":
      return z.object(
        Object.fromEntries(
          shape.fields.map(({ name, shape: inner, presence }) => {
            const schema = toZod(inner);
            if (presence === "required") return [name, schema];
            return [name, presence === "optional" ? schema.optional() : schema.default(presence.default)];
          }),
        ),
      );
  }
}

function toValibot(shape: Shape): v.GenericSchema {
  switch (shape.kind) {
    case "text":
      return v.pipe(v.string(), v.minLength(shape.min), v.maxLength(shape.max));
    case "integer":
      return v.pipe(v.number(), v.integer(), v.minValue(shape.min), v.maxValue(shape.max));
    case "number":
      return v.pipe(v.number(), v.minValue(shape.min), v.maxValue(shape.max));
    case "boolean":
      return v.boolean();
    case "choice":
      return v.picklist(shape.values);
    case "list":
      return v.pipe(v.array(toValibot(shape.item)), v.minLength(shape.min), v.maxLength(shape.max));
    case "map":
      return v.record(v.string(), toValibot(shape.item));
    case "nullable":
      return v.nullable(toValibot(shape.inner));
    case "object":
      return v.object(
        Object.fromEntries(
          shape.fields.map(({ name, shape: inner, presence }) => {
            const schema = toValibot(inner);
            if (presence === "required") return [name, schema];
            return [
              name,
              presence === "optional" ? v.optional(schema) : v.optional(schema, presence.default),
            ];
          }),
        ),
      );
  }
}

function toArkType(shape: Shape): Type {
  switch (shape.kind) {
    case "text":
      return type.string.atLeastLength(shape.min).atMostLength(shape.max);
    case "integer":
      return type("number.integer").atLeast(shape.min).atMost(shape.max);
    case "number":
      return type.number.atLeast(shape.min).atMost(shape.max);
    case "boolean":
      return type.boolean;
    case "choice":
      return type.enumerated(...shape.values);
    case "list":
      return toArkType(shape.item).array().atLeastLength(shape.min).atMostLength(shape.max);
    case "map":
      return type({ "[string]": toArkType(shape.item) });
    case "nullable":
      return toArkType(shape.inner).or("null");
    case "object":
      return type(
        Object.fromEntries(
          shape.fields.map(({ name, shape: inner, presence }) => {
            const schema = toArkType(inner);
            if (presence === "required") return [name, schema];
            return presence === "optional" ? [`${name}?`, schema] : [name, [schema, "=", presence.default]];
          }),
        ) as Record<string, never>,
      );
  }
}

function toJsonSchema(shape: Shape): JsonSchema {
  switch (shape.kind) {
    case "text":
      return { type: "string", minLength: shape.min, maxLength: shape.max };
    case "integer":
    case "number":
      return { type: shape.kind, minimum: shape.min, maximum: shape.max };
    case "boolean":
      return { type: "boolean" };
    case "choice":
      return { enum: shape.values };
    case "list":
      return { type: "array", items: toJsonSchema(shape.item), minItems: shape.min, maxItems: shape.max };
    case "map":
      return { type: "object", additionalProperties: toJsonSchema(shape.item) };
    case "nullable": {
      const inner = toJsonSchema(shape.inner);
      return typeof inner["type"] === "string"
        ? { ...inner, type: [inner["type"], "null"] }
        : { anyOf: [inner, { type: "null" }] };
    }
    case "object":
      return {
        type: "object",
        properties: Object.fromEntries(
          shape.fields.map(({ name, shape: inner, presence }) => [
            name,
            { ...toJsonSchema(inner), ...(typeof presence === "object" && { default: presence.default }) },
          ]),
        ),
        required: shape.fields.flatMap(({ name, presence }) => (presence === "required" ? [name] : [])),
      };
  }
}
