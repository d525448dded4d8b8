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
export type Change =
  | { readonly kind: "list_changed"; readonly list: "tools" | "resources" | "prompts" }
  | { readonly kind: "resource_updated"; readonly uri: string };

/**
 * A change, or that changes may have been missed, as where a bus lost its connection for a while: clients are told then that everything
 * they follow has changed.
 */
export type ServerEvent = Change | { readonly kind: "changes_missed" };

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
  /**
   * Stores a message and gives its id, unique among all streams.
   *
   * @param streamId - The session's id, `/`, and which of its streams.
   */
  append(streamId: string, message: object): string | Promise<string>;
  /** The stream that an event belongs to, and what followed it there. `undefined` where it is not known. */
  after(eventId: string): EventReplay | undefined | Promise<EventReplay | undefined>;
  /** Forgets a session's streams; their ids begin with `prefix`, the session's id and `/`. */
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

/** How many calls may be under way at once, and how many may wait for a place. */
export interface PlaceLimit {
  /** How many places there are. */
  readonly max: number;
  /** How many may wait for one, in the order in which they came; 0 where nobody does. */
  readonly queue: number;
  /** How long each of them waits, in milliseconds. */
  readonly wait: number;
}

/** A place that was taken. */
export interface Place {
  /** Gives it back, once. */
  leave(): void;
}

/**
 * Gives calls places, so that no more of them run at once than may. The default knows the calls of this process; one that
 * several processes share lets them keep to one limit, and takes back the places of processes that have ended.
 */
export interface PlaceStore {
  /**
   * Takes a place, at once where one is free, else by waiting where the limit says so. Gives nothing where none became free.
   * Rejects where `seeker`'s signal fires before.
   *
   * @param key - What has places of its own: one limit and one caller.
   * @param limit - The same whenever the key is the same.
   * @param seeker - Whose signal says that the call is over.
   */
  take(
    key: string,
    limit: PlaceLimit,
    seeker: { readonly signal: AbortSignal },
  ): Place | undefined | Promise<Place | undefined>;
}

/** When a circuit opens, and for how long. */
export interface CircuitPlan {
  /** How many failures in a row open it. */
  readonly failures: number;
  /** How long it stays open before one call is tried, in milliseconds. */
  readonly recovery: number;
}

/** `closed`: calls run. `open`: they are refused. `half-open`: one call is tried. */
export type CircuitState = "closed" | "open" | "half-open";

/** What a call says of what it needs: that it works, that it is broken, or nothing. */
export type CircuitVerdict = "success" | "failure" | "neither";

/** A call that runs under a circuit. */
export interface CircuitAttempt {
  /** Whether it is the one call by which an open circuit is tried. */
  readonly probe: boolean;
  /** Takes the verdict, once, and tells what that made of the circuit, if it changed. */
  settle(verdict: CircuitVerdict): CircuitChange | Promise<CircuitChange>;
}

export type CircuitChange = "open" | "closed" | undefined;

/** A call that a circuit refuses: how long its caller had better wait, in milliseconds. */
export interface CircuitRefusal {
  readonly wait: number;
}

/**
 * Keeps the state of circuit breakers. The default keeps it in this process; one that several processes share lets what one of them
 * has found broken be left alone by all, and be tried by one call of them all. While it fails, each process goes by what it
 * has seen itself.
 */
