/** Next to pages of your own on a plain `node:http` server. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { MCPServer } from "gantry-mcp";
import { z } from "zod";

const server = new MCPServer({ name: "greeter", version: "1.0.0" });

server.tool(
  "greet",
  { description: "Greet somebody by name.", input: z.object({ name: z.string() }) },
  ({ name }) => `Hello, ${name}!`,
);

export async function start(port: number) {
  const http = createServer((request, response) => {
    if (request.url === "/") response.end("A page of your own.");
    else server.node(request, response); // POST /mcp, /health/live, /health/ready; 404 for everything else
  });
  http.listen(port, "127.0.0.1");
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
