/** What can be swapped: small interfaces that the rooms implement and the core calls. */

/**
 * Where a server writes what its operators should know. Any pino-shaped logger fits.
 *
 * @example
 * ```ts
 * import pino from "pino";
 * new MCPServer({ name: "task-api", version: "1.0.0", logger: pino() });
 * ```
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A plain JSON Schema, as an author may write it in place of a Standard Schema. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** What validating a value came to: the value with defaults filled in, or what is wrong with it. */
export type Validation =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** One thing that is wrong with a value. `path` leads from the root to it. */
export interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A validator made once from a schema. It answers without a promise unless the schema is asynchronous. */
export type Validator = (value: unknown) => Validation | Promise<Validation>;
