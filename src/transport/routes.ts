/** Everything that is not the MCP endpoint. */

import { Hono } from "hono";
import type { Runtime } from "../runtime.ts";
import { HEALTH } from "./http-options.ts";

/** `/health/live` tells that the process runs, `/health/ready` whether it can do its work now. */
export function createRoutes({ lifecycle, logger }: Runtime, path: string): Hono {
  const app = new Hono();
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
