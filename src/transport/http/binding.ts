/** Where a server listens. */

import type { AddressInfo, Server } from "node:net";
import { ConfigurationError } from "../../core/errors.ts";

/** Where it listens unless it is told otherwise: nobody on another machine reaches it. */
export const DEFAULT_HOST = "127.0.0.1";
export const DEFAULT_PORT = 8080;

/**
 * Listens.
 *
 * @param advice - What to do where somebody has the port: the end of a {@link ConfigurationError}.
 */
export function bind(server: Server, host: string, port: number, advice: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = `Port ${port} of ${host} is in use. End the program that has it, or choose another: ${advice}.`;
      reject(error.code === "EADDRINUSE" ? new ConfigurationError(taken) : error);
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/** The beginning of the URLs of an address. */
export function baseUrl(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What to write where the server's own port is taken. */
export function anotherPort(port: number): string {
  return `run({ port: ${port < 65_535 ? port + 1 : DEFAULT_PORT} })`;
}
