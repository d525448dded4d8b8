/** Where the token endpoint may be, and who may call it. */

import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { MCPServer, authenticate, jwtAuth } from "gantry-mcp";
import { type Context, Hono } from "hono";
import { describe, expect, test, vi } from "vitest";
import { parseLog } from "../../support/captured-log.ts";
import { printedText } from "../../support/greetings.ts";
import { listen } from "../../support/listening.ts";
import { onSocket, send } from "../../support/wire.ts";
import { DrainProcess } from "../drain-process.ts";
import {
  AGENT,
  type Fetch,
  OPTIONS,
  answered,
  closing,
  jwt,
  listening,
  post,
  taskServer,
  tokens,
  whoami,
} from "./token-server.ts";

async function inHono(mounted: (server: MCPServer, c: Context) => Promise<Response>): Promise<Fetch> {
  const server = taskServer();
  const app = new Hono().all("*", (c) => mounted(server, c));
  const http = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
  await once(http, "listening");
  closing.push(
    () => server.close(),
    () => http.close(),
  );
  const { port } = http.address() as AddressInfo;
  return (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init);
}

describe("the token endpoint is for programs of this machine", () => {
  const FORBIDDEN = {
    error: "forbidden",
    message: "Only programs of the server's own machine may call this.",
  };

  test.each([
    ["another host", { host: "tasks.example.com" }],
    ["a name that is made to lead here", { host: "rebound.example.com:8080" }],
    ["a page of another origin", { origin: "https://evil.example.com" }],
    ["a sandboxed page", { origin: "null" }],
    ["behind a proxy", { "x-forwarded-for": "203.0.113.7" }],
    ["behind two proxies", { "x-forwarded-for": "127.0.0.1, 203.0.113.7" }],
    ["behind a proxy that hides it", { "x-forwarded-for": "unknown" }],
    ["behind a proxy of RFC 7239", { forwarded: "for=203.0.113.7" }],
  ])("a request from %s gets none", async (_who, headers) => {
    const { url, close } = await listen(taskServer());
    closing.push(close);
    const all = { "content-type": "application/json", ...headers };
    const answer = await send(url, { path: "/auth/token", headers: all, body: JSON.stringify(AGENT) });
    expect([answer.status, answer.json]).toEqual([403, FORBIDDEN]);
  });

  test.each([
    ["a page of this machine", { origin: "http://localhost:3000" }],
    ["a proxy of this machine", { "x-forwarded-for": "127.0.0.1, ::1, ::ffff:127.0.0.1" }],
    ["localhost", { host: "localhost:8080" }],
    ["IPv6", { host: "[::1]:8080" }],
  ])("a request from %s gets one", async (_who, headers) => {
    const { url, close } = await listen(taskServer());
    closing.push(close);
    const all = { "content-type": "application/json", ...headers };
    const answer = await send(url, { path: "/auth/token", headers: all, body: JSON.stringify(AGENT) });
    expect(answer.status).toBe(200);
    // A page may send, and what is answered is not for it to read.
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("a body that is too long is refused before it has come", async () => {
    const { url, close } = await listen(taskServer());
    closing.push(close);
    const head = "POST /auth/token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    const declared = await onSocket(url, `${head}content-length: 10000000\r\n\r\n{`, { enough: 1 });
    expect(declared.status).toBe(413);
    const chunk = `10000\r\n${" ".repeat(65_536)}\r\n`;
    const streamed = await onSocket(url, `${head}transfer-encoding: chunked\r\n\r\n${chunk}${chunk}`, {
      enough: 1,
    });
    expect(streamed.status).toBe(413);
  });

  test("in an app of Hono that tells of connections it gives tokens, and tools know the address", async () => {
    const to = await inHono((server, c) => server.fetch(c.req.raw, c.env));
    const { access_token: token } = await tokens(to);
    expect(await whoami(to, token)).toMatchObject({ address: "127.0.0.1" });
  });

  test.each<[string, (server: MCPServer, c: Context) => Promise<Response>]>([
    ["does not tell of connections", (server, c) => server.fetch(c.req.raw)],
    ["knows of none", (server, c) => server.fetch(c.req.raw, { incoming: null })],
  ])("in an app of Hono that %s it gives none", async (_what, mounted) => {
    const to = await inHono(mounted);
    expect(await answered(to("/auth/token", post(AGENT)))).toEqual({
      status: 403,
      body: {
        error: "forbidden",
        message:
          "Only programs of the server's own machine may call this, and where requests come from is not known. Mount the server by server.node, or by server.fetch(c.req.raw, c.env).",
      },
    });
  });

  test("comes along with the server that it belongs to", async () => {
    const outer = new MCPServer({ name: "all-apis", version: "1.0.0" }).mount(taskServer(), {
      prefix: "tasks",
    });
    const to = await listening(outer);
    expect((await to("/auth/token", post(AGENT))).status).toBe(200);
  });

  test("says that it is there when the server starts", async () => {
    await listening(taskServer());
    expect(printedText()).toContain(
      "  sign-in    POST /auth/token issues tokens to agent-prod, scoped, claimed: for development only",
    );
  });
});

describe("the token endpoint is refused at the start", () => {
  test.each([
    ["where others reach the server", {}, { host: "0.0.0.0" }],
    ["where clients know the server by a public name", { publicUrl: "https://tasks.example.com/mcp" }, {}],
  ])("%s", async (_where, http, run) => {
    const server = new MCPServer({
      name: "task-api",
      version: "1.0.0",
      http: { allowedHosts: ["tasks.example.com"], ...http },
    })
      .use(authenticate(jwt))
      .enableTokenEndpoint(jwt, OPTIONS);
    await expect(listen(server, run)).rejects.toThrow(
      "The token endpoint /auth/token is for programs of this machine, and the server is reached from others. Leave enableTokenEndpoint() out there, and take the tokens of an identity provider",
    );
  });

  test.each([
    ["run", (server: MCPServer) => listen(server)],
    ["fetch", (server: MCPServer) => server.fetch(new Request("http://localhost/auth/token", post(AGENT)))],
  ])("in production, by %s", async (_how, start) => {
    vi.stubEnv("NODE_ENV", "production");
    await expect(start(taskServer())).rejects.toThrow(
      "The token endpoint /auth/token is for development, and NODE_ENV is production.",
    );
  });

  test.each(["/mcp", "/health/live"])("at %s, where something else is", async (path) => {
    await expect(listen(taskServer({ path }))).rejects.toThrow(`Two things are at the path "${path}"`);
  });

  const server = () => new MCPServer({ name: "task-api", version: "1.0.0" });

  test("where the authenticator cannot sign", () => {
    const { publicKey } = generateKeyPairSync("ed25519");
    const verifier = jwtAuth({ publicKey: publicKey.export({ format: "pem", type: "spki" }) as string });
    // @ts-expect-error Who knows a public key alone cannot sign, and the compiler says so.
    expect(() => server().enableTokenEndpoint(verifier, OPTIONS)).toThrow(
      "enableTokenEndpoint(): the authenticator cannot sign tokens. Write jwtAuth({ secret: process.env.JWT_SECRET, … })",
    );
  });

  const SECRET = { secret: "agent-secret" };

  test.each<[string, object, string]>([
    ["no clients", { clients: {} }, "needs clients"],
    ["an unknown option", { client: {} }, 'unknown option "client". Did you mean "clients"?'],
    ["a client without a secret", { clients: { a: {} } }, 'the client "a" needs a name and a secret'],
    ["an empty secret", { clients: { a: { secret: "" } } }, 'the client "a" needs a name and a secret'],
    ["a client without a name", { clients: { "": SECRET } }, 'the client "" needs a name and a secret'],
    ["roles in one text", { clients: { a: { ...SECRET, roles: "admin" } } }, "has roles that are not names"],
    [
      "scopes in one text",
      { clients: { a: { ...SECRET, scopes: ["a b"] } } },
      "has scopes that are not valid",
    ],
    [
      "claims in one text",
      { clients: { a: { ...SECRET, claims: "x" } } },
      "has claims that are not an object",
    ],
    [
      "a tenant that is none",
      { clients: { a: { ...SECRET, tenantId: " " } } },
      "has a tenantId that is not a name",
    ],
    [
      "another audience",
      { clients: { a: { ...SECRET, claims: { aud: "x", exp: 1 } } } },
      "elsewhere: aud, exp",
    ],
    [
      "an unknown member",
      { clients: { a: { ...SECRET, role: [] } } },
      'unknown option "role". Did you mean "roles"?',
    ],
    ["tokens of a day", { expiresIn: "24h" }, 'expiresIn is "24h": write at least "1s" and at most "1h"'],
    ["tokens of no time", { expiresIn: 0 }, 'expiresIn is 0: write at least "1s" and at most "1h"'],
    ["a time that is none", { refreshExpiresIn: "long" }, 'refreshExpiresIn is "long"'],
    ["a path that is a pattern", { path: "/auth/:x" }, 'path is "/auth/:x": write a plain one'],
  ])("with %s", (_what, options, message) => {
    expect(() => server().enableTokenEndpoint(jwt, { ...OPTIONS, ...options })).toThrow(message);
  });

  test("twice, or late", async () => {
    const message = "enableTokenEndpoint() is called once, before run(), fetch, node or mount().";
    expect(() => taskServer().enableTokenEndpoint(jwt, OPTIONS)).toThrow(message);
    const started = server().use(authenticate(jwt));
    closing.push((await listen(started)).close);
    expect(() => started.enableTokenEndpoint(jwt, OPTIONS)).toThrow(message);
  });
});

test("on stdio nobody can ask for tokens: the server starts and says so", async () => {
  const server = new DrainProcess({ run: { transport: "stdio" }, tokens: true });
  closing.push(() => server.child.kill("SIGKILL"));
  await server.says("running");
  expect(parseLog(server.stderr)).toContainEqual(
    expect.objectContaining({
      level: "warn",
      path: "/auth/token",
      message: expect.stringContaining("Over stdio nobody can ask for tokens: sign the caller's yourself"),
    }),
  );
});
