/** What transports know of a server. */

import type { Lifecycle } from "./lifecycle.ts";
import type { Logger } from "./ports.ts";
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
}

export interface Runtime {
  readonly name: string;
  readonly http: HttpOptions;
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
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
