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
  /** Makes a logger that adds `fields` to each of its lines. Where there is none, fields are added line by line. */
  child?(fields: object): Logger;
  /** Whether lines of a level are written: what would stand in others is not made. */
  isLevelEnabled?(level: Severity): boolean;
}

/** How grave a line of the log is, the least first. */
export type Severity = "debug" | "info" | "warn" | "error";

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

/** So many calls in so much time. */
export interface Limit {
  /**
   * `token-bucket`: `burst` calls at once, and one more whenever `window / quota` has passed.
   * `sliding-window`: never more than `quota` in any stretch of time as long as `window`.
   */
  readonly algorithm: "token-bucket" | "sliding-window";
  readonly quota: number;
  /** In milliseconds. */
  readonly window: number;
  /** What a token bucket holds when it is full. A sliding window has none: it is the quota. */
  readonly burst: number;
}

/** Something to count, and against which limit. */
export interface LimitCharge {
  /** What is counted: one limit and one caller. At most one charge of a list has it. */
  readonly key: string;
  readonly limit: Limit;
  /** How much of the limit it takes: 0 only looks. */
  readonly cost: number;
}

/** How much of a limit is left. */
export interface LimitState {
  /** What is left now, rounded down. */
  readonly remaining: number;
  /** When the charge would fit, in milliseconds from now; 0 where it fits. */
  readonly wait: number;
  /** When all of the limit will be there again if nothing else is charged, in milliseconds from now. */
  readonly reset: number;
}

/** What became of a list of charges. */
export interface LimitVerdict {
  /** Whether every charge fitted, and is counted; otherwise none is. */
  readonly allowed: boolean;
  /** Of each charge in turn. */
  readonly states: readonly LimitState[];
}

/**
 * Counts calls against limits. The default counts in this process; one that several processes share lets them keep
 * limits together. While it fails, calls that it would count fail as well.
 */
export interface LimitStore {
  /** Counts all charges, or none where one does not fit: atomically, whoever else counts at the same time. */
  charge(charges: readonly LimitCharge[]): LimitVerdict | Promise<LimitVerdict>;
}

/** What is known under a key. */
export interface CacheRead {
  /** Stands for all that has been invalidated under the tags so far: any invalidation changes it. */
  readonly stamp: string;
  /** What was written under the key, unless its time is up or one of its tags has been invalidated since. */
  readonly entry?: CacheEntry | undefined;
}

/** What was written under a key. */
export interface CacheEntry {
  readonly value: string;
  /** For how much longer it is kept, in milliseconds. */
  readonly expiresIn: number;
}

/**
 * Keeps results for a while. The default keeps them in this process; one that several processes share lets them use each
 * other's. What fails to read or write is logged, and the handler runs.
 */
export interface CacheStore {
  /** @param tags - The same whenever the key is the same. */
  read(key: string, tags: readonly string[]): CacheRead | Promise<CacheRead>;
  /**
   * Keeps `value`, in place of what was there, or drops it where there is no room.
   *
   * @param stamp - From the {@link CacheRead} before the value was made: if a tag is invalidated meanwhile, the value is old.
   * @param lifetime - For how long, in milliseconds.
   */
  write(key: string, value: string, stamp: string, lifetime: number): void | Promise<void>;
  /** Forgets all that has one of these tags. */
  invalidate(tags: readonly string[]): void | Promise<void>;
}

/**
 * Keeps what calls of idempotent tools came to. The default keeps it in this process; one that several processes share lets a call
 * have its effect once, whichever of them it reaches. While it fails, idempotent tools do.
 */
export interface IdempotencyStore {
  /**
   * Keeps `record` under a key that has none, and gives nothing; else gives the one that is there. Atomically, whoever else claims it.
   *
   * @param lifetime - For how long it is kept, in milliseconds.
   */
  claim(key: string, record: string, lifetime: number): string | undefined | Promise<string | undefined>;
  /** Keeps `record` in place of `claimed`, where that is still there. */
  replace(key: string, claimed: string, record: string, lifetime: number): void | Promise<void>;
  /** Forgets `claimed`, where it is still there. */
  release(key: string, claimed: string): void | Promise<void>;
}
