/**
 * Fields of arguments that must not be written down: in logs, in the audit log, in traces. An author marks them in the schema, by
 * `sensitive: true` (zod: `.meta({ sensitive: true })`), or by what JSON Schema has for it: `writeOnly: true` (2020-12 Validation,
 * section 9.4) and `format: "password"` (OpenAPI 3.1, section 4.4).
 */

import { isObject } from "../values/json.ts";
import { nearest } from "../options/nearest.ts";
import type { JsonSchema } from "../ports.ts";
import { fragmentOf, pointedAt } from "./pointer.ts";

/** A copy of a value in which what is sensitive is {@link REDACTED}; the value itself where nothing of it is. */
export type Redactor = (value: unknown) => unknown;

/** What stands in place of a value that is not written down. */
export const REDACTED = "[redacted]";

/**
 * The redactor of values that `schema` describes, made once; `undefined` where it marks nothing as sensitive.
 *
 * Where several branches describe one value, it is sensitive if any of them says so. What does not have the form in which a
 * sensitive field would be found is sensitive as a whole: arguments are redacted also when they do not fit their schema.
 *
 * @param schema - A JSON Schema; its local references are followed, and may recurse.
 */
export function sensitiveRedactor(schema: JsonSchema): Redactor | undefined {
  const root = new Reader(schema).read(schema);
  return leadsToSensitive(root) ? (value) => redacted(value, [root], 0) : undefined;
}

/** What one schema says of a value, and of what is within it. */
interface Node {
  readonly sensitive: boolean;
  /** Schemas of the same value. */
  readonly also: Node[];
  readonly properties: Map<string, Node>;
  readonly patterns: (readonly [RegExp, Node])[];
  /** Of members that are named nowhere. */
  readonly others: Node[];
  readonly prefix: Node[];
  /** Of elements behind the prefix. */
  readonly items: Node[];
  /** Of elements wherever they stand. */
  readonly elements: Node[];
  /** Whether a sensitive field can be found from here; known once all is read. */
  leads?: boolean;
}

/** Deeper than any text that is parsed; what lies below is not looked at, and so not shown. */
const DEEPEST = 256;

