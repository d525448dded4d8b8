// Gantry from dist/, with the defaults an author gets.
import { MCPServer, authenticate, jwtAuth } from "gantry-mcp";
import { audience, issuer, secret } from "../token.mjs";

export async function start({ tools, identified }) {
  const server = new MCPServer({ name: "bench", version: "1.0.0" });
  if (identified) server.use(authenticate(jwtAuth({ secret, issuer, audience })));
  for (const { name, description, input, output, run } of tools) {
    server.tool(name, { description, input, ...(output === undefined ? {} : { output }) }, run);
  }
  return server.run({ transport: "http", port: 0 });
}
