/** A route of a Hono app: on Node here, and as it is on every other runtime that Hono knows. */

import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { greeter, listening } from "./greeter.ts";

const server = greeter();

export async function start(port: number) {
  const app = new Hono();
  app.get("/", (c) => c.text("A page of your own."));
  app.all("/mcp", (c) => server.fetch(c.req.raw, c.env));

  return listening(serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }), server);
}

if (import.meta.filename === process.argv[1]) console.error(`MCP at ${(await start(8080)).url}`);
