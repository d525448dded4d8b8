// Gantry from dist/, with the defaults an author gets.
import { MCPServer } from "gantry-mcp";

export async function start({ tools }) {
  const server = new MCPServer({ name: "bench", version: "1.0.0" });
  for (const { name, description, input, output, run } of tools) {
    server.tool(name, { description, input, ...(output === undefined ? {} : { output }) }, run);
  }
  return server.run({ transport: "http", port: 0 });
}
