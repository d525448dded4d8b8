/** A server of its own on `node:http`: listening, telling what is served, and draining. */

import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ConfigurationError } from "../errors.ts";
import type { ListeningServer, Runtime } from "../runtime.ts";
import type { RunHttpOptions } from "../server.ts";
import { banner } from "./banner.ts";
import { Endpoint } from "./endpoint.ts";
import { isLoopback } from "./hosts.ts";
import { nodeRoutes } from "./node-routes.ts";
import { nodeListener } from "./node.ts";
import { createRoutes } from "./routes.ts";
import { onSignal } from "./signals.ts";

/** How long a draining server still accepts connections, so that load balancers notice; in milliseconds. */
const NOTICE = 1_000;

/** How long calls under way may take to finish once the server drains; in milliseconds. */
const DRAIN_LIMIT = 25_000;

/** How long cancelled calls have to answer before their connections are cut; in milliseconds. */
const CUT_AFTER = 1_000;

/** Starts the server: hooks first, then the port. */
export async function listen(runtime: Runtime, options: RunHttpOptions): Promise<ListeningServer> {
  const { host = "127.0.0.1", port = 8080, signals = true } = options;
  checkExposure(runtime, host, options.allowUnauthenticated);
  const endpoint = new Endpoint(runtime);
  let draining = false;

  await runtime.lifecycle.start();
  const routes = nodeRoutes(createRoutes(runtime, endpoint.path).fetch);
  const server = createServer(
    LIMITS,
    nodeListener(runtime, endpoint, routes, () => draining),
  );
  server.keepAliveTimeout = 65_000;
  server.maxHeadersCount = 128;
  const address = await bind(server, host, port);
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${address.port}${endpoint.path}`;
  console.error(banner(runtime.name, await runtime.sealed(), url, options.allowUnauthenticated));

  const shutDown = async (notice: number) => {
    draining = true;
    runtime.lifecycle.drain();
    await pause(notice);
    await closed(server, endpoint);
    await runtime.lifecycle.stop(runtime.logger);
  };
  let closing: Promise<void> | undefined;
  const ignoreSignals = signals ? onSignal(() => (closing ??= shutDown(NOTICE)), runtime.logger) : () => {};
  return {
    url,
    port: address.port,
    close: () => {
      ignoreSignals();
      return (closing ??= shutDown(0));
    },
  };
}

/** Limits on what a connection may cost before it has sent a request. */
const LIMITS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
} as const;

/** Refuses to serve everybody by accident. */
function checkExposure({ http }: Runtime, host: string, reason: string | undefined): void {
  if (isLoopback(host)) return;
  const problems: string[] = [];
  if (reason === undefined || reason.trim() === "") {
    problems.push(
      `host is "${host}", and whoever reaches it may call every tool: there is no authenticator. Listen on 127.0.0.1, or say why this is safe: run({ allowUnauthenticated: "only our VPN reaches it" }).`,
    );
  }
  if (http.publicUrl === undefined && !http.allowedHosts?.length) {
    problems.push(
      `host is "${host}", and no name is known by which clients call the server. Name it: new MCPServer({ http: { publicUrl: "https://tasks.example.com/mcp" } }).`,
    );
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
}

function bind(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = `Port ${port} of ${host} is in use. End the program that has it, or choose another: run({ port: ${port + 1} }).`;
      reject(error.code === "EADDRINUSE" ? new ConfigurationError(taken) : error);
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/** Stops listening and waits for what is under way; what exceeds the limit is cancelled, then cut. */
async function closed(server: Server, endpoint: Endpoint): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const limit = setTimeout(() => {
    endpoint.cancelAll(new Error("The server is shutting down."));
    setTimeout(() => server.closeAllConnections(), CUT_AFTER);
  }, DRAIN_LIMIT);
  await done;
  clearTimeout(limit);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
