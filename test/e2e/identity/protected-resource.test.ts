/** What clients learn of a protected resource: its metadata, and what refusals ask for (RFC 9728, RFC 6750). */

import { SignJWT } from "jose";
import {
  type AuthenticateOptions,
  AuthenticationError,
  type Authenticator,
  MCPServer,
  anyOf,
  authenticate,
  hasAllScopes,
  hasScope,
  jwtAuth,
} from "gantry-mcp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { listen } from "../../support/listening.ts";
import { type Answer, META, modernHeaders, send } from "../../support/wire.ts";

const RESOURCE = "https://tasks.example.com/mcp";
const ISSUER = "https://id.example.com";
const METADATA = "https://tasks.example.com/.well-known/oauth-protected-resource/mcp";
const SECRET = "a secret of this test, 32 bytes or more";
const jwt = jwtAuth({ secret: SECRET, issuer: ISSUER, audience: RESOURCE });

const OPTIONS: AuthenticateOptions = {
  resource: RESOURCE,
  authorizationServers: [ISSUER],
  scopesSupported: ["tasks:read"],
  resourceName: "Tasks of the team",
  scopeHierarchy: { admin: ["tasks:admin"], "tasks:admin": ["tasks:read", "tasks:write"] },
};

let calls = 0;

function taskServer(options: AuthenticateOptions = OPTIONS): MCPServer {
  const ran = () => `${++calls}`;
  return new MCPServer({ name: "task-api", version: "1.0.0" })
    .use(authenticate(jwt, options))
    .tool("health_check", { description: "Check.", public: true }, () => "healthy")
    .tool("read", { description: "Read.", scopes: ["tasks:read"] }, ran)
    .tool("files", { description: "Read files.", scopes: ["files:read"] }, ran)
    .tool("move", { description: "Move.", scopes: ["tasks:read", "tasks:write", "tasks:move"] }, ran)
    .tool("either", { description: "Either.", guards: [anyOf(hasScope("a"), hasAllScopes("b", "c"))] }, ran)
    .tool("ours", { description: "Ours.", scopes: ["tasks:read"], tenant: "acme" }, ran)
    .resource(
      "tasks://{id}",
      {
        name: "task",
        description: "A task.",
        scopes: ["tasks:read", "tasks:write"],
        complete: { id: () => ["1"] },
      },
      ran,
    )
    .prompt(
      "plan",
      {
        description: "Plan.",
        scopes: ["tasks:read", "tasks:write"],
        input: z.object({ day: z.string() }),
        complete: { day: () => ["today"] },
      },
      ran,
    );
}

let url: string;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  const running = await listen(taskServer());
  url = running.url;
  closing.push(() => running.close());
});

afterAll(async () => {
  for (const close of closing) await close();
});

const bearer = async (scope = "", claims = {}) => ({
  authorization: `Bearer ${await jwt.issue({ sub: "agent", scope, ...claims })}`,
});

/** Sends one request of either era. */
function ask(
  era: "modern" | "legacy",
  method: string,
  params: object,
  headers: Readonly<Record<string, string>> = {},
  to = url,
): Promise<Answer> {
  const { uri, name = uri } = params as { readonly name?: string; readonly uri?: string };
  return send(to, {
    headers: {
      ...(era === "modern"
        ? modernHeaders(method, name)
        : { "content-type": "application/json", accept: "application/json, text/event-stream" }),
      "x-request-id": "req-1",
      ...headers,
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method,
      params: { ...params, ...(era === "modern" && { _meta: META }) },
    }),
  });
}

const call = (name: string, headers?: Readonly<Record<string, string>>) =>
  ask("modern", "tools/call", { name }, headers);

