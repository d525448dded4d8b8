/** A route of a Hono app: on Node here, and as it is on every other runtime that Hono knows. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { MCPServer } from "gantry-mcp";
import { Hono } from "hono";
import { z } from "zod";

const server = new MCPServer({ name: "greeter", version: "1.0.0" });

server.tool(
  "greet",
  { description: "Greet somebody by name.", input: z.object({ name: z.string() }) },
  ({ name }) => `Hello, ${name}!`,
);

export async function start(port: number) {
  const app = new Hono();
  app.get("/", (c) => c.text("A page of your own."));
  app.all("/mcp", (c) => server.fetch(c.req.raw, c.env));

  const http = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" });
  await once(http, "listening");
  return {
    server,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    close: async () => {
      http.close();
      await once(http, "close");
      await server.close();
    },
  };
}

if (import.meta.filename === process.argv[1]) console.error(`MCP at ${(await start(8080)).url}`);
