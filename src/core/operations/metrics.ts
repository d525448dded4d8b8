/** Metrics as their operator asks for them, and as the core and transports know them; `observe/` counts. */

import type { Route } from "../identity/authentication.ts";
import type { Background } from "../calls/background.ts";
import { ConfigurationError, problemsOf } from "../errors.ts";
import { type Names, checkKnown, shown } from "../options/known-options.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { isLoopback } from "../values/loopback.ts";
import type { Logger } from "../ports.ts";
import type { Observer } from "../calls/observers.ts";

/** Where a server tells its metrics, and to whom. */
export interface MetricsOptions {
  /** The path where Prometheus finds them; `false` for none, where OpenTelemetry alone is told. Default: `/metrics`. */
  readonly path?: string | false;
  /** A port of their own, for them and nothing else; 0 takes a free one. Default: the server's port. */
  readonly port?: number;
  /** The address of that port. Another than loopback needs `token` or `allowUnauthenticated`. Default: `127.0.0.1`. */
  readonly host?: string;
  /**
   * The bearer token that whoever reads them has to send, of at least 16 characters. Default: none on a port of their own; on the
   * server's port any caller whom its authenticator identifies, where it has one.
   */
  readonly token?: string;
  /** Why it is safe that everybody who reaches the port of their own reads them. Printed at the start. */
  readonly allowUnauthenticated?: string;
}

const OPTIONS: Names<MetricsOptions> = {
  path: true,
  port: true,
  host: true,
  token: true,
  allowUnauthenticated: true,
};

/** Shorter tokens can be guessed. */
const SHORTEST_TOKEN = 16;

/** What is wrong with a token, without the token: it may be a secret. */
function tokenProblems(options: object): readonly string[] {
  if (!("token" in options)) return [];
  const { token } = options;
  const instead = `write at least ${SHORTEST_TOKEN} characters without spaces, such as process.env.METRICS_TOKEN.`;
  if (token === undefined)
    return [
      "enableMetrics(): token is undefined: is its environment variable set? Leave it out to ask for none.",
    ];
  if (typeof token !== "string" || token === "")
    return [`enableMetrics(): the token is empty, or not a string: ${instead}`];
  if (!/^[\x21-\x7e]+$/.test(token))
    return [`enableMetrics(): the token has characters that no Authorization header carries: ${instead}`];
  if (token.length < SHORTEST_TOKEN)
    return [`enableMetrics(): the token is too short, and could be guessed: ${instead}`];
  return [];
}

const SAMPLE = 'enableMetrics({ path: "/metrics" })';

/** Throws a {@link ConfigurationError} that names everything by which metrics could not be told, or would be to anybody. */
export function checkMetrics(options: unknown): void {
  if (typeof options !== "object" || options === null)
    throw new ConfigurationError(`enableMetrics() got ${shown(options)}: write ${SAMPLE}.`);
  const { path = "/metrics", port, host, token, allowUnauthenticated: reason } = options as MetricsOptions;
  const says = (wrong: boolean, problem: string) => (wrong ? [`enableMetrics(): ${problem}`] : []);
  const problems = [
    ...problemsOf(() => checkKnown("enableMetrics()", options, OPTIONS)),
    ...says(
      path !== false && !(typeof path === "string" && /^(?:\/[\w.~-]+)+$/.test(path)),
      `path is ${shown(path)}: write a plain one, such as "/metrics", or false.`,
    ),
    ...says(
      port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535),
      `port is ${shown(port)}: write a whole number from 0 to 65535; 0 takes a free port.`,
    ),
    ...says(
      host !== undefined && !(typeof host === "string" && host !== ""),
      `host is ${shown(host)}: write an address, such as "0.0.0.0".`,
    ),
    ...says(
      port === undefined && (host !== undefined || reason !== undefined),
      "host and allowUnauthenticated are of a port of its own: write port too, such as { port: 9464 }, or leave them out.",
    ),
    ...says(port !== undefined && path === false, "a port without a path serves nothing: leave out one."),
    ...tokenProblems(options),
    ...says(
      typeof host === "string" && !isLoopback(host) && token === undefined && !isReason(reason),
      `host is ${shown(host)}, and whoever reaches it may read the metrics. Write a token: enableMetrics({ port: 9464, host, token: process.env.METRICS_TOKEN }), listen on 127.0.0.1, or say why this is safe: allowUnauthenticated: "only our Prometheus reaches it".`,
    ),
  ];
  if (problems.length > 0) throw new ConfigurationError(problems);
}

function isReason(reason: unknown): boolean {
  return typeof reason === "string" && reason.trim() !== "";
}

/** The content type of the text format 0.0.4 (Prometheus, "Exposition formats"). */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const MISSED_ON_STDIO =
  "Over stdio nobody can read metrics at a path: give them a port of their own, enableMetrics({ port: 9464 }), or path: false where OpenTelemetry alone is told";

/** Metrics on the server's port, where they are there. */
export function metricsRoutes(metrics: Metrics): readonly Route[] {
  const { path = "/metrics", port, token } = metrics.options;
  if (path === false || port !== undefined) return [];
  const headers = { "content-type": METRICS_TYPE, "cache-control": "no-store" };
  const handle = async () => new Response(await metrics.page(), { headers });
  return [{ method: "GET", path, guarded: { token }, missedOnStdio: MISSED_ON_STDIO, handle }];
}

/** What transports count, read when it is asked for. */
export interface TransportCounts {
  /** Event streams that are open. */
  readonly streams: number;
  /** Event streams that were cut, by why. */
  readonly cut: { readonly overflowing: number; readonly stalled: number };
  readonly sessions: number;
  /** Requests that were answered with an HTTP status from 400 on, by status; those of earlier revisions as 2026-07-28 has it. */
  readonly errors: ReadonlyMap<number, number>;
}

/** The server that is measured. */
export interface Measured {
  readonly name: string;
  readonly version: string;
  readonly lifecycle: Lifecycle;
  readonly background: Background;
  readonly logger: Logger;
}

/** The metrics of a server. */
export interface Metrics {
  readonly options: MetricsOptions;
  readonly observer: Observer;
  /** All of them as they are now, as Prometheus reads them (text format 0.0.4). */
  readonly page: () => Promise<string>;
  /** Puts another page in the place of its own, made with it: where several processes serve, it is to tell of all. */
  gather(together: (own: Metrics["page"]) => Metrics["page"]): void;
  /** Adds what a transport counts. */
  read(counts: () => TransportCounts): void;
  /** Begins what is measured all the time. */
  start(): void;
  /** Ends that. */
  stop(): void;
}