export interface CircuitStore {
  /**
   * Lets a call run, or refuses it.
   *
   * @param breaker - The breaker, as others may be there too.
   * @param component - What it guards: each has a circuit of its own.
   */
  enter(
    breaker: string,
    component: string,
    plan: CircuitPlan,
  ): CircuitAttempt | CircuitRefusal | Promise<CircuitAttempt | CircuitRefusal>;
  state(breaker: string, component: string): CircuitState | Promise<CircuitState>;
  /** Closes a component's circuit; without `component`, every one of the breaker. */
  reset(breaker: string, component?: string): void | Promise<void>;
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
 * Who makes what is missing. With `ended` another does, and it resolves when that one has ended, or its process has: then it is
 * read again. Else whoever claimed it does.
 */
export type CacheClaim =
  | { readonly ended: Promise<void> }
  | {
      readonly ended?: undefined;
      /** Says that it is written, or will not be. */
      readonly release: () => void | Promise<void>;
    };

/**
 * Keeps results for a while. The default keeps them in this process; one that several processes share lets them use each
 * other's. What fails to read or write is logged, and the handler runs.
 */
export interface CacheStore {
  /** @param tags - The same whenever the key is the same. */
  read(key: string, tags: readonly string[]): CacheRead | Promise<CacheRead>;
  /**
   * Keeps `value`, in place of what was there, or drops it where there is no room. Gives `false` where it is too large ever to be kept.
   *
   * @param stamp - From the {@link CacheRead} before the value was made: if a tag is invalidated meanwhile, the value is old.
   * @param lifetime - For how long, in milliseconds.
   */
  write(
    key: string,
    value: string,
    stamp: string,
    lifetime: number,
  ): boolean | void | Promise<boolean | void>;
  /** Forgets all that has one of these tags. */
  invalidate(tags: readonly string[]): void | Promise<void>;
  /**
   * Lets one of all processes make what is missing. Where this is left out, each process makes its own.
   *
   * @param stamp - From the {@link CacheRead} that found nothing.
   */
  claim?(key: string, stamp: string): CacheClaim | Promise<CacheClaim>;
}

/**
 * Keeps what calls of idempotent tools came to. The default keeps it in this process; one that several processes share lets a call
 * have its effect once, whichever of them it reaches. While it fails, idempotent tools do.
 */
export interface IdempotencyStore {
  /**
   * Gives what records hold in place of a call's arguments, to tell changed ones from the same: short, and not to be read. Where this is
   * left out they hold the arguments themselves. Records of calls that the client does not name hold none.
   */
  fingerprint?(args: string): string;
  /**
   * Keeps `record` under a key that has none, and gives nothing; else gives the one that is there. Atomically, whoever else claims it.
   *
   * @param lifetime - For how long it is kept, in milliseconds.
   */
  claim(key: string, record: string, lifetime: number): string | undefined | Promise<string | undefined>;
  /**
   * Keeps `record` in place of `claimed`, where that is still there. Gives `false` where `record` is too large to be kept: `claimed` is
   * then as it was, and a small record is kept that says so.
   */
  replace(
    key: string,
    claimed: string,
    record: string,
    lifetime: number,
  ): boolean | void | Promise<boolean | void>;
  /** Forgets `claimed`, where it is still there. */
  release(key: string, claimed: string): void | Promise<void>;
}

/** The server that a {@link Backend} serves. */
export interface BackendOwner {
  /** The name of the server: those of one name share what they keep. */
  readonly name: string;
  /** Is told of what operators should know of the store. */
  readonly logger: Logger;
}

/**
 * Where a server keeps what its processes share: all stores in one. The default is this process's memory.
 *
 * @example
 * ```ts
 * import { redis } from "gantry-mcp/redis";
 * new MCPServer({ name: "task-api", version: "1.0.0", backend: redis("rediss://redis.example.com:6379") });
 * ```
 */
export interface Backend {
  readonly limits: LimitStore;
  readonly places: PlaceStore;
  readonly circuits: CircuitStore;
  readonly cache: CacheStore;
  readonly idempotency: IdempotencyStore;
  readonly eventBus: EventBus;
  readonly eventStore: EventStore;
  /** Connects, before the start-up hooks; the stores serve nobody before. Throws where the server must not start. */
  open(owner: BackendOwner): void | Promise<void>;
  /** Says whether the store can be reached, as the readiness probe `backend`: throws, rejects or gives `false` where it cannot. */
  probe(): unknown;
  /** Disconnects, after the shutdown hooks. */
  close(): void | Promise<void>;
}
