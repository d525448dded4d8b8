/** Parameters that clients mirror into `Mcp-Param-*` headers (2026-07-28, "Custom Headers from Tool Parameters"). */

import { ConfigurationError } from "../errors.ts";
import type { JsonSchema } from "../ports.ts";

/** A parameter and the header that mirrors it. */
export interface ParamHeader {
  /** The header's name in lower case. */
  readonly header: string;
  readonly path: readonly string[];
  readonly type: "string" | "integer" | "boolean";
}

const ANNOTATION = "x-mcp-header";
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const SENSITIVE = /pass(?:word|phrase)|secret(?!ar)|token(?!s|iz)|api_?key|credential/i;

/** The annotated parameters of an input schema. Throws where clients would reject the tool for an annotation. */
export function paramHeaders(schema: JsonSchema, what: string): readonly ParamHeader[] {
  const found: ParamHeader[] = [];
  collect(schema, [], found, what);
  const annotations = countAnnotations(schema);
  if (annotations > found.length) {
    throw new ConfigurationError(
      `${what} has ${ANNOTATION} where clients cannot follow it. Annotate properties of objects only, not items, unions or references.`,
    );
  }
  if (new Set(found.map(({ header }) => header)).size < found.length) {
    throw new ConfigurationError(
      `${what} gives two parameters the same ${ANNOTATION}. Give each a name of its own.`,
    );
  }
  return found;
}

function collect(
  { properties }: JsonSchema,
  path: readonly string[],
  found: ParamHeader[],
  what: string,
): void {
  if (typeof properties !== "object" || properties === null) return;
  for (const [name, property] of Object.entries(properties as Record<string, JsonSchema>)) {
    const here = [...path, name];
    const annotation = property[ANNOTATION];
    if (annotation !== undefined) found.push(paramHeader(annotation, property["type"], here, what));
    collect(property, here, found, what);
  }
}

function paramHeader(annotation: unknown, type: unknown, path: readonly string[], what: string): ParamHeader {
  const name = path.join(".");
  const fail = (problem: string) => new ConfigurationError(`${what}: ${ANNOTATION} of "${name}" ${problem}`);
  if (typeof annotation !== "string" || !TOKEN.test(annotation))
    throw fail('is not a header name. Use letters, digits and "-".');
  if (type !== "string" && type !== "integer" && type !== "boolean")
    throw fail("stands on neither a string, an integer nor a boolean.");
  if (SENSITIVE.test(name)) throw fail("would show a secret to every proxy. Do not mirror it.");
  return { header: `mcp-param-${annotation.toLowerCase()}`, path, type };
}

function countAnnotations(node: unknown): number {
  if (typeof node !== "object" || node === null) return 0;
  const own = !Array.isArray(node) && typeof (node as JsonSchema)[ANNOTATION] === "string" ? 1 : 0;
  return Object.values(node).reduce<number>((sum, inner) => sum + countAnnotations(inner), own);
}
