/** A server that logs as much as it is told to, in a process of its own. */

import { MCPServer, createLogger, logging } from "gantry-mcp";
import { answerParent, memory } from "./own-process.ts";

const logger = createLogger();
const server = new MCPServer({ name: "chatty", version: "1.0.0", logger })
  .use(logging())
  .tool("echo", { description: "Answers." }, () => "here");

const { port } = await server.run({ transport: "http", port: 0, signals: false });

const answers = {
  memory,
  log: ({ lines, length }: { readonly lines: number; readonly length: number }) => {
    const text = "x".repeat(length);
    const started = performance.now();
    for (let i = 0; i < lines; i++) logger.info({ i, text }, "much");
    return performance.now() - started;
  },
};

export type Answers = typeof answers;

answerParent(answers, port);
