/** A route of a Fastify app. */

import fastify from "fastify";
import { greeter } from "./greeter.ts";

const server = greeter();

export async function start(port: number) {
  const app = fastify();
  app.get("/", () => "A page of your own.");
  await app.register(async (mcp) => {
    mcp.removeAllContentTypeParsers(); // the body is left to the MCP server, which reads it strictly
    mcp.addContentTypeParser("*", (_request, _body, done) => done(null));
    mcp.all("/mcp", (request, reply) => {
      reply.hijack();
      server.node(request.raw, reply.raw);
    });
  });
  app.addHook("onClose", () => server.close());

  const origin = await app.listen({ port, host: "127.0.0.1" });
  return { server, url: `${origin}/mcp`, close: () => app.close() };
}

if (import.meta.filename === process.argv[1]) console.error(`MCP at ${(await start(8080)).url}`);
