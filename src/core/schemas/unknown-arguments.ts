/** Which arguments no part of a JSON Schema names. */

import { nearest } from "../options/nearest.ts";
import type { JsonSchema } from "../ports.ts";
import { fragmentOf, pointedAt } from "./pointer.ts";

/** So many unknown arguments are told of at most. */
const MOST = 32;

type Node = Readonly<Record<string, unknown>>;

/**
 * What is wrong with the arguments that no schema names, by path. Where several schemas apply to one place, by
 * anyOf, allOf, $ref and the like, a name is known if any of them knows it, or any is open.
 */
export function unknownFields(args: unknown, json: JsonSchema): Record<string, string> | undefined {
  const fieldErrors: Record<string, string> = {};
  const found = { root: json, fieldErrors, left: MOST };
  collect(args, [json], "", found);
  return found.left < MOST ? fieldErrors : undefined;
}

interface Found {
  readonly root: JsonSchema;
  readonly fieldErrors: Record<string, string>;
  left: number;
}

/** Judges `value` by `schemas`, of which any may be the one that it was meant for. */
function collect(value: unknown, schemas: readonly unknown[], path: string, found: Found): void {
  if (typeof value !== "object" || value === null || found.left === 0) return;
  const place = new Place(found.root, Array.isArray(value));
  const says = place.alternatives(schemas);
  if (says === NOTHING || says === SILENT) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      collect(item, place.itemSchemas(index), `${path}${index}.`, found);
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    if (says === OPEN || place.knows(key)) collect(inner, place.memberSchemas(key), `${path}${key}.`, found);
    else if (found.left-- > 0) found.fieldErrors[path + key] = unknownProblem(key, place.names());
    if (found.left <= 0) return;
  }
}

/** What a schema says of the members of a place, from least to most. */
type Says = 0 | 1 | 2 | 3;
/** It is not for this kind of value. */
const NOTHING = 0;
/** It names no members: alone, it allows any. */
const SILENT = 1;
/** It names members: others are unknown. */
const NAMED = 2;
/** It allows further members in so many words. */
const OPEN = 3;

/** One object or array, and the schemas that apply to it, each looked at once. */
class Place {
  readonly #root: JsonSchema;
  readonly #isArray: boolean;
  readonly #seen = new Map<Node, Says>();

  constructor(root: JsonSchema, isArray: boolean) {
    this.#root = root;
    this.#isArray = isArray;
  }

  /** One of `schemas` applies. One that is silent speaks for any name, if nothing beside them names some. */
  alternatives(schemas: readonly unknown[]): Says {
    const all = schemas.map((schema) => this.#look(schema));
    return all.includes(OPEN) ? OPEN : all.includes(SILENT) ? SILENT : most(all);
  }

  knows(key: string): boolean {
    return this.#nodes().some(
      ({ properties, required }) =>
        (isNode(properties) && Object.hasOwn(properties, key)) || list(required).includes(key),
    );
  }

  names(): readonly string[] {
    return this.#nodes().flatMap(({ properties }) => Object.keys(properties ?? {}));
  }

  memberSchemas(key: string): readonly unknown[] {
    return this.#nodes().flatMap(({ properties, patternProperties, ...node }) => {
      if (isNode(properties) && Object.hasOwn(properties, key)) return [properties[key]];
      const rest = node["additionalProperties"] ?? node["unevaluatedProperties"] ?? false;
      return [...values(patternProperties), ...(rest === false ? [] : [rest])];
    });
  }

  itemSchemas(index: number): readonly unknown[] {
    return this.#nodes().flatMap(({ prefixItems, items, additionalItems }) => {
      const tuple = Array.isArray(items) ? items : list(prefixItems);
      const rest = Array.isArray(items) ? additionalItems : items;
      const schema = index < tuple.length ? tuple[index] : rest;
      return schema === undefined ? [] : [schema];
    });
  }

  #nodes(): Node[] {
    return [...this.#seen.keys()];
  }

  #look(schema: unknown): Says {
    if (!isNode(schema)) return schema === false ? NOTHING : SILENT;
    const before = this.#seen.get(schema);
    if (before !== undefined) return before;
    if (!isFor(schema, this.#isArray)) return NOTHING;
    // A reference that leads back here adds nothing.
    this.#seen.set(schema, NOTHING);
    const { $ref, $dynamicRef, allOf, anyOf, oneOf, if: condition, then, else: otherwise } = schema;
    const beside = [
      ...list(allOf),
      ...[condition, then, otherwise].filter(isNode),
      ...values(schema["dependentSchemas"]),
      ...($ref === undefined ? [] : [this.#target($ref)]),
      ...($dynamicRef === undefined ? [] : [OPEN_SCHEMA]),
    ];
    const says = most([
      this.#isArray ? saysOfItems(schema) : saysOfMembers(schema),
      ...beside.map((part) => this.#look(part)),
      this.alternatives(list(anyOf)),
      this.alternatives(list(oneOf)),
    ]);
    this.#seen.set(schema, says);
    return says;
  }

  /** What a reference into the same schema names. Any other is taken for open. */
  #target(reference: unknown): unknown {
    const text = String(reference);
    const pointer = text.startsWith("#") ? fragmentOf(text) : undefined;
    return (pointer === undefined ? undefined : pointedAt(this.#root, pointer)) ?? OPEN_SCHEMA;
  }
}

const OPEN_SCHEMA: Node = { additionalProperties: true, items: true };

function saysOfMembers(schema: Node): Says {
  const { properties, patternProperties, additionalProperties, unevaluatedProperties } = schema;
  const rest = additionalProperties ?? unevaluatedProperties;
  if (patternProperties !== undefined || (rest !== undefined && rest !== false)) return OPEN;
  return isNode(properties) || rest === false ? NAMED : SILENT;
}

function saysOfItems({ prefixItems, items }: Node): Says {
  return prefixItems === undefined && items === undefined ? SILENT : NAMED;
}

/** Whether an object, or an array, can be what `schema` describes. */
function isFor(schema: Node, isArray: boolean): boolean {
  const { type, const: constant, enum: choices } = schema;
  if (type !== undefined && ![type].flat().includes(isArray ? "array" : "object")) return false;
  const only = "const" in schema ? [constant] : choices;
  return !Array.isArray(only) || only.some((choice) => isHolder(choice) && Array.isArray(choice) === isArray);
}

function most(all: readonly Says[]): Says {
  return all.reduce((a, b) => (a > b ? a : b), NOTHING);
}

function isHolder(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}

function isNode(value: unknown): value is Node {
  return isHolder(value) && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function values(value: unknown): readonly unknown[] {
  return isNode(value) ? Object.values(value) : [];
}

function unknownProblem(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === undefined ? "Unknown argument." : `Unknown argument. Did you mean "${near}"?`;
}
