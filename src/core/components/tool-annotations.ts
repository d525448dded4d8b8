/** What a tool's author tells clients of it beside its words. */

import { ConfigurationError } from "../errors.ts";
import { type Names, checkKnown, shown } from "../options/known-options.ts";

/** Hints about what a tool does; clients may act on them, the server does not. */
export interface ToolAnnotations {
  readonly title?: string;
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

const NAMES: Names<ToolAnnotations> = {
  title: true,
  readOnlyHint: true,
  destructiveHint: true,
  idempotentHint: true,
  openWorldHint: true,
};

/** Throws a {@link ConfigurationError} where clients would pass over a hint, or refuse it with the whole list. */
export function checkToolAnnotations(what: string, annotations: ToolAnnotations = {}): void {
  checkKnown(what, annotations, NAMES);
  for (const [name, value] of Object.entries(annotations)) {
    if (value === undefined || typeof value === (name === "title" ? "string" : "boolean")) continue;
    const write = name === "title" ? "a name for people" : "true or false";
    throw new ConfigurationError(`${what}.${name} is ${shown(value)}: write ${write}.`);
  }
}
