/** Faster validators for zod schemas: compiled ahead of time, with the same results and the same messages. */

import * as zod from "zod";
import type { Validator } from "../core/ports.ts";
import type { StandardSchema } from "../core/schemas/schema.ts";

/**
 * The validator of a zod schema, compiled by zod 4.5 or newer, which leaves a schema that cannot be compiled as
 * it is. Left as they are, too: schemas of another zod than this one, those that unfold to very much, and all
 * where zod is told to run without `eval` (`jitless`).
 */
export function compileZod(schema: StandardSchema): Validator {
  const compiles = "compile" in zod && !zod.config().jitless && isOwn(schema) && isSmall(schema);
  const compiled = compiles ? (zod.compile(schema as never) as unknown as StandardSchema) : schema;
  return (value) => compiled["~standard"].validate(value);
}

/** Two copies of zod in one process need not agree on what is inside a schema. */
function isOwn(schema: object): boolean {
  const { version } = (schema as { readonly _zod?: { readonly version?: object } })._zod ?? {};
  return JSON.stringify(version) === JSON.stringify(zod.core.version);
}

/** The most parts that a schema may have to be compiled. */
const LARGEST = 4_000;

/** Whether a schema is small once it is unfolded, as compiling does: one that recurses is not. */
function isSmall(schema: object): boolean {
  const rest: unknown[] = [schema];
  for (let seen = 0; rest.length > 0; seen++) {
    if (seen > LARGEST) return false;
    const part = rest.pop();
    if (typeof part !== "object" || part === null) continue;
    const { def } = (part as { readonly _zod?: { readonly def?: object } })._zod ?? {};
    rest.push(...Object.values(def ?? part));
  }
  return true;
}
