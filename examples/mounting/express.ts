/** A route of an Express app. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import { MCPServer } from "gantry-mcp";
import { z } from "zod";

const server = new MCPServer({ name: "greeter", version: "1.0.0" });

server.tool(
  "greet",
  { description: "Greet somebody by name.", input: z.object({ name: z.string() }) },
  ({ name }) => `Hello, ${name}!`,
);

export async function start(port: number) {
  const app = express();
  app.all("/mcp", server.node); // before express.json(), so that bodies are read strictly
  app.use(express.json());
  app.get("/", (_request, response) => void response.send("A page of your own."));

  const http = app.listen(port, "127.0.0.1");
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
