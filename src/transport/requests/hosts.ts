/** By which names the server answers, and which pages may call it: the defence against DNS rebinding. */

import { ConfigurationError } from "../../core/errors.ts";
import { shown } from "../../core/options/known-options.ts";
import { LOOPBACK_NAMES, isLoopback } from "../../core/values/loopback.ts";
import type { HttpOptions } from "../../core/server-options.ts";

export interface Gate {
  allowsHost(host: string): boolean;
  allowsOrigin(origin: string): boolean;
}

/**
 * Names are compared exactly and in lower case; ports of allowed hosts are free, those of origins are not.
 * Throws one {@link ConfigurationError} that names every problem.
 */
export function createGate({ publicUrl, allowedHosts = [], allowedOrigins = [] }: HttpOptions): Gate {
  const problems = gateProblems({ publicUrl, allowedHosts, allowedOrigins });
  if (problems.length > 0) throw new ConfigurationError(problems);
  const known = publicUrl === undefined ? undefined : new URL(publicUrl);
  const hosts = new Set([...LOOPBACK_NAMES, ...allowedHosts, ...(known ? [known.hostname] : [])]);
  const origins = new Set([...allowedOrigins, ...(known ? [known.origin] : [])]);
  return {
    allowsHost: (host) => hosts.has(withoutPort(host).toLowerCase()),
    allowsOrigin: (origin) => origins.has(origin) || LOOPBACK_ORIGIN.test(origin),
  };
}

/** What a request tells of where it comes from. */
export interface From {
  readonly host: string;
  readonly origin: string | undefined;
  /** The address of the connection, where it is known. Where it is not, anybody may have written the rest. */
  readonly peer: string | undefined;
  readonly forwarded: string | undefined;
  readonly forwardedFor: string | undefined;
}

/**
 * Whether everything that a request tells says that it comes from a program of this machine. What proxies add is
 * believed of any of them: it can only lead to a refusal.
 */
export function isLocal({ host, origin, peer, forwarded, forwardedFor }: From): boolean {
  if (peer === undefined) return false;
  const addresses = [peer, ...(forwardedFor?.split(",") ?? [])];
  return (
    isLoopback(withoutPort(host).toLowerCase()) &&
    (origin === undefined || LOOPBACK_ORIGIN.test(origin)) &&
    forwarded === undefined &&
    addresses.every((address) =>
      isLoopback(
        address
          .trim()
          .toLowerCase()
          .replace(/^::ffff:/, ""),
      ),
    )
  );
}

const LOOPBACK_ORIGIN = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/;

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, "");
}

/** What is wrong with the names, as given. */
function gateProblems(given: Readonly<Record<"publicUrl" | "allowedHosts" | "allowedOrigins", unknown>>) {
  const problems: string[] = [];
  if (given.publicUrl !== undefined && !isWebUrl(given.publicUrl)) {
    problems.push(
      `http.publicUrl is ${shown(given.publicUrl)}: write a URL such as "https://tasks.example.com/mcp".`,
    );
  }
  const checkList = (
    what: "allowedHosts" | "allowedOrigins",
    fits: (item: string) => boolean,
    advice: string,
  ) => {
    const list = given[what];
    if (!Array.isArray(list)) problems.push(`http.${what} is ${shown(list)}: write an array of texts.`);
    else {
      for (const item of list as unknown[]) {
        if (typeof item !== "string" || !fits(item))
          problems.push(`http.${what} has ${shown(item)}: write ${advice}.`);
      }
    }
  };
  checkList("allowedHosts", isHost, 'a lower-case name without port, such as "tasks.example.com"');
  checkList("allowedOrigins", isOrigin, 'scheme and host, such as "https://app.example.com"');
  return problems;
}

function isWebUrl(url: unknown): boolean {
  return typeof url === "string" && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

function isHost(host: string): boolean {
  return /^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])$/.test(host);
}

function isOrigin(origin: string): boolean {
  return URL.canParse(origin) && new URL(origin).origin === origin && !origin.includes("*");
}
