/** Hono's routes on `node:http`. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";

export function nodeRoutes(app: Hono): (request: IncomingMessage, response: ServerResponse) => void {
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  return (request, response) => void listener(request, response);
}
