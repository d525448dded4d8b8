/** What the programs here have in common. */

import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { MCPServer } from "gantry-mcp";
import { z } from "zod";

/** The server that each of them takes in. */
export function greeter(): MCPServer {
  return new MCPServer({ name: "greeter", version: "1.0.0" }).tool(
    "greet",
    { description: "Greet somebody by name.", input: z.object({ name: z.string() }) },
    ({ name }) => `Hello, ${name}!`,
  );
}

/** Where the server is once `http` listens, and how both end in good order. */
export async function listening(http: Server, server: MCPServer) {
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
