// tmcp with its HTTP transport, behind the lightest maintained adapter from web requests to node:http. Who calls goes
// with each request as its context, verified by jose.
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { ZodJsonSchemaAdapter } from "@tmcp/adapter-zod";
import { HttpTransport } from "@tmcp/transport-http";
import { McpServer } from "tmcp";
import { resultOf } from "../results.mjs";
import { verifyWithJose } from "../verify.mjs";

/** Responds to requests whose token holds. */
const identifying = (transport) => async (request) => {
  const [, token] = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
  let caller;
  try {
    caller = await verifyWithJose(token);
  } catch {
    return new Response(null, { status: 401 });
  }
  return transport.respond(request, { caller });
};

export async function start({ tools, identified }) {
  const mcp = new McpServer(
    { name: "bench", version: "1.0.0", description: "bench" },
    { adapter: new ZodJsonSchemaAdapter(), capabilities: { tools: {} } },
  );
  for (const { name, description, input, output, run } of tools) {
    const schemas = output === undefined ? { schema: input } : { schema: input, outputSchema: output };
    mcp.tool({ name, description, ...schemas }, (args) => resultOf(run(args), output));
  }
  const transport = new HttpTransport(mcp, { path: "/mcp" });
  const respond = identified ? identifying(transport) : (request) => transport.respond(request);
  const server = createServer(
    getRequestListener(async (request) => (await respond(request)) ?? new Response(null, { status: 404 })),
  );
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port };
}
