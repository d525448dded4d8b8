/** Everything that is not the MCP endpoint. */

import { Hono } from "hono";
import { cors } from "hono/cors";
import type { Runtime } from "../runtime.ts";
import { HEALTH } from "./http-options.ts";

/** What is known of the connection that a request came by: nothing, where the server is mounted by `fetch`. */
type Peer = { Bindings: { readonly incoming?: { readonly socket: { readonly remoteAddress?: string } } } };

/** `/health/live` tells that the process runs, `/health/ready` whether it can do its work now. */
export function createRoutes({ lifecycle, logger, routes }: Runtime, path: string): Hono<Peer> {
  const app = new Hono<Peer>();
  for (const { method, path: at, open, handle } of routes) {
    if (open) app.use(at, cors({ origin: "*" }));
    app.on(method, at, (c) => handle(c.req.raw, { address: c.env?.incoming?.socket.remoteAddress }));
    app.all(at, (c) =>
      c.json({ error: "method_not_allowed", message: `Use ${method}.` }, 405, { allow: method }),
    );
  }
  app.get(HEALTH.live, (c) => c.json({ status: "live" }));
  app.get(HEALTH.ready, async (c) => {
    const { ready, checks } = await lifecycle.readiness(logger);
    return c.json({ status: ready ? "ready" : "not ready", checks }, ready ? 200 : 503);
  });
  app.notFound((c) =>
    c.json({ error: "not_found", message: `Nothing is here. The MCP endpoint is POST ${path}.` }, 404),
  );
  app.onError((error, c) => {
    logger.error({ err: error }, "Unexpected error");
    return c.json({ error: "internal_error", message: "An internal error occurred." }, 500);
  });
  return app;
}
