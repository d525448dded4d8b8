import { MCPServer } from "gantry-mcp";
import { z } from "zod";

const server = new MCPServer({ name: "hello", version: "1.0.0" });

server.tool(
  "greet",
  {
    description: "Greet somebody by name.",
    input: z.object({ name: z.string().min(1) }),
  },
  ({ name }) => `Hello, ${name}!`,
);

await server.run({ transport: "http", port: 8080 });
