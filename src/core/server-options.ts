/** How a server is set up and run: the options of its author and of its operator, and the checks that need no transport. */

import { type CacheHint, checkHint } from "./results/cache-hint.ts";
import { UNKNOWN_ARGUMENTS, type UnknownArguments } from "./components/components.ts";
import type { Icon } from "./results/content.ts";
import type { Duration } from "./options/duration.ts";
import { ConfigurationError } from "./errors.ts";
import { type Names, checkChoice, checkCount, checkKnown, shown } from "./options/known-options.ts";
import { checkMetadata } from "./components/metadata.ts";
import type {
  Backend,
  CacheStore,
  EventBus,
  EventStore,
  IdempotencyStore,
  LimitStore,
  Logger,
} from "./ports.ts";

export interface MCPServerOptions {
  /** The server's name, as clients see it. */
  readonly name: string;
  readonly version: string;
  /** A name for people. */
  readonly title?: string;
  readonly description?: string;
  readonly websiteUrl?: string;
  readonly icons?: readonly Icon[];
  /** How to use the server, in words for a model. */
  readonly instructions?: string;
  /** How long a call may take where its component sets no limit of its own. Default: `"30s"`. */
  readonly timeout?: Duration;
  /** What becomes of arguments that a schema does not name. Default: `"follow-schema"`. */
  readonly unknownArguments?: UnknownArguments;
  /** How many components one page of a list holds. Default: 1,000. */
  readonly pageSize?: number;
  /** Default: JSON lines on stderr. */
  readonly logger?: Logger;
  readonly http?: HttpOptions;
  /** How long and for whom clients may keep lists. Default: not at all, and privately where there is middleware. */
  readonly cacheHint?: CacheHint;
  /** How the state that travels with a call's questions is sealed. */
  readonly requestState?: StateOptions;
  /** Whether lists show what a caller may use, or also the rest. Default: `"permitted"`. */
  readonly listing?: "permitted" | "all";
  /**
   * Where processes that serve together keep what they share: limits, places, circuits, results, idempotent calls, changes and the
   * messages of sessions. The options below replace one part of it. Default: everything in this process's memory.
   */
  readonly backend?: Backend;
  /**
   * Whether calls are traced with OpenTelemetry. Default: where `@opentelemetry/api` is installed and a tracer provider
   * is registered when the server starts; `true` refuses to start where they are not.
   */
  readonly tracing?: boolean;
  /** Carries changes to those who listen. Default: the `backend`, or within this process. */
  readonly eventBus?: EventBus;
  /** Where calls are counted against limits. */
  readonly limits?: LimitsOptions;
  /** Where the results of components with a `cache` are kept. */
  readonly cache?: CacheStoreOptions;
  /** Where it is kept what calls of idempotent tools came to. */
  readonly idempotency?: IdempotencyStoreOptions;
}

/** Where calls are counted against limits of rate. */
export interface LimitsOptions {
  /** Default: the server's `backend`, or {@link memoryLimitStore}, which counts in this process. */
  readonly store?: LimitStore;
}

/** Where results are kept. */
export interface CacheStoreOptions {
  /** Default: the server's `backend`, or {@link memoryCache}, which keeps them in this process. */
  readonly store?: CacheStore;
}

/** Where it is kept what calls of idempotent tools came to. */
export interface IdempotencyStoreOptions {
  /** Default: the server's `backend`, or {@link memoryIdempotencyStore}, which keeps it in this process. */
  readonly store?: IdempotencyStore;
}

