import { once } from "node:events";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { serve } from "@hono/node-server";
import express, { type Express } from "express";
import fastify from "fastify";
import { MCPServer } from "gantry-mcp";
import { Hono } from "hono";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { start as startExpress } from "../../examples/mounting/express.ts";
import { start as startFastify } from "../../examples/mounting/fastify.ts";
import { start as startHono } from "../../examples/mounting/hono.ts";
import { start as startNode } from "../../examples/mounting/node-http.ts";
import { capturedLog } from "../support/captured-log.ts";
import { type Answer, type Sending, send as sendRaw } from "../support/wire.ts";

const ERAS = ["modern", "legacy"] as const;

async function connect(url: string, era: (typeof ERAS)[number]): Promise<Client> {
  const client = new Client(
    { name: "mounting-test", version: "1.0.0" },
    { versionNegotiation: { mode: era === "modern" ? { pin: "2026-07-28" } : "legacy" } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

function send(url: string, { headers, ...request }: Sending): Promise<Answer> {
  const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  return sendRaw(url, { headers: { ...json, ...headers }, ...request });
}

const greeting = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: "greet", arguments: { name: "Ada" } },
});

const examples = { Hono: startHono, Express: startExpress, Fastify: startFastify, "node:http": startNode };

describe.each(Object.entries(examples))("the example under %s", (_name, start) => {
  let running: Awaited<ReturnType<typeof start>>;

  beforeAll(async () => {
    running = await start(0);
  });

  it.each(ERAS)("serves a %s client", async (era) => {
    const client = await connect(running.url, era);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["greet"]);
    const result = await client.callTool({ name: "greet", arguments: { name: "Ada" } });
    expect(result).toMatchObject({ content: [{ type: "text", text: "Hello, Ada!" }] });
    const refused = await client.callTool({ name: "greet", arguments: { name: 7 } });
    expect(refused).toMatchObject({ isError: true });
    await client.close();
  });

  it("leaves the app's own pages alone", async () => {
    const page = await fetch(new URL("/", running.url));
    expect(await page.text()).toBe("A page of your own.");
  });

  it("has nothing elsewhere", async () => {
    const answer = await fetch(new URL("/mcp/deeper", running.url), { method: "POST", body: greeting });
    expect(answer.status).toBe(404);
  });

  it("refuses a foreign Host and a foreign Origin", async () => {
    const foreignHost = await send(running.url, { headers: { host: "evil.example" }, body: greeting });
    expect(foreignHost).toMatchObject({ status: 403, text: expect.stringContaining("names a host") });
    const foreignOrigin = await send(running.url, {
      headers: { origin: "https://evil.example" },
      body: greeting,
    });
    expect(foreignOrigin).toMatchObject({ status: 403, text: expect.stringContaining("this Origin") });
  });

  it("lets pages of this machine in", async () => {
    const origin = "http://localhost:3000";
    const preflight = await send(running.url, { method: "OPTIONS", headers: { origin } });
    expect(preflight).toMatchObject({ status: 204, headers: { "access-control-allow-origin": origin } });
    const answer = await send(running.url, { headers: { origin }, body: greeting });
    expect(answer).toMatchObject({ status: 200, headers: { "access-control-allow-origin": origin } });
  });

  it("reads bodies strictly", async () => {
    const twice = greeting.replace('"id":1', '"id":1,"id":2');
    expect(await send(running.url, { body: twice })).toMatchObject({
      status: 400,
      text: expect.stringContaining("An object has the same key twice."),
    });
    expect(await send(running.url, { body: "{" })).toMatchObject({
      status: 400,
      text: expect.stringContaining("The body is not valid JSON."),
    });
    expect(
      await send(running.url, { body: greeting, headers: { "content-type": "text/plain" } }),
    ).toMatchObject({
      status: 415,
      text: expect.stringContaining("the Content-Type must be application/json"),
    });
    expect(await send(running.url, { body: " ".repeat(1_048_577) })).toMatchObject({ status: 413 });
  });

  it("answers GET by what to do", async () => {
    const answer = await send(running.url, { method: "GET" });
    expect(answer).toMatchObject({ status: 405, headers: { allow: "POST" } });
  });

  it("carries the caller's request id", async () => {
    const answer = await send(running.url, { headers: { "x-request-id": "abc-1" }, body: greeting });
    expect(answer.headers["x-request-id"]).toBe("abc-1");
  });

  it("runs its shutdown hooks once, when the app ends", async () => {
    const ended: string[] = [];
    running.server.onShutdown(() => ended.push("hook"));
    await running.close();
    await running.server.close();
    expect(ended).toEqual(["hook"]);
  });
});

