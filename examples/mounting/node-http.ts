/** Next to pages of your own on a plain `node:http` server. */

import { createServer } from "node:http";
import { greeter, listening } from "./greeter.ts";

const server = greeter();

export async function start(port: number) {
  const http = createServer((request, response) => {
    if (request.url === "/") response.end("A page of your own.");
    else server.node(request, response); // POST /mcp, /health/live, /health/ready; 404 for everything else
  });
  return listening(http.listen(port, "127.0.0.1"), server);
}

if (import.meta.filename === process.argv[1]) console.error(`MCP at ${(await start(8080)).url}`);
