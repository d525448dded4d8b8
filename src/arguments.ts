/** How a caller's arguments are checked: by the schema, after mending what models often get wrong. */

import type { UnknownArguments } from "./components.ts";
import type { Issue, JsonSchema, Validation, Validator } from "./ports.ts";
import { after } from "./promises.ts";
import { validationError } from "./schema.ts";

type Arguments = Readonly<Record<string, unknown>>;

/**
 * Makes the check of a component's arguments: gives the parsed arguments, or throws a `ValidationError` that
 * names every problem. Where they do not fit, objects and arrays that were sent as JSON strings are parsed and
 * tried once more.
 */
export function argumentsCheck(
  json: JsonSchema,
  validate: Validator,
  unknownArguments: UnknownArguments,
): (args: Arguments) => unknown {
  const unknown =
    unknownArguments === "refuse" ? (args: Arguments) => unknownFields(args, json) : () => undefined;
  const judge = (validation: Validation, args: Arguments) => {
    const extra = unknown(args);
    if (!validation.issues && !extra) return validation.value;
    throw validationError(validation.issues ?? [], args, extra);
  };
  return (args) =>
    after(validate(args), (validation: Validation) => {
      const mended = validation.issues && parseEncoded(args, json, validation.issues);
      return mended
        ? after(validate(mended), (second: Validation) => judge(second, mended))
        : judge(validation, args);
    });
}

/** The arguments with encoded objects and arrays parsed where one is expected and the check failed, if any. */
function parseEncoded(args: Arguments, json: JsonSchema, issues: readonly Issue[]): Arguments | undefined {
  const properties = (json["properties"] ?? {}) as Record<string, unknown>;
  let mended: Record<string, unknown> | undefined;
  for (const { path = [] } of issues) {
    const [first] = path;
    const key = String(typeof first === "object" ? first.key : first);
    const text = Object.hasOwn(args, key) ? args[key] : undefined;
    if (typeof text !== "string" || !expectsStructure(properties[key])) continue;
    const value = parseStructure(text);
    if (value !== undefined) mended = { ...(mended ?? args), [key]: value };
  }
  return mended;
}

function expectsStructure(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null) return false;
  const { type, anyOf, oneOf, $ref } = schema as {
    type?: unknown;
    anyOf?: unknown[];
    oneOf?: unknown[];
    $ref?: unknown;
  };
  if ($ref !== undefined || [type].flat().some((name) => name === "object" || name === "array")) return true;
  return [...(anyOf ?? []), ...(oneOf ?? [])].some(expectsStructure);
}

function parseStructure(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text, (key, inner: unknown) => {
      if (key === "__proto__") throw new SyntaxError("__proto__");
      return inner;
    });
    return isWithin(value, DEEPEST) ? (value as object) : undefined;
  } catch {
    return undefined;
  }
}

/** What is encoded may be nested as deep as the body that it comes in. */
const DEEPEST = 64;

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isWithin(inner, levels - 1));
}

/** What is wrong with the arguments that no schema names, by path. */
function unknownFields(args: Arguments, json: JsonSchema): Record<string, string> | undefined {
  const fieldErrors: Record<string, string> = {};
  collectUnknown(args, json, "", fieldErrors);
  return Object.keys(fieldErrors).length > 0 ? fieldErrors : undefined;
}

function collectUnknown(
  value: unknown,
  schema: unknown,
  path: string,
  fieldErrors: Record<string, string>,
): void {
  if (typeof value !== "object" || value === null || typeof schema !== "object" || schema === null) return;
  const { properties, patternProperties, additionalProperties, items } = schema as Record<string, unknown>;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) collectUnknown(item, items, `${path}${index}.`, fieldErrors);
    return;
  }
  if (typeof properties !== "object" || properties === null) return;
  const open =
    patternProperties !== undefined || (additionalProperties !== undefined && additionalProperties !== false);
  for (const [key, inner] of Object.entries(value)) {
    const known = Object.hasOwn(properties, key);
    if (known)
      collectUnknown(inner, (properties as Record<string, unknown>)[key], `${path}${key}.`, fieldErrors);
    else if (!open) fieldErrors[path + key] = unknownProblem(key, Object.keys(properties));
  }
}

function unknownProblem(key: string, known: readonly string[]): string {
  const nearest = known
    .map((name) => ({ name, distance: distance(key, name) }))
    .toSorted((a, b) => a.distance - b.distance)[0];
  const near = nearest && nearest.distance <= Math.max(2, key.length / 2);
  return near ? `Unknown argument. Did you mean "${nearest.name}"?` : "Unknown argument.";
}

/** Levenshtein distance, for short names only. */
function distance(a: string, b: string): number {
  if (a.length > 64 || b.length > 64) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution =
        (row[j - 1] as number) + (a[i - 1]?.toLowerCase() === b[j - 1]?.toLowerCase() ? 0 : 1);
      next.push(Math.min(substitution, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
