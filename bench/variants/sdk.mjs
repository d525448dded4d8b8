// The official SDK as documented: a factory that builds an McpServer for each request, schemas hoisted, served by
// the SDK's adapter for node:http. Tokens go through its bearer check, whose verifier is the author's: here jose.
import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer, verifyBearerToken } from "@modelcontextprotocol/server";
import { resultOf } from "../results.mjs";
import { verifyWithJose } from "../verify.mjs";

const verifier = {
  async verifyAccessToken(token) {
    const { client_id: clientId, scope, exp: expiresAt } = await verifyWithJose(token);
    return { token, clientId, scopes: scope.split(" "), expiresAt };
  },
};

/** Handles requests whose token holds. */
const identifying = (handle) => async (request, response) => {
  try {
    request.auth = await verifyBearerToken(request.headers.authorization, { verifier });
  } catch {
    response.writeHead(401).end();
    return;
  }
  await handle(request, response);
};

export async function start({ tools, identified }) {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: "bench", version: "1.0.0" });
    for (const { name, description, input, output, run } of tools) {
      const schemas =
        output === undefined ? { inputSchema: input } : { inputSchema: input, outputSchema: output };
      server.registerTool(name, { description, ...schemas }, (args) => resultOf(run(args), output));
    }
    return server;
  });
  const handle = toNodeHandler(handler);
  const server = createServer(identified ? identifying(handle) : handle);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port };
}
