/** A server of its own on `node:http`: listening, telling what is served, and draining. */

import { type RequestListener, type Server, createServer } from "node:http";
import type { ListeningServer, Runtime } from "../../core/runtime.ts";
import type { RunHttpOptions } from "../../core/server-options.ts";
import { greet } from "./banner.ts";
import { DEFAULT_HOST, DEFAULT_PORT, anotherPort, baseUrl, bind } from "./binding.ts";
import { Connections } from "./connections.ts";
import { Endpoint } from "../endpoint/endpoint.ts";
import { checkHttpOptions } from "./http-options.ts";
import { nodeRoutes } from "./node-routes.ts";
import { nodeListener } from "../endpoint/node.ts";
import { createRoutes } from "./routes.ts";
import { pause } from "../../core/values/promises.ts";
import { ended, shutdownLimits } from "../ending/shutdown.ts";
import { leave, onSignal } from "../ending/signals.ts";
import { onUncaught } from "../ending/uncaught.ts";

/** How long cancelled calls have to answer before their connections are cut; in milliseconds. */
const CUT_AFTER = 1_000;

/** How often connections that have become idle are closed while the server drains; in milliseconds. */
const CLOSE_IDLE = 50;

/** Who watches over a server that is one of several. */
export interface Overseer {
  /** Calls `end` when the server is to end, after so many milliseconds of notice. */
  onEnd(end: (notice: number) => void): void;
  /** The server takes requests now. */
  listens(url: string, port: number): void;
  /** The server's own program closes it. */
  leaves(): void;
  /** It has been closed. */
  left(): void;
}

/**
 * Starts the server: hooks first, then the port.
 *
 * @param overseer - Of a worker: who is told that it listens, and tells when it is to end.
 */
export async function listen(
  runtime: Runtime,
  options: RunHttpOptions,
  overseer?: Overseer,
): Promise<ListeningServer> {
  const { host = DEFAULT_HOST, port = DEFAULT_PORT, signals = true, uncaught } = options;
  checkHttpOptions(runtime, options);
  const { notice, limit } = shutdownLimits(options.shutdown);
  const endpoint = new Endpoint(runtime);
  const routes = nodeRoutes(createRoutes(runtime, endpoint.path).fetch);
  let closing: Promise<void> | undefined;
  const draining = () => closing !== undefined;
  const server = createServer(
    LIMITS,
    onlyHttp1(
      nodeListener(
        runtime,
        endpoint,
        (request, response) => {
          if (draining()) response.shouldKeepAlive = false;
          routes(request, response);
        },
        draining,
      ),
    ),
  );
  const connections = new Connections(server);
  server.keepAliveTimeout = 65_000;
  server.maxHeadersCount = 128;

  const shutDown = async (wait: number) => {
    const deadline = performance.now() + wait + limit;
    runtime.lifecycle.drain();
    if (server.listening) {
      await pause(wait);
      await closed(server, connections, endpoint, limit);
    }
    await ended(runtime, deadline);
    ignoreUncaught();
  };
  const end = (wait = notice) => (closing ??= shutDown(wait));
  const ignoreSignals = signals ? onSignal(() => end(), runtime.logger) : () => {};
  overseer?.onEnd((wait) => leave(end(wait), runtime.logger));
  let ignoreUncaught = () => {};
  try {
    await runtime.lifecycle.start();
    // A signal that comes while the server starts ends the process as soon as its hooks have run.
    if (closing) await closing;
    const address = await bind(server, host, port, anotherPort(port));
    if (signals) ignoreUncaught = onUncaught(runtime.logger, uncaught === "end" ? end : undefined);
    const url = baseUrl(host, address.port) + endpoint.path;
    if (overseer) overseer.listens(url, address.port);
    else greet(runtime, await runtime.sealed(), url, options.allowUnauthenticated);
    return {
      url,
      port: address.port,
      close: () => {
        ignoreSignals();
        overseer?.leaves();
        return end(0).finally(() => overseer?.left());
      },
    };
  } catch (error) {
    ignoreSignals();
    // What the start-up hooks opened is closed again.
    await runtime.lifecycle.stop(runtime.logger);
    throw error;
  }
}

/** Limits on what a connection may cost before it has sent a request. */
const LIMITS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
} as const;

/** node:http also reads what calls itself HTTP/0.9 or, in text, HTTP/2.0: two servers could read that differently. */
function onlyHttp1(listener: RequestListener): RequestListener {
  return (request, response) => {
    if (request.httpVersionMajor === 1) listener(request, response);
    else response.writeHead(505, { connection: "close", "content-length": 0 }).end();
  };
}

/** Stops listening and waits for what is under way; what exceeds the limit is cancelled, then cut. */
async function closed(
  server: Server,
  connections: Connections,
  endpoint: Endpoint,
  limit: number,
): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  endpoint.endStreams();
  // A stream that began before the draining has promised to keep its connection, which is idle once it ends.
  const sweep = setInterval(() => connections.closeIdle(), CLOSE_IDLE);
  const timer = setTimeout(() => {
    endpoint.cancelAll(new Error("The server is shutting down."));
    setTimeout(() => server.closeAllConnections(), CUT_AFTER);
  }, limit);
  await done;
  clearInterval(sweep);
  clearTimeout(timer);
  await endpoint.close();
}
