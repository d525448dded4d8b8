/** Metrics on a port of their own, which outlives the server's. */

import { createServer } from "node:http";
import { isLoopback } from "../../core/values/loopback.ts";
import { METRICS_TYPE, type Metrics } from "../../core/operations/metrics.ts";
import type { Logger } from "../../core/ports.ts";
import { DEFAULT_HOST, baseUrl, bind } from "./binding.ts";
import { type Protection, byName, byToken } from "../requests/protection.ts";

/** Headers and requests are small, and come from few. */
const LIMITS = { maxHeaderSize: 8_192, headersTimeout: 5_000, requestTimeout: 10_000 } as const;
const MOST_CONNECTIONS = 64;

/** Serves `metrics` until the function that it gives is called. */
export async function openMetricsPort(metrics: Metrics, logger: Logger): Promise<() => Promise<void>> {
  const { path = "/metrics", port = 0, host = DEFAULT_HOST, token, allowUnauthenticated } = metrics.options;
  const anybody: Protection = () => undefined;
  const protection = token !== undefined ? byToken(token) : isLoopback(host) ? byName({}) : anybody;
  const server = createServer(LIMITS, (request, response) => {
    const answer = (status: number, text: string, headers: Record<string, string> = {}) =>
      response
        .writeHead(status, { "content-type": "text/plain; charset=utf-8", ...NOT_KEPT, ...headers })
        .end(request.method === "HEAD" ? undefined : text);
    const serve = async () => {
      if (request.url?.split("?", 1)[0] !== path)
        return answer(404, `Nothing is here. Metrics are at ${path}.\n`);
      if (request.method !== "GET" && request.method !== "HEAD")
        return answer(405, "Use GET.\n", { allow: "GET, HEAD" });
      const refusal = await protection((name) => request.headers[name] as string | undefined);
      if (refusal)
        return answer(refusal.status, `${refusal.message}\n`, {
          ...(refusal.challenge !== undefined && { "www-authenticate": refusal.challenge }),
        });
      return answer(200, await metrics.page(), { "content-type": METRICS_TYPE });
    };
    serve().catch((error: unknown) => {
      logger.error({ err: error }, "Unexpected error");
      answer(500, "An internal error occurred.\n");
    });
  });
  server.maxConnections = MOST_CONNECTIONS;
  const at = await bind(server, host, port, "enableMetrics({ port: 0 }) takes a free one");
  const url = `${baseUrl(host, at.port)}${path}`;
  const open = token === undefined && !isLoopback(host);
  logger.info({ url, ...(open && { allowUnauthenticated }) }, "Metrics are served");
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
      // A scrape under way is answered; one that does not end is not waited for.
      setTimeout(() => server.closeAllConnections(), 1_000).unref();
    });
}

const NOT_KEPT = { "cache-control": "no-store" };
