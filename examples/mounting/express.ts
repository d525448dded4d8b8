/** A route of an Express app. */

import express from "express";
import { greeter, listening } from "./greeter.ts";

const server = greeter();

export async function start(port: number) {
  const app = express();
  app.all("/mcp", server.node); // before express.json(), so that bodies are read strictly
  app.use(express.json());
  app.get("/", (_request, response) => void response.send("A page of your own."));

  return listening(app.listen(port, "127.0.0.1"), server);
}

if (import.meta.filename === process.argv[1]) console.error(`MCP at ${(await start(8080)).url}`);
