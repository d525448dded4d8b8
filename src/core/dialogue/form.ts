/** The schema of a form: a flat object of primitive fields (specification, "Elicitation › Requested Schema"). */

import { ConfigurationError } from "../errors.ts";
import type { JsonSchema } from "../ports.ts";
import { type Schema, advertised, asObjectSchema } from "../schemas/schema.ts";

const WHAT = "ctx.elicit: the schema";

const forms = new WeakMap<Schema, JsonSchema>();

/**
 * Names of fields that a form must not ask for: the client, and perhaps a model, would read the answer. Numbers of
 * tokens are no secret.
 */
const SECRET =
  /pass(?:word|phrase|wd)|secret(?!ar)|token(?!s|iz)|api_?key|credential|private_?key|card_?number|cvv/i;

/** The form that asks for what `schema` describes. Made once. */
export function formSchema(schema: Schema): JsonSchema {
  let form = forms.get(schema);
  if (!form) {
    const { additionalProperties: _open, ...json } = asObjectSchema(
      advertised(schema, "input", WHAT),
      WHAT,
    ) as Record<string, unknown>;
    const fields = Object.entries((json["properties"] ?? {}) as Record<string, JsonSchema>);
    const properties = Object.fromEntries(fields.map(([name, field]) => [name, formField(name, field)]));
    form = { ...json, type: "object", properties };
    forms.set(schema, form);
  }
  return form;
}

function formField(name: string, field: JsonSchema): JsonSchema {
  if (SECRET.test(name)) {
    throw new ConfigurationError(
      `${WHAT} asks for "${name}". Secrets must not pass through the client: use ctx.elicitUrl.`,
    );
  }
  const shown = field["type"] === "array" ? severalOf(field) : (choice(field, "oneOf") ?? single(field));
  if (shown) return shown;
  throw new ConfigurationError(
    `${WHAT} has the field "${name}", which no form can show. Use strings, numbers, booleans, enums and arrays of enums.`,
  );
}

/** Formats that forms know; clients refuse a form that has another. The answer is checked against it all the same. */
const FORMATS: ReadonlySet<unknown> = new Set(["email", "uri", "date", "date-time"]);

function single(field: JsonSchema): JsonSchema | undefined {
  const { type, format, ...rest } = field;
  if (type !== "string" && type !== "number" && type !== "integer" && type !== "boolean") return undefined;
  return type === "string" && format !== undefined && !FORMATS.has(format) ? { type, ...rest } : field;
}

function severalOf({ items, ...rest }: JsonSchema): JsonSchema | undefined {
  const shown = choice((items ?? {}) as JsonSchema, "anyOf");
  return shown && { ...rest, items: shown };
}

interface Option {
  readonly const: string;
  readonly title?: string;
}

/** A choice among texts, in the one way in which forms write it: with `titled` where the options have titles. */
function choice(field: JsonSchema, titled: "oneOf" | "anyOf"): JsonSchema | undefined {
  const {
    anyOf,
    oneOf = anyOf,
    const: only,
    enum: values = only === undefined ? undefined : [only],
    ...rest
  } = field;
  if (isListOf(values, (value): value is string => typeof value === "string"))
    return { ...rest, type: "string", enum: values };
  if (!isListOf(oneOf, isOption)) return undefined;
  if (oneOf.every(({ title }) => title === undefined))
    return { ...rest, type: "string", enum: oneOf.map((option) => option.const) };
  const options = oneOf.map(({ const: value, title = value }) => ({ const: value, title }));
  return titled === "oneOf" ? { ...rest, type: "string", oneOf: options } : { ...rest, anyOf: options };
}

function isListOf<T>(list: unknown, is: (item: unknown) => item is T): list is readonly T[] {
  return Array.isArray(list) && list.length > 0 && list.every(is);
}

function isOption(value: unknown): value is Option {
  return typeof value === "object" && value !== null && typeof (value as Partial<Option>).const === "string";
}
