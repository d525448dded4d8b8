// The official SDK as documented: a factory that builds an McpServer for each request, schemas hoisted, served by
// the SDK's adapter for node:http.
import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { resultOf } from "../results.mjs";

export async function start({ tools }) {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: "bench", version: "1.0.0" });
    for (const { name, description, input, output, run } of tools) {
      const schemas =
        output === undefined ? { inputSchema: input } : { inputSchema: input, outputSchema: output };
      server.registerTool(name, { description, ...schemas }, (args) => resultOf(run(args), output));
    }
    return server;
  });
  const server = createServer(toNodeHandler(handler));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port };
}