/** How the server is reached over HTTP. */
export interface HttpOptions {
  /** The path of the MCP endpoint. Default: `/mcp`. */
  readonly path?: string;
  /**
   * The URL by which clients know the server, such as `https://tasks.example.com/mcp`. Its host and origin are
   * allowed. Default: the `resource` of `authenticate()`, where it has one.
   */
  readonly publicUrl?: string;
  /** Further `Host` names to answer to, without port. Loopback names are always allowed. */
  readonly allowedHosts?: readonly string[];
  /** Further `Origin`s whose pages may call, such as `https://app.example.com`. Loopback origins are always allowed. */
  readonly allowedOrigins?: readonly string[];
  /** The largest body of a request, in bytes. Default: 1 MiB. */
  readonly maxBodyBytes?: number;
  /** How many requests may be under way at once; above, the answer is 503. Default: 1,000. */
  readonly maxInFlight?: number;
  /** How many event streams may be open at once; above, the answer is 503. Default: 1,024. */
  readonly maxStreams?: number;
  /** How many subscriptions one known caller may have open at once; above, the answer is 503. Default: 8. */
  readonly maxStreamsPerClient?: number;
  /**
   * Addresses and networks of proxies in front, such as `["127.0.0.1", "10.0.0.0/8"]`: of theirs alone
   * `X-Forwarded-For` is believed. Default: none.
   */
  readonly trustedProxies?: readonly string[];
  /**
   * Keeps a session for each 2025-era client that shakes hands, so that it can be asked and told of changes.
   * Clients of 2026-07-28 need none. Default: `false`.
   */
  readonly sessions?: boolean | SessionOptions;
}

/** How sessions of 2025-era clients are kept. */
export interface SessionOptions {
  /** How many sessions are kept at once; above, a handshake is answered 503. Default: 1,000. */
  readonly max?: number;
  /** How long a session without requests and streams is kept. Default: `"30m"`. */
  readonly idle?: Duration;
  /**
   * Where messages are kept for clients that lost their connection. Default: the server's `backend`, or in memory the last 10,000,
   * at most 32 MiB.
   */
  readonly eventStore?: EventStore;
  /** How long clients wait before they reconnect. Default: `"1s"`. */
  readonly retry?: Duration;
}

/** How the state that travels with a call's questions is sealed (2026-07-28, "Multi Round-Trip Requests"). */
export interface StateOptions {
  /**
   * Secrets of at least 32 characters, the same in every process: the first seals, all open, so that a key
   * is replaced by putting the new one first. Default: one drawn at start, which other processes cannot open.
   */
  readonly keys?: readonly string[];
  /** How long a question may wait for its answer. Default: `"10m"`. */
  readonly ttl?: Duration;
}

interface RunCommon {
  /**
   * Whether the process belongs to the server: SIGTERM and SIGINT, and on stdio the end of the input, end the
   * server gracefully and then the process. A second signal ends it at once. Default: `true`.
   */
  readonly signals?: boolean;
  /**
   * What becomes of the process where something is thrown that nobody catches, or a promise rejected that nobody waits for: by
   * work that a handler began and forgot. With `"log"` it is logged as an error and the server goes on, for the sake of all
   * other calls. With `"end"` it is logged, the server ends as at SIGTERM, and the process with code 1, so that a supervisor starts
   * it anew. Holds while the server runs, and where the process belongs to it (`signals`). Default: `"log"`.
   */
  readonly uncaught?: "log" | "end";
  readonly shutdown?: ShutdownOptions;
}

export interface RunHttpOptions extends RunCommon {
  readonly transport: "http";
  /** The address to listen on. Default: `127.0.0.1`. Any other than loopback needs an authenticator, or `allowUnauthenticated`. */
  readonly host?: string;
  /** The port to listen on; 0 takes a free one. Default: 8080. */
  readonly port?: number;
  /**
   * How many processes serve the port, by running the program that many times more: `"auto"` is one for each core. One that ends
   * unexpectedly is started again. Limits, caches and what else calls share is kept in the first process, unless the server has a
   * `backend`. Default: 1, which is this process.
   */
  readonly processes?: number | "auto";
  /** Why everybody who reaches the address may call every tool. Printed at start-up. */
  readonly allowUnauthenticated?: string;
}

export interface RunStdioOptions extends RunCommon {
  readonly transport: "stdio";
  /**
   * What identifies the client, who started the process: a bearer token or an API key, from the environment
   * (specification, "Authorization", on stdio).
   */
  readonly token?: string | undefined;
}

