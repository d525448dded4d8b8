/** What transports know of a server. */

import type { Authentication, Route } from "./identity/authentication.ts";
import type { Lifecycle } from "./operations/lifecycle.ts";
import type { Metrics } from "./operations/metrics.ts";
import type { HttpOptions, StateOptions } from "./server-options.ts";
import type { EventBus, EventStore } from "./ports.ts";
import type { Sealed } from "./sealed/sealed.ts";
import type { Services } from "./calls/services.ts";

export interface Runtime extends Services {
  readonly name: string;
  readonly http: HttpOptions;
  readonly lifecycle: Lifecycle;
  readonly eventBus: EventBus;
  /** Where sessions keep their messages unless told otherwise. */
  readonly eventStore?: EventStore | undefined;
  /** How callers are identified. */
  readonly authentications: readonly Authentication[];
  /** What is served beside the MCP endpoint and its health. */
  readonly routes: readonly Route[];
  /** What is measured, where anything is. */
  readonly metrics?: Metrics | undefined;
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
  end(): unknown;
}

/** A request listener, as `node:http`, Express and Fastify call it. */
export type NodeHandler = (request: NodeRequest, response: NodeResponse) => void;

/** A server within another's HTTP server. */
export interface Mounted {
  readonly fetch: (request: Request, bindings?: unknown) => Promise<Response>;
  /** Rejects where the server could not start. */
  readonly node: (...exchange: Parameters<NodeHandler>) => void | Promise<void>;
  /** Ends the streams and the sessions, and runs the shutdown hooks; what else is under way finishes. */
  readonly close: () => Promise<void>;
}
