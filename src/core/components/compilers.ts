/** What makes validators from schemas. The compilers of their kinds are loaded when they are first needed. */

import type { JsonSchema, Validator } from "../ports.ts";
import { type ComponentDefinition, schemasOf } from "./definitions.ts";
import { ConfigurationError } from "../errors.ts";
import {
  type Schema,
  type SchemaCompiler,
  type StandardSchema,
  isPlainJsonSchema,
  validator,
} from "../schemas/schema.ts";

type Load<S> = () => Promise<(schema: S) => Validator>;

/** How each kind's compiler is loaded. */
export interface CompilerLoaders {
  readonly jsonSchema: Load<JsonSchema>;
  /** `undefined` where there is none: such schemas validate as they are. */
  readonly zod: () => Promise<((schema: StandardSchema) => Validator) | undefined>;
}

export class Compilers {
  readonly #load: CompilerLoaders;
  /** Validators by schema: each is made once, however often the server is sealed. */
  readonly #validators = new WeakMap<Schema, Validator>();
  #jsonSchema: ((schema: JsonSchema) => Validator) | undefined;
  #zod: ((schema: StandardSchema) => Validator) | undefined;
  #zodAsked = false;

  constructor(load: CompilerLoaders) {
    this.#load = load;
  }

  /** Loads what `schemas` need. */
  async load(schemas: readonly Schema[]): Promise<void> {
    if (!this.#jsonSchema && schemas.some(isPlainJsonSchema))
      this.#jsonSchema = await this.#load.jsonSchema();
    if (!this.#zodAsked && schemas.some(isZod)) {
      this.#zod = await this.#load.zod();
      this.#zodAsked = true;
    }
  }

  /** Whether {@link load} has been called for the like of `schema`. */
  has(schema: Schema): boolean {
    return !isPlainJsonSchema(schema) || this.#jsonSchema !== undefined;
  }

  /** The validator of a schema that turns up while the server runs. */
  async validatorOf(schema: Schema): Promise<Validator> {
    await this.load([schema]);
    return this.compile(schema);
  }

  /** The validator of `schema`. Throws where the schema is wrong. */
  readonly compile = (schema: Schema): Validator => {
    let validate = this.#validators.get(schema);
    if (!validate) this.#validators.set(schema, (validate = this.#make(schema)));
    return validate;
  };

  #make(schema: Schema): Validator {
    if (isPlainJsonSchema(schema)) {
      if (!this.#jsonSchema) throw new Error("The compiler of plain JSON Schemas is not loaded.");
      return this.#jsonSchema(schema);
    }
    if (this.#zod && isZod(schema)) return this.#zod(schema);
    return (value) => schema["~standard"].validate(value);
  }
}

function isZod(schema: Schema): boolean {
  return !isPlainJsonSchema(schema) && schema["~standard"].vendor === "zod";
}

/** The components that can be served, and what is wrong with the others: their schemas, and what `check` finds. */
export function examine(
  definitions: readonly ComponentDefinition[],
  compile: SchemaCompiler,
  check: (definition: ComponentDefinition) => readonly string[],
): { readonly sound: readonly ComponentDefinition[]; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const sound = definitions.filter((definition) => {
    const before = problems.length;
    problems.push(...check(definition));
    for (const { schema, what } of schemasOf(definition)) {
      try {
        validator(schema, compile, what);
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
        problems.push(...error.problems);
      }
    }
    return problems.length === before;
  });
  return { sound, problems };
}
