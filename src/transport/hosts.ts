/** By which names the server answers, and which pages may call it: the defence against DNS rebinding. */

import { ConfigurationError } from "../errors.ts";
import type { HttpOptions } from "../runtime.ts";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

export interface Gate {
  allowsHost(host: string): boolean;
  allowsOrigin(origin: string): boolean;
}

/** Names are compared exactly and in lower case; ports of allowed hosts are free, those of origins are not. */
export function createGate({ publicUrl, allowedHosts = [], allowedOrigins = [] }: HttpOptions): Gate {
  const known = publicUrl === undefined ? undefined : parsePublicUrl(publicUrl);
  const hosts = new Set([...LOOPBACK, ...allowedHosts.map(checkHost), ...(known ? [known.hostname] : [])]);
  const origins = new Set([...allowedOrigins.map(checkOrigin), ...(known ? [known.origin] : [])]);
  return {
    allowsHost: (host) => hosts.has(withoutPort(host).toLowerCase()),
    allowsOrigin: (origin) => origins.has(origin) || LOOPBACK_ORIGIN.test(origin),
  };
}

/** Whether `host` is an address or name of this machine alone. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.includes(host) || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

const LOOPBACK_ORIGIN = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/;

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, "");
}

function parsePublicUrl(publicUrl: string): URL {
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new ConfigurationError(
      `http.publicUrl is ${JSON.stringify(publicUrl)}: write a URL such as "https://tasks.example.com/mcp".`,
    );
  }
  return url;
}

function checkHost(host: string): string {
  if (!/^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])$/.test(host)) {
    throw new ConfigurationError(
      `http.allowedHosts has ${JSON.stringify(host)}: write a lower-case name without port, such as "tasks.example.com".`,
    );
  }
  return host;
}

function checkOrigin(origin: string): string {
  if (!URL.canParse(origin) || new URL(origin).origin !== origin || origin.includes("*")) {
    throw new ConfigurationError(
      `http.allowedOrigins has ${JSON.stringify(origin)}: write scheme and host, such as "https://app.example.com".`,
    );
  }
  return origin;
}