describe("behind what others do with a request first", () => {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const closing of open.splice(0)) await closing.close();
  });

  function greeter(options: Partial<ConstructorParameters<typeof MCPServer>[0]> = {}): MCPServer {
    const server = new MCPServer({ name: "greeter", version: "1.0.0", ...options });
    server.tool(
      "greet",
      { description: "Greet somebody by name.", input: z.object({ name: z.string() }) },
      ({ name }) => `Hello, ${name}!`,
    );
    open.push(server);
    return server;
  }

  async function listening(http: Server): Promise<string> {
    await once(http, "listening");
    open.push(http);
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  }

  const under = (app: Express) => listening(app.listen(0, "127.0.0.1"));

  /** What the tool answers in either era. */
  async function greets(url: string): Promise<readonly string[]> {
    const answers: string[] = [];
    for (const era of ERAS) {
      const client = await connect(url, era);
      const { content } = await client.callTool({ name: "greet", arguments: { name: "Ada" } });
      answers.push(...content.map((block) => ("text" in block ? block.text : block.type)));
      await client.close();
    }
    return answers;
  }
  const GREETED = ["Hello, Ada!", "Hello, Ada!"];

  it.each([
    ["express.json()", express.json()],
    ["express.raw()", express.raw({ type: "*/*" })],
    ["express.text()", express.text({ type: "*/*" })],
  ])("serves behind %s", async (_name, parser) => {
    const app = express();
    app.use(parser);
    app.all("/mcp", greeter().node);
    expect(await greets(`${await under(app)}/mcp`)).toEqual(GREETED);
  });

  it("refuses what is wrong with a parsed body as far as it can be seen", async () => {
    const app = express();
    app.use(express.json());
    app.all("/mcp", greeter().node);
    const url = `${await under(app)}/mcp`;
    const deep = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${"[".repeat(70)}${"]".repeat(70)}}}`;
    expect(await send(url, { body: deep })).toMatchObject({
      status: 400,
      text: expect.stringContaining("nested deeper than 64 levels"),
    });
    expect(await send(url, { body: greeting.replace('"Ada"', '{"__proto__":1}') })).toMatchObject({
      status: 400,
      text: expect.stringContaining('The key \\"__proto__\\" is not allowed.'),
    });
    expect(await send(url, { body: "[]" })).toMatchObject({ status: 400 });
  });

  it("fires the signal of a call whose client hangs up behind a parser", async () => {
    const server = greeter();
    const seen = new Promise<string>((resolve) => {
      server.tool("wait", { description: "Waits." }, async (_args, { signal }) => {
        signal.addEventListener("abort", () => resolve(String(signal.reason)));
        resolve(await sleep(5_000, "not cancelled", { signal }).catch(() => "aborted"));
      });
    });
    const app = express();
    app.use(express.json());
    app.all("/mcp", server.node);
    const url = `${await under(app)}/mcp`;
    const hangUp = new AbortController();
    const request = fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "wait" } }),
      signal: hangUp.signal,
    });
    setTimeout(() => hangUp.abort(), 100);
    await expect(request).rejects.toThrow("aborted");
    expect(await seen).toContain("The client disconnected.");
  });

  it("serves where Express mounts it on a path, and under a router", async () => {
    const app = express();
    app.use("/mcp", greeter().node);
    const router = express.Router();
    router.use("/tools", greeter({ http: { path: "/api/tools" } }).node);
    app.use("/api", router);
    const origin = await under(app);
    expect(await greets(`${origin}/mcp`)).toEqual(GREETED);
    expect(await greets(`${origin}/api/tools`)).toEqual(GREETED);
    expect((await fetch(`${origin}/mcp/deeper`, { method: "POST" })).status).toBe(404);
  });

  it("serves health where it is the app's last handler", async () => {
    const server = greeter();
    server.readiness("database", () => true);
    const app = express();
    app.get("/", (_request, response) => void response.send("mine"));
    app.use(server.node);
    const origin = await under(app);
    expect(await (await fetch(`${origin}/health/live`)).json()).toEqual({ status: "live" });
    const ready = await fetch(`${origin}/health/ready`);
    expect(await ready.json()).toEqual({ status: "ready", checks: { database: "ok" } });
    await server.close();
    expect((await fetch(`${origin}/health/ready`)).status).toBe(503);
  });

  it("serves behind Fastify's parser when it is given the parsed body", async () => {
    const server = greeter();
    const app = fastify();
    app.all("/mcp", (request, reply) => {
      reply.hijack();
      server.node(Object.assign(request.raw, { body: request.body }), reply.raw);
    });
    open.push(app);
    expect(await greets(`${await app.listen({ port: 0, host: "127.0.0.1" })}/mcp`)).toEqual(GREETED);
  });

  it("says what to do where a body is gone", async () => {
    const log = capturedLog();
    const server = greeter({ logger: log.logger });
    const app = fastify();
    app.all("/mcp", (request, reply) => {
      reply.hijack();
      server.node(request.raw, reply.raw);
    });
    open.push(app);
    const url = `${await app.listen({ port: 0, host: "127.0.0.1" })}/mcp`;
    expect(await send(url, { body: greeting })).toMatchObject({
      status: 500,
      text: expect.stringContaining("An internal error occurred."),
    });
    expect(log.entries()).toMatchObject([
      { level: "error", message: expect.stringContaining("mount server.node before whatever parses bodies") },
    ]);
  });

  it("says so under Hono, too", async () => {
    const errors: string[] = [];
    const server = greeter();
    const app = new Hono();
    app.use(async (c, next) => {
      await c.req.json();
      await next();
    });
    app.all("/mcp", (c) => server.fetch(c.req.raw));
    app.onError((error, c) => {
      errors.push(error.message);
      return c.text("failed", 500);
    });
    const origin = await listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server);
    expect(await send(`${origin}/mcp`, { body: greeting })).toMatchObject({ status: 500 });
    expect(errors).toEqual([expect.stringContaining("mount server.fetch before whatever reads bodies")]);
  });

  it("answers 500 and logs why where it cannot start", async () => {
    const log = capturedLog();
    const server = greeter({ logger: log.logger });
    server.onStartup(() => {
      throw new Error("no database");
    });
    const url = `${await listening(createServer(server.node).listen(0, "127.0.0.1"))}/mcp`;
    expect(await send(url, { body: greeting })).toMatchObject({ status: 500, text: "" });
    expect(log.entries()).toMatchObject([
      { level: "error", message: "The server could not start", err: { message: "no database" } },
    ]);
  });
});
