/** What transports know of a server. */

import type { Lifecycle } from "./lifecycle.ts";
import type { EventBus, EventStore } from "./ports.ts";
import type { Duration } from "./duration.ts";
import type { Services } from "./dispatch.ts";
import type { Sealed } from "./seal.ts";

/** How the server is reached over HTTP. */
export interface HttpOptions {
  /** The path of the MCP endpoint. Default: `/mcp`. */
  readonly path?: string;
  /** The URL by which clients know the server, such as `https://tasks.example.com/mcp`. Its host and origin are allowed. */
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
  /** Where messages are kept for clients that lost their connection. Default: the last 10,000, in memory. */
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

export interface Runtime extends Services {
  readonly name: string;
  readonly http: HttpOptions;
  readonly lifecycle: Lifecycle;
  readonly eventBus: EventBus;
  /** Seals what travels with the questions of a call. */
  readonly stateKeys: StateOptions;
  /** The sealed server as it is now; sealed again where components have changed. */
  sealed(): Sealed | Promise<Sealed>;
}

/** A server that runs. */
export interface RunningServer {
  /** Stops taking work, lets what is under way finish, runs the shutdown hooks. */
  readonly close: () => Promise<void>;
}

/** A server that listens. */
export interface ListeningServer extends RunningServer {
  /** The MCP endpoint, such as `http://127.0.0.1:8080/mcp`. */
  readonly url: string;
  readonly port: number;
}

/** As much of a `node:http` request as tells it from other values; the real thing is an `IncomingMessage`. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: object;
}

/** As much of a `node:http` response as tells it from other values; the real thing is a `ServerResponse`. */
export interface NodeResponse {
  writeHead(status: number, headers: string[]): unknown;
  destroy(error?: Error): unknown;
}

/** A request listener, as `node:http`, Express and Fastify call it. */
export type NodeHandler = (request: NodeRequest, response: NodeResponse) => void;
