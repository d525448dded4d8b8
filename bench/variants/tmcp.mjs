// tmcp with its HTTP transport, behind the lightest maintained adapter from web requests to node:http.
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { ZodJsonSchemaAdapter } from "@tmcp/adapter-zod";
import { HttpTransport } from "@tmcp/transport-http";
import { McpServer } from "tmcp";
import { resultOf } from "../results.mjs";

export async function start({ tools }) {
  const mcp = new McpServer(
    { name: "bench", version: "1.0.0", description: "bench" },
    { adapter: new ZodJsonSchemaAdapter(), capabilities: { tools: {} } },
  );
  for (const { name, description, input, output, run } of tools) {
    const schemas = output === undefined ? { schema: input } : { schema: input, outputSchema: output };
    mcp.tool({ name, description, ...schemas }, (args) => resultOf(run(args), output));
  }
  const transport = new HttpTransport(mcp, { path: "/mcp" });
  const server = createServer(
    getRequestListener(
      async (request) => (await transport.respond(request)) ?? new Response(null, { status: 404 }),
    ),
  );
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port };
}
