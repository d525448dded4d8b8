/** Everything that is not the MCP endpoint. */

import { Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { Runtime } from "../../core/runtime.ts";
import type { Incoming } from "../requests/client-address.ts";
import { type From, isLocal } from "../requests/hosts.ts";
import { HEALTH } from "./http-options.ts";
import { type Protection, byCaller, byToken } from "../requests/protection.ts";
import { isNormal } from "../requests/request-target.ts";

/** What is known of the connection that a request came by: nothing, where the server is mounted by `fetch`. */
type Peer = { Bindings: { readonly incoming: Incoming | undefined } };

/** `/health/live` tells that the process runs, `/health/startup` whether it has started, `/health/ready` whether it can do its work now. */
export function createRoutes(runtime: Runtime, path: string): Hono<Peer> {
  const { lifecycle, logger, routes } = runtime;
  const app = new Hono<Peer>();
  app.use((c, next) => (isNormal(c.env?.incoming?.url ?? "") ? next() : Promise.resolve(c.notFound())));
  for (const { method, path: at, open, local, guarded, handle } of routes) {
    if (open) app.use(at, cors({ origin: "*" }));
    if (local) app.use(at, localOnly);
    if (guarded)
      app.use(at, behind(guarded.token === undefined ? byCaller(runtime) : byToken(guarded.token)));
    app.on(method, at, (c) =>
      lifecycle.closed
        ? c.json({ error: "closed", message: "The server has been closed." }, 503)
        : handle(c.req.raw),
    );
    app.all(at, (c) =>
      c.json({ error: "method_not_allowed", message: `Use ${method}.` }, 405, { allow: method }),
    );
  }
  app.get(HEALTH.live, (c) => c.json({ status: "live" }));
  app.get(HEALTH.startup, (c) =>
    lifecycle.hasStarted ? c.json({ status: "started" }) : c.json({ status: "starting" }, 503),
  );
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

/** Answers those alone whom `protection` lets in. */
function behind(protection: Protection): MiddlewareHandler<Peer> {
  return async (c, next) => {
    const { host } = new URL(c.req.url);
    const refusal = await protection((name) => c.req.header(name) ?? (name === "host" ? host : undefined));
    if (!refusal) return next();
    const { status, message, challenge } = refusal;
    const error = status === 401 ? "unauthorized" : "forbidden";
    return c.json(
      { error, message },
      status,
      challenge === undefined ? {} : { "www-authenticate": challenge },
    );
  };
}

/** Refuses whatever may come from another machine, or from a page that another machine sent. */
const localOnly: MiddlewareHandler<Peer> = async (c, next) => {
  const { host: name } = new URL(c.req.url);
  const from: From = {
    host: c.req.header("host") ?? name,
    origin: c.req.header("origin"),
    peer: c.env?.incoming?.socket.remoteAddress,
    forwarded: c.req.header("forwarded"),
    forwardedFor: c.req.header("x-forwarded-for"),
  };
  if (isLocal(from)) return next();
  const message =
    from.peer === undefined
      ? "Only programs of the server's own machine may call this, and where requests come from is not known. Mount the server by server.node, or by server.fetch(c.req.raw, c.env)."
      : "Only programs of the server's own machine may call this.";
  return c.json({ error: "forbidden", message }, 403);
};
