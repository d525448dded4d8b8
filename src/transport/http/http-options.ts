/** Whether a server can be reached the way its options say: checked at the start, all problems together. */

import { milliseconds } from "../../core/options/duration.ts";
import { ConfigurationError, problemsOf } from "../../core/errors.ts";
import { checkCount, shown } from "../../core/options/known-options.ts";
import { isLoopback } from "../../core/values/loopback.ts";
import type { HttpOptions } from "../../core/server-options.ts";
import type { RunHttpOptions } from "../../core/server-options.ts";
import type { Runtime } from "../../core/runtime.ts";
import { clientAddress } from "../requests/client-address.ts";
import { createGate } from "../requests/hosts.ts";
import { isNormal } from "../requests/request-target.ts";
import { shutdownLimits } from "../ending/shutdown.ts";

/** Where the health of a server is asked for. */
export const HEALTH = {
  live: "/health/live",
  ready: "/health/ready",
  startup: "/health/startup",
} as const;

/** The paths of {@link HEALTH}. */
export const HEALTH_PATHS: readonly string[] = Object.values(HEALTH);

/** Throws one {@link ConfigurationError} that names every problem; `run` where the server listens for itself. */
export function checkHttpOptions({ http, authentications, routes }: Runtime, run?: RunHttpOptions): void {
  const exposed = !isLoopback(run?.host ?? "127.0.0.1") || isPublic(http.publicUrl);
  const deployment = { exposed, production: process.env["NODE_ENV"] === "production" };
  const problems = [
    ...(run
      ? [
          ...portProblems(run),
          ...exposureProblems(http, run, authentications.length > 0),
          ...problemsOf(() => shutdownLimits(run.shutdown)),
        ]
      : []),
    ...authentications.flatMap((authentication) => authentication.problems(deployment)),
    ...resourceProblems(authentications, http.publicUrl),
    ...pathProblems(http.path),
    ...routeProblems(routes, http.path),
    ...routes.flatMap(({ problems: check }) => check?.(deployment) ?? []),
    ...wholeNumberProblems("http.maxBodyBytes", http.maxBodyBytes),
    ...wholeNumberProblems("http.maxInFlight", http.maxInFlight),
    ...wholeNumberProblems("http.maxStreams", http.maxStreams),
    ...wholeNumberProblems("http.maxStreamsPerClient", http.maxStreamsPerClient),
    ...problemsOf(() => clientAddress(http.trustedProxies)),
    ...sessionProblems(http.sessions),
    ...problemsOf(() => createGate(http)),
  ];
  if (problems.length > 0) throw new ConfigurationError(problems);
}

function sessionProblems(sessions: HttpOptions["sessions"]): readonly string[] {
  if (typeof sessions !== "object") return [];
  const { max, idle = 0, retry = 0 } = sessions;
  return [
    ...wholeNumberProblems("http.sessions.max", max),
    ...problemsOf(() => milliseconds(idle, "http.sessions.idle")),
    ...problemsOf(() => milliseconds(retry, "http.sessions.retry")),
  ];
}

function wholeNumberProblems(what: string, value: unknown): readonly string[] {
  return value === undefined ? [] : problemsOf(() => checkCount(what, value));
}

/** The path is compared with those of requests, exactly: it has to be as URLs have it. */
function pathProblems(path: unknown): readonly string[] {
  if (path === undefined) return [];
  if (typeof path !== "string" || !path.startsWith("/") || path.includes("?") || !isNormal(path))
    return [
      `http.path is ${shown(path)}: write a path as URLs have it, such as "/mcp", without "?", "#" and spaces.`,
    ];
  if (HEALTH_PATHS.includes(path))
    return [`http.path is "${path}", where the server tells its health: write another, such as "/mcp".`];
  return [];
}

/** What would hide behind the endpoint, or behind something else. */
function routeProblems(routes: Runtime["routes"], endpoint = "/mcp"): readonly string[] {
  const taken = new Map<string, string | undefined>(
    [endpoint, ...HEALTH_PATHS].map((path) => [path, undefined]),
  );
  return routes.flatMap(({ path, document }) => {
    const clashes = taken.has(path) && (document === undefined || taken.get(path) !== document);
    taken.set(path, document);
    return clashes ? [`Two things are at the path "${path}": leave one out, or write another path.`] : [];
  });
}

/** Clients refuse a server whose metadata are of another one (RFC 9728, section 3.3). */
function resourceProblems(
  authentications: Runtime["authentications"],
  publicUrl: string | undefined,
): readonly string[] {
  return authentications.flatMap(({ resource }) =>
    resource === undefined || publicUrl === undefined || isWithin(publicUrl, resource)
      ? []
      : [
          `http.publicUrl is ${shown(publicUrl)}, and authenticate() has the resource ${shown(resource)}: clients refuse metadata of another server. Leave out publicUrl, or write one of the two for both.`,
        ],
  );
}

function isWithin(url: string, resource: string): boolean {
  if (!URL.canParse(url)) return true; // that is another problem
  const [inner, outer] = [new URL(url), new URL(resource)];
  const path = (of: URL) => `${of.pathname.replace(/\/+$/, "")}/`;
  return inner.origin === outer.origin && path(inner).startsWith(path(outer));
}

function portProblems({ port }: RunHttpOptions): readonly string[] {
  const fits = port === undefined || (Number.isInteger(port) && port >= 0 && port <= 65_535);
  return fits ? [] : [`port is ${shown(port)}: write a whole number from 0 to 65535; 0 takes a free port.`];
}

/** Whether clients elsewhere know the server by this URL. */
function isPublic(url: string | undefined): boolean {
  return url !== undefined && URL.canParse(url) && !isLoopback(new URL(url).hostname);
}

/** Refuses to serve everybody by accident. */
function exposureProblems(
  http: HttpOptions,
  { host = "127.0.0.1", allowUnauthenticated: reason }: RunHttpOptions,
  identifies: boolean,
): readonly string[] {
  if (isLoopback(host)) return [];
  const problems: string[] = [];
  if (!identifies && (typeof reason !== "string" || reason.trim() === "")) {
    problems.push(
      `host is ${shown(host)}, and whoever reaches it may call every tool: there is no authenticator. Install one: server.use(authenticate(jwtAuth({ … }))), listen on 127.0.0.1, or say why this is safe: run({ allowUnauthenticated: "only our VPN reaches it" }).`,
    );
  }
  if (http.publicUrl === undefined && !http.allowedHosts?.length) {
    problems.push(
      `host is ${shown(host)}, and no name is known by which clients call the server. Name it: new MCPServer({ http: { publicUrl: "https://tasks.example.com/mcp" } }).`,
    );
  }
  return problems;
}
