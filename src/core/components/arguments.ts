/** How a caller's arguments are checked: by the schema, after mending what models often get wrong. */

import type { UnknownArguments } from "./components.ts";
import { Refused } from "../calls/compose.ts";
import type { Issue, JsonSchema, Validation, Validator } from "../ports.ts";
import { after } from "../values/promises.ts";
import { validationError } from "../schemas/schema.ts";
import { parseStrictJson } from "../schemas/strict-json.ts";
import { unknownFields } from "../schemas/unknown-arguments.ts";

type Arguments = Readonly<Record<string, unknown>>;

/**
 * Makes the check of a component's arguments: gives the parsed arguments, or {@link Refused} with a
 * `ValidationError` that names every problem. Where they do not fit, objects and arrays that were sent as JSON
 * strings are parsed and tried once more.
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
    return new Refused(validationError(validation.issues ?? [], args, extra));
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

/** The object or array that `text` encodes, held to what a body is held to. */
function parseStructure(text: string): object | undefined {
  return /^\s*[[{]/.test(text) ? (parseStrictJson(text).value as object | undefined) : undefined;
}
