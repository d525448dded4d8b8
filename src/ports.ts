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

/** Something that changed, for whoever listens: in this process or another. */
export type ServerEvent =
  | { readonly kind: "list_changed"; readonly list: "tools" | "resources" | "prompts" }
  | { readonly kind: "resource_updated"; readonly uri: string };

/**
 * Carries events to every listener. The default reaches this process alone; one that several processes share
 * lets each of them tell its clients what another changed.
 */
export interface EventBus {
  publish(event: ServerEvent): void | Promise<void>;
  /** Calls `listener` for each event until the returned function is called. */
  subscribe(listener: (event: ServerEvent) => void): () => void;
}

/**
 * Keeps what was sent on the streams of 2025-era sessions, so that a client that lost its connection may go
 * on where it was ("Resumability and Redelivery").
 */
export interface EventStore {
  /** Stores a message and gives its id, unique among all streams. */
  append(streamId: string, message: object): string | Promise<string>;
  /** The stream that an event belongs to, and what followed it there. `undefined` where it is not known. */
  after(eventId: string): EventReplay | undefined | Promise<EventReplay | undefined>;
  /** Forgets a session's streams; their ids begin with `prefix`. */
  forget(prefix: string): void | Promise<void>;
}

export interface EventReplay {
  readonly streamId: string;
  readonly events: readonly { readonly id: string; readonly message: object }[];
}