/** The parameters of a challenge, read by the grammar of RFC 9110, section 11.6.1. */
function challengeIn({ headers }: Answer): Record<string, string> {
  const header = headers["www-authenticate"] ?? "";
  expect(header).toMatch(/^Bearer(?: [a-z_]+="(?:[^"\\]|\\.)*"(?:, [a-z_]+="(?:[^"\\]|\\.)*")*)?$/);
  return Object.fromEntries(
    [...header.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}

describe("the metadata", () => {
  const WELL_KNOWN = "/.well-known/oauth-protected-resource";

  test.each([`${WELL_KNOWN}/mcp`, WELL_KNOWN])("are at %s, for everybody", async (path) => {
    const answer = await send(url, { method: "GET", path, headers: { origin: "https://app.example.com" } });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
    expect(answer.json).toEqual({
      resource: RESOURCE,
      authorization_servers: [ISSUER],
      scopes_supported: ["tasks:read"],
      bearer_methods_supported: ["header"],
      resource_name: "Tasks of the team",
    });
    for (const method of ["POST", "PUT", "DELETE"]) {
      const { status, headers } = await send(url, { method, path });
      expect([status, headers.allow]).toEqual([405, "GET"]);
    }
    expect((await send(url, { method: "HEAD", path })).status).toBe(200);
  });

  test("are once where the resource is a host", async () => {
    const root = jwtAuth({ secret: SECRET, issuer: ISSUER, audience: "https://tasks.example.com" });
    const server = new MCPServer({ name: "task-api", version: "1.0.0", http: { path: "/" } }).use(
      authenticate(root, { resource: "https://tasks.example.com", authorizationServers: [ISSUER] }),
    );
    const running = await listen(server);
    closing.push(() => running.close());
    const at = (path: string) => send(running.url, { method: "GET", path });
    expect((await at(WELL_KNOWN)).json).toMatchObject({ resource: "https://tasks.example.com" });
    expect((await at(`${WELL_KNOWN}/mcp`)).status).toBe(404);
  });

  test("are not there where no resource is named, and challenges do not speak of them", async () => {
    const running = await listen(taskServer({}));
    closing.push(() => running.close());
    expect((await send(running.url, { method: "GET", path: WELL_KNOWN })).status).toBe(404);
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "read" } });
    const headers = { "content-type": "application/json" };
    const answer = await send(running.url, { headers, body });
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([401, 'Bearer scope="tasks:read"']);
    const known = await send(running.url, { headers: { ...headers, ...(await bearer()) }, body });
    expect([known.status, known.headers["www-authenticate"]]).toEqual([200, undefined]);
    expect(known.text).toContain("ACCESS_DENIED");
  });

  test("are one document, though two layers name the resource", async () => {
    const again = new MCPServer({ name: "more", version: "1.0.0" }).use(authenticate(jwt, OPTIONS));
    const running = await listen(
      taskServer().mount(again.tool("more", { description: "More." }, () => "more")),
    );
    closing.push(() => running.close());
    expect((await send(running.url, { method: "GET", path: WELL_KNOWN })).status).toBe(200);
  });
});

