/** A program that serves a hundred calls and then ends, or does not. `node --import tsx log-ending.ts exit|throw|stuck` */

import { MCPServer, createLogger, logging } from "gantry-mcp";
import { envelope } from "../support/wire.ts";

const logger = createLogger({ format: "json" });
const server = new MCPServer({ name: "ending", version: "1.0.0", logger })
  .use(logging({ kinds: ["tool"] }))
  .tool("echo", { description: "Answers." }, () => "here");

const call = () =>
  server.fetch(new Request("http://localhost/mcp", envelope("tools/call", { name: "echo" })));

await call();
logger.info({}, "before the calls");
await Promise.all(Array.from({ length: 100 }, call));

switch (process.argv[2]) {
  case "exit":
    logger.info({}, "after the calls");
    await Promise.all(Array.from({ length: 3 }, call));
    process.exit(7);
  // falls through
  case "throw":
    throw new Error("nobody catches this");
  case "stuck":
    for (;;);
}