class Reader {
  readonly #root: JsonSchema;
  /** Each schema is read once, so that those that recurse come to an end. */
  readonly #nodes = new Map<object, Node>();

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  read(schema: unknown): Node {
    if (!isObject(schema)) return emptyNode(false);
    const known = this.#nodes.get(schema);
    if (known) return known;
    const made = emptyNode(
      schema["sensitive"] === true || schema["writeOnly"] === true || schema["format"] === "password",
    );
    this.#nodes.set(schema, made);
    for (const key of ["$ref", "$dynamicRef", "$recursiveRef"])
      if (typeof schema[key] === "string") made.also.push(this.read(this.#target(schema[key])));
    for (const key of ["allOf", "anyOf", "oneOf"]) made.also.push(...this.#list(schema[key]));
    for (const key of ["if", "then", "else"]) made.also.push(this.read(schema[key]));
    for (const key of ["dependentSchemas", "dependencies"])
      for (const [, inner] of members(schema[key])) made.also.push(this.read(inner));
    for (const [name, inner] of members(schema["properties"])) made.properties.set(name, this.read(inner));
    for (const [pattern, inner] of members(schema["patternProperties"]))
      made.patterns.push([expression(pattern), this.read(inner)]);
    for (const key of ["additionalProperties", "unevaluatedProperties"])
      made.others.push(this.read(schema[key]));
    // Before 2020-12 a list under `items` is what `prefixItems` is now, and `additionalItems` what `items` is.
    const isTuple = Array.isArray(schema["items"]);
    made.prefix.push(...this.#list(isTuple ? schema["items"] : schema["prefixItems"]));
    for (const key of [isTuple ? "additionalItems" : "items", "unevaluatedItems"])
      made.items.push(this.read(schema[key]));
    made.elements.push(this.read(schema["contains"]));
    return made;
  }

  #list(schemas: unknown): readonly Node[] {
    return Array.isArray(schemas) ? schemas.map((each) => this.read(each)) : [];
  }

  /** What a local reference names: a JSON Pointer (RFC 6901), an anchor, or the root. */
  #target(reference: string): unknown {
    const fragment = fragmentOf(reference);
    if (!fragment) return this.#named("$id", reference) ?? this.#root;
    if (fragment.startsWith("/")) return pointedAt(this.#root, fragment);
    return this.#named("$anchor", fragment) ?? this.#named("$dynamicAnchor", fragment);
  }

  /** The definition that has `value` under `keyword`. */
  #named(keyword: string, value: string): unknown {
    const definitions = [...members(this.#root["$defs"]), ...members(this.#root["definitions"])];
    return [this.#root, ...definitions.map(([, inner]) => inner)].find(
      (each) => isObject(each) && each[keyword] === value,
    );
  }
}

function emptyNode(sensitive: boolean): Node {
  const none = (): Node[] => [];
  return {
    sensitive,
    also: none(),
    properties: new Map(),
    patterns: [],
    others: none(),
    prefix: none(),
    items: none(),
    elements: none(),
  };
}

function members(schemas: unknown): readonly (readonly [string, unknown])[] {
  return isObject(schemas) ? Object.entries(schemas) : [];
}

/** One that cannot be read here counts for every name. */
function expression(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return /(?:)/;
  }
}

/** Whether a sensitive field is reached from `start`; what does not lead to one need not be looked at. */
function leadsToSensitive(start: Node): boolean {
  const before = new Map<Node, Node[]>([[start, []]]);
  // A map yields what is added while it is walked.
  for (const [each] of before)
    for (const next of within(each)) {
      const from = before.get(next);
      if (from) from.push(each);
      else before.set(next, [each]);
    }
  const open = [...before.keys()].filter(({ sensitive }) => sensitive);
  for (let each = open.pop(); each; each = open.pop()) {
    if (each.leads) continue;
    each.leads = true;
    open.push(...(before.get(each) ?? []));
  }
  return start.leads === true;
}

function within({ also, properties, patterns, others, prefix, items, elements }: Node): readonly Node[] {
  const named = [...properties.values(), ...patterns.map(([, inner]) => inner)];
  return [...also, ...named, ...others, ...prefix, ...items, ...elements];
}

function redacted(value: unknown, nodes: readonly Node[], depth: number): unknown {
  const all = everyNodeOf(nodes);
  if (all.length === 0) return value;
  if (depth > DEEPEST || all.some(({ sensitive }) => sensitive)) return REDACTED;
  if (Array.isArray(value)) {
    if (!all.some(({ prefix, items, elements }) => [...prefix, ...items, ...elements].some(leads)))
      return REDACTED;
    return value.map((item, index) => redacted(item, elementNodes(all, index), depth + 1));
  }
  if (isObject(value)) {
    if (!all.some(describesMembers)) return REDACTED;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        redacted(inner, memberNodes(all, name), depth + 1),
      ]),
    );
  }
  // A text may be the JSON of what belongs here: some clients write objects so.
  return typeof value === "string" ? REDACTED : value;
}

/** These, and what describes the same value, as far as it leads to something sensitive. */
function everyNodeOf(nodes: readonly Node[]): readonly Node[] {
  const all = new Set(nodes.filter(leads));
  for (const { also } of all) for (const each of also) if (each.leads) all.add(each);
  return [...all];
}

function leads(each: Node): boolean {
  return each.leads === true;
}

function describesMembers({ properties, patterns, others }: Node): boolean {
  return [...properties.values(), ...patterns.map(([, inner]) => inner), ...others].some(leads);
}

function memberNodes(nodes: readonly Node[], name: string): readonly Node[] {
  return nodes.flatMap(({ properties, patterns, others }) => {
    const property = properties.get(name) ?? meant(name, properties);
    const matching = patterns.filter(([pattern]) => pattern.test(name)).map(([, inner]) => inner);
    const named = property ? [property, ...matching] : matching;
    return named.length > 0 ? named : others;
  });
}

/** A sensitive field under a name that is misspelt is none that its schema knows, and sensitive all the same. */
function meant(name: string, properties: Node["properties"]): Node | undefined {
  const sensitive = [...properties.keys()].filter((each) => properties.get(each)?.leads);
  const near = nearest(name, sensitive);
  return near === undefined ? undefined : properties.get(near);
}

function elementNodes(nodes: readonly Node[], index: number): readonly Node[] {
  return nodes.flatMap(({ prefix, items, elements }) => {
    const own = prefix[index];
    return [...(own ? [own] : items), ...elements];
  });
}