describe.each(["modern", "legacy"] as const)("challenges, %s", (era) => {
  const OPERATIONS = [
    ["tools/call", { name: "move" }, "tasks:read tasks:write tasks:move"],
    ["resources/read", { uri: "tasks://1" }, "tasks:read tasks:write"],
    ["prompts/get", { name: "plan", arguments: { day: "today" } }, "tasks:read tasks:write"],
    [
      "completion/complete",
      { ref: { type: "ref/prompt", name: "plan" }, argument: { name: "day", value: "" } },
      "tasks:read tasks:write",
    ],
    [
      "completion/complete",
      { ref: { type: "ref/resource", uri: "tasks://{id}" }, argument: { name: "id", value: "" } },
      "tasks:read tasks:write",
    ],
  ] as const;

  test.each(OPERATIONS)("%s %j without a token asks for one, with %s", async (method, params, scope) => {
    const answer = await ask(era, method, params);
    expect(answer.status).toBe(401);
    expect(challengeIn(answer)).toEqual({ scope, resource_metadata: METADATA });
  });

  test.each(OPERATIONS)("%s %j with a token that does not hold says why", async (method, params, scope) => {
    const answer = await ask(era, method, params, { authorization: "Bearer a.b.c" });
    expect(answer.status).toBe(401);
    expect(challengeIn(answer)).toEqual({
      error: "invalid_token",
      error_description: expect.any(String),
      scope,
      resource_metadata: METADATA,
    });
  });

  test.each(OPERATIONS)("%s %j with too few scopes names all at once", async (method, params, scope) => {
    const before = calls;
    const answer = await ask(era, method, params, await bearer("tasks:read"));
    expect(answer.status).toBe(403);
    expect(challengeIn(answer)).toEqual({ error: "insufficient_scope", scope, resource_metadata: METADATA });
    expect((await ask(era, method, params, await bearer(scope))).status).toBe(200);
    expect(calls - before).toBeLessThanOrEqual(1);
  });

  test("hold whatever is in a refusal or a scope: nothing ends their quotes or adds a header", async () => {
    const odd = 'x", scope="admin"\r\nset-cookie: a=b\\ \u00fc\u2028\u0000';
    const authenticator: Authenticator = {
      authenticate: ({ token }) => {
        if (token === "odd") throw new AuthenticationError(odd);
        return { clientId: "a" };
      },
    };
    const server = new MCPServer({ name: "odd", version: "1.0.0" })
      .use(authenticate(authenticator, OPTIONS))
      .tool("odd", { description: "Odd.", guards: [hasScope(odd)] }, () => "ran");
    const running = await listen(server);
    closing.push(() => running.close());
    for (const [token, status, members] of [
      ["odd", 401, ["error", "error_description", "scope", "resource_metadata"]],
      ["even", 403, ["error", "scope", "resource_metadata"]],
    ] as const) {
      const answer = await ask(era, "tools/call", { name: "odd" }, { authorization: token }, running.url);
      expect([answer.status, answer.headers["set-cookie"]]).toEqual([status, undefined]);
      expect(Object.keys(challengeIn(answer))).toEqual(members);
      expect(challengeIn(answer)["scope"]).toMatch(/^x', scope='admin'[^]*set-cookie: a=b/);
    }
  });

  test("are the same for the same request, a hundred times", async () => {
    const headers = await bearer("tasks:read");
    const seen = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const answer = await ask(era, "tools/call", { name: "move" }, headers);
      seen.add(JSON.stringify([answer.status, answer.headers["www-authenticate"], answer.text]));
    }
    expect(seen.size).toBe(1);
  });

  test("do not say in their bodies what is there", async () => {
    const answers = await Promise.all(
      ["read", "move", "nothing"].map((name) => ask(era, "tools/call", { name })),
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  });

  test("lists and handshakes need no token here, as something is public", async () => {
    const { json } = await ask(era, "tools/list", {});
    expect(json?.result).toMatchObject({ tools: [{ name: "health_check" }] });
  });
});

describe("scopes", () => {
  test("of one of several ways are asked for together, whichever is the shortest", async () => {
    expect(challengeIn(await call("either", await bearer("b"))).scope).toMatch(/^(?:a|b c)$/);
    expect((await call("either", await bearer("b c"))).status).toBe(200);
    expect((await call("either", await bearer("a"))).status).toBe(200);
  });

  test.each(["tasks:read", "tasks:admin", "admin"])("%s suffices to read, as declared", async (scope) => {
    expect((await call("read", await bearer(scope))).status).toBe(200);
  });

  test.each(["files:readwrite", "files", "files:*", "*", "FILES:READ", "tasks:admin", "file:read files"])(
    "%s does not suffice to read files: nothing is included by its spelling",
    async (scope) => {
      const answer = await call("files", await bearer(scope));
      expect([answer.status, challengeIn(answer).scope]).toEqual([403, "files:read"]);
    },
  );

  test("alone are no permission: what no scope mends is no challenge", async () => {
    const answer = await call("ours", await bearer("tasks:read", { tenant_id: "other" }));
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([200, undefined]);
    expect(answer.text).toContain("ACCESS_DENIED");
    expect((await call("ours", await bearer("tasks:read", { tenant_id: "acme" }))).text).not.toContain(
      "ACCESS_DENIED",
    );
  });
});

describe("tokens", () => {
  const signed = (aud: unknown) =>
    new SignJWT({ sub: "agent", scope: "tasks:read", aud: aud as string })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuer(ISSUER)
      .setExpirationTime("5m")
      .sign(new TextEncoder().encode(SECRET));

  test.each([
    [RESOURCE, 200],
    [["https://other.example.com", RESOURCE], 200],
    [undefined, 401],
    ["", 401],
    [[], 401],
    ["https://other.example.com/mcp", 401],
    [["https://other.example.com/mcp"], 401],
    [`${RESOURCE}/`, 401],
    [`${RESOURCE}x`, 401],
    ["https://tasks.example.com", 401],
    ["https://tasks.example.com/MCP", 401],
    ["HTTPS://TASKS.EXAMPLE.COM/mcp", 401],
    ["http://tasks.example.com/mcp", 401],
    ["https://tasks.example.com:443/mcp", 401],
    ["https://tasks.example.com.evil.example/mcp", 401],
    [` ${RESOURCE}`, 401],
    [1, 401],
    [{ [RESOURCE]: true }, 401],
    [[RESOURCE, 1], 401],
    [null, 401],
  ])("for %j are answered %i", async (audience, status) => {
    const answer = await call("read", { authorization: `Bearer ${await signed(audience)}` });
    expect(answer.status).toBe(status);
  });

  test("are not read from anywhere but the Authorization header", async () => {
    const token = await jwt.issue({ sub: "agent", scope: "tasks:read" });
    const params = {
      name: "read",
      _meta: { ...META, access_token: token, authorization: `Bearer ${token}` },
    };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
    const headers = modernHeaders("tools/call", "read");
    const places = await Promise.all([
      send(url, { path: `/mcp?access_token=${token}`, headers, body }),
      send(url, { path: `/mcp?token=${token}&authorization=Bearer%20${token}`, headers, body }),
      send(url, { headers: { ...headers, cookie: `access_token=${token}` }, body }),
      send(url, { headers: { ...headers, "x-access-token": token, "x-api-key": token }, body }),
      send(url, { headers: { ...headers, "proxy-authorization": `Bearer ${token}` }, body }),
      send(url, { headers: { ...headers, authorization: `Basic ${token}` }, body }),
    ]);
    expect(places.map(({ status }) => status)).toEqual(places.map(() => 401));
    // Of two headers nobody knows which counts.
    const twice = { ...headers, authorization: ["Bearer x", `Bearer ${token}`] };
    expect((await send(url, { headers: twice, body })).status).toBe(400);
    // Nor from the request before on the same connection.
    expect((await call("read", { authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await call("read")).status).toBe(401);
  });

  test("hold for the server by all spellings of its host", async () => {
    const headers = { ...(await bearer("tasks:read")), host: "TASKS.Example.com" };
    expect((await call("read", headers)).status).toBe(200);
    expect((await call("read", { ...headers, host: "other.example.com" })).status).toBe(403);
  });
});