/** How long the parts of an orderly end may take. */
export interface ShutdownOptions {
  /**
   * HTTP only: after a signal, how long new connections are still accepted while `/health/ready` says 503 and
   * every answer closes its connection, so that load balancers turn away in time. Default: `"1s"`.
   */
  readonly notice?: Duration;
  /**
   * How long calls under way may take to finish; then their signal fires, and a second later they are cut. What is
   * left of it, and at least a second, is for background work. Default: `"25s"`.
   */
  readonly limit?: Duration;
}

const SERVER: Names<MCPServerOptions> = {
  name: true,
  version: true,
  title: true,
  description: true,
  websiteUrl: true,
  icons: true,
  instructions: true,
  timeout: true,
  unknownArguments: true,
  pageSize: true,
  logger: true,
  tracing: true,
  http: true,
  cacheHint: true,
  requestState: true,
  backend: true,
  eventBus: true,
  listing: true,
  limits: true,
  cache: true,
  idempotency: true,
};
const LIMITS: Names<LimitsOptions> = { store: true };
const CACHE: Names<CacheStoreOptions> = { store: true };
const IDEMPOTENCY: Names<IdempotencyStoreOptions> = { store: true };
/** The parts of a backend, and what each of them does. */
const BACKEND: Readonly<Record<Exclude<keyof Backend, "open" | "probe" | "close">, readonly string[]>> = {
  limits: ["charge"],
  places: ["take"],
  circuits: ["enter", "state", "reset"],
  cache: ["read", "write", "invalidate"],
  idempotency: ["claim", "replace", "release"],
  eventBus: ["publish", "subscribe"],
  eventStore: ["append", "after", "forget"],
};
const HTTP: Names<HttpOptions> = {
  path: true,
  publicUrl: true,
  allowedHosts: true,
  allowedOrigins: true,
  maxBodyBytes: true,
  maxInFlight: true,
  maxStreams: true,
  maxStreamsPerClient: true,
  trustedProxies: true,
  sessions: true,
};
const SESSIONS: Names<SessionOptions> = { max: true, idle: true, eventStore: true, retry: true };
const STATE: Names<StateOptions> = { keys: true, ttl: true };
// Where to listen does no harm on stdio: a program may choose the transport as it starts.
const RUN: Names<RunHttpOptions & RunStdioOptions> = {
  token: true,
  transport: true,
  host: true,
  port: true,
  processes: true,
  allowUnauthenticated: true,
  signals: true,
  uncaught: true,
  shutdown: true,
};
const SHUTDOWN: Names<ShutdownOptions> = { notice: true, limit: true };

/** Throws a {@link ConfigurationError} where a server cannot be made of these options. */
export function checkServerOptions(options: unknown): void {
  const {
    name,
    version,
    logger,
    pageSize = 1,
    http,
    requestState,
    backend,
    eventBus,
    limits,
    cache,
    idempotency,
    cacheHint,
    unknownArguments,
    listing,
    tracing,
  } = (options ?? {}) as Record<string, unknown>;
  if (typeof name !== "string" || name === "" || typeof version !== "string" || version === "") {
    throw new ConfigurationError(
      'A server needs a name and a version: new MCPServer({ name: "task-api", version: "1.0.0" }).',
    );
  }
  checkKnown("MCPServer", options as object, SERVER);
  checkMetadata("MCPServer", options as object);
  checkChoice("unknownArguments", unknownArguments, UNKNOWN_ARGUMENTS);
  checkChoice("listing", listing, ["permitted", "all"]);
  if (tracing !== undefined && typeof tracing !== "boolean")
    throw new ConfigurationError(`tracing is ${shown(tracing)}: write true or false.`);
  checkPort("logger", logger, ["debug", "info", "warn", "error"]);
  checkCount("pageSize", pageSize);
  checkGroup("http", http, HTTP, '{ path: "/mcp" }');
  const { sessions } = (http ?? {}) as HttpOptions;
  if (typeof sessions !== "boolean")
    checkGroup("http.sessions", sessions, SESSIONS, 'true, or { idle: "10m" }');
  checkPort(
    "http.sessions.eventStore",
    (sessions as SessionOptions | undefined)?.eventStore,
    BACKEND.eventStore,
  );
  checkGroup("requestState", requestState, STATE, "{ keys: [process.env.STATE_KEY] }");
  checkBackend(backend);
  checkPort("eventBus", eventBus, BACKEND.eventBus);
  checkGroup("limits", limits, LIMITS, "{ store: memoryLimitStore() }");
  checkPort("limits.store", (limits as LimitsOptions | undefined)?.store, BACKEND.limits);
  checkGroup("cache", cache, CACHE, "{ store: memoryCache() }");
  checkPort("cache.store", (cache as CacheStoreOptions | undefined)?.store, BACKEND.cache);
  checkGroup("idempotency", idempotency, IDEMPOTENCY, "{ store: memoryIdempotencyStore() }");
  const { store } = (idempotency ?? {}) as IdempotencyStoreOptions;
  checkPort("idempotency.store", store, BACKEND.idempotency);
  checkHint("cacheHint", cacheHint);
}

/** Options that stand within others. */
function checkGroup(
  what: string,
  options: unknown,
  known: Readonly<Record<string, true>>,
  sample: string,
): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null)
    throw new ConfigurationError(`${what} is ${shown(options)}: write ${sample}.`);
  checkKnown(`MCPServer: ${what}`, options, known);
}

function checkBackend(backend: unknown): void {
  if (backend === undefined) return;
  if (typeof backend !== "object" || backend === null)
    throw new ConfigurationError(
      `backend is ${shown(backend)}: write redis("rediss://…"), with redis from "gantry-mcp/redis".`,
    );
  checkPort("backend", backend, ["open", "probe", "close"]);
  for (const [part, methods] of Object.entries(BACKEND)) {
    const store = (backend as Record<string, unknown>)[part];
    if (typeof store !== "object" || store === null)
      throw new ConfigurationError(`backend.${part} is ${shown(store)}: write a store there.`);
    checkPort(`backend.${part}`, store, methods);
  }
}

/** An object of the author's that stands for one of ours. */
function checkPort(what: string, value: unknown, methods: readonly string[]): void {
  if (value === undefined) return;
  const missing = methods.filter(
    (method) => typeof (value as Record<string, unknown>)?.[method] !== "function",
  );
  if (missing.length > 0)
    throw new ConfigurationError(`${what} has no ${missing.join(" and no ")}: write a method of that name.`);
}

/** Throws a {@link ConfigurationError} where `run()` is not told over what. */
export function checkRunOptions(options: unknown): void {
  if (typeof options !== "object" || options === null || !("transport" in options)) {
    throw new ConfigurationError(
      'run() needs to know the transport. Write run({ transport: "http" }) or run({ transport: "stdio" }).',
    );
  }
  if (options.transport !== "http" && options.transport !== "stdio")
    throw new ConfigurationError(`transport is ${shown(options.transport)}: write "http" or "stdio".`);
  checkKnown("run()", options, RUN);
  const { processes = 1, signals, uncaught, shutdown } = options as RunHttpOptions;
  checkChoice("uncaught", uncaught, ["log", "end"]);
  if (signals === false && uncaught !== undefined)
    throw new ConfigurationError(
      "uncaught: with signals: false the process is yours, and so is what nobody catches in it. Leave uncaught out, and listen for uncaughtException and unhandledRejection of process yourself.",
    );
  if (processes !== "auto") checkCount("processes", processes, ', or "auto"');
  if (options.transport === "stdio" && processes !== 1)
    throw new ConfigurationError(
      `processes is ${shown(processes)}, and stdio is one client that talks to one process: leave processes out, or serve over HTTP, run({ transport: "http", processes: ${shown(processes)} }).`,
    );
  if (typeof shutdown === "object") checkKnown("run(): shutdown", shutdown, SHUTDOWN);
}
