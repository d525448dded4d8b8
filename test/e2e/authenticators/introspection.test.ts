import { type IntrospectionOptions, introspectionAuth } from "gantry-mcp";
import type { ServerResponse } from "node:http";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { Authority } from "../../support/authority.ts";
import { Door } from "../../support/door.ts";

const secret = "of-the-task-api";
const audience = "https://tasks.example.com/mcp";

const open: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(open.map((each) => each.close())));

interface Introspected {
  readonly door: Door;
  readonly authority: Authority;
  /** How often the authorization server was asked. */
  readonly asked: () => number;
}

/** A server behind the introspection endpoint of an authorization server that answers with what `say` gives. */
async function introspected(
  say: (token: string) => object,
  options: Partial<IntrospectionOptions> = {},
): Promise<Introspected> {
  const authority = await Authority.start();
  authority.serve("/introspect", ({ body }, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(say(new URLSearchParams(body).get("token") ?? "")));
  });
  const given = "discovery" in options ? {} : { endpoint: `${authority.issuer}/introspect` };
  const door = await Door.open(
    introspectionAuth({
      clientId: "task-api",
      clientSecret: secret,
      audience,
      ...given,
      ...options,
    } as never),
  );
  open.push(door, authority);
  return { door, authority, asked: () => authority.count("/introspect") };
}

const now = () => Math.floor(Date.now() / 1_000);
const good = { active: true, sub: "agent-prod", aud: audience, exp: now() + 3_600 };

describe("a server behind token introspection", () => {
  it("is told by the authorization server who calls", async () => {
    const { door, authority } = await introspected(() => ({
      ...good,
      iss: "https://id.example.com",
      client_id: "cli",
      scope: "tasks:read tasks:write",
      roles: ["admin"],
      tenant_id: "acme",
    }));
    const { status, client } = await door.ask("opaque-1");
    expect({ status, client }).toMatchObject({
      status: 200,
      client: {
        clientId: "agent-prod",
        subject: "agent-prod",
        issuer: "https://id.example.com",
        roles: ["admin"],
        scopes: ["tasks:read", "tasks:write"],
        tenantId: "acme",
      },
    });
    expect(authority.asked).toMatchObject([
      {
        method: "POST",
        path: "/introspect",
        headers: {
          // Both are form-encoded before (RFC 6749, section 2.3.1).
          authorization: `Basic ${Buffer.from("task%2Dapi:of%2Dthe%2Dtask%2Dapi").toString("base64")}`,
          "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
        },
        body: "token=opaque-1",
      },
    ]);
  });

  it("asks once for a token that it has asked about, and once for many that arrive together", async () => {
    const { door, asked } = await introspected(() => good);
    const many = await Promise.all(Array.from({ length: 20 }, () => door.ask("opaque-1")));
    expect(many.every(({ status }) => status === 200)).toBe(true);
    await door.ask("opaque-1");
    expect(asked()).toBe(1);
  });

  it("refuses tokens that are not active, in words that help", async () => {
    const { door } = await introspected(() => ({ active: false }));
    expect(await door.ask("revoked")).toEqual({
      status: 401,
      message: "Token not active",
      suggestion: "Request a new authentication token",
      challenge: 'Bearer error="invalid_token", error_description="Token not active"',
    });
  });

  it("asks nobody where there is no token", async () => {
    const { door, authority } = await introspected(() => good);
    expect(await door.ask()).toMatchObject({ status: 401, message: "Missing authentication token" });
    expect(authority.asked).toEqual([]);
  });
});

describe("what the authorization server says of a token", () => {
  it.each<[string, string, object]>([
    ["that it has expired", "Token expired", { exp: now() - 60 }],
    ["that it is not yet valid", "Token not yet valid", { nbf: now() + 60 }],
    ["that it is for others", "Token audience not accepted", { aud: "https://other.example.com" }],
    ["nothing of whom it is for", "Token audience not accepted", { aud: undefined }],
    ["an expiry in words", "Invalid 'exp' claim", { exp: "tomorrow" }],
    ["a subject that is none", "Invalid 'sub' claim", { sub: { id: 1 } }],
    ["that it refreshes others", "Not an access token", { token_type: "refresh_token" }],
    ["that it identifies a user", "Not an access token", { token_use: "id" }],
    ["that it is bound to a key", "Not an access token", { token_type: "DPoP" }],
  ])("counts: %s", async (_, message, said) => {
    const { door } = await introspected(() => ({ ...good, ...said }));
    expect(await door.ask("opaque")).toMatchObject({ status: 401, message });
  });

  it.each<[string, object]>([
    ["no expiry", { exp: undefined }],
    ["no subject", { sub: undefined, client_id: "agent-prod" }],
    ["a bearer token", { token_type: "Bearer" }],
    ["what nobody knows", { token_type: "urn:x", "x-other": { y: 1 } }],
  ])("may be %s", async (_, said) => {
    const { door } = await introspected(() => ({ ...good, ...said }));
    expect((await door.ask("opaque")).client?.clientId).toBe("agent-prod");
  });

  it("is read with the claims that the author names", async () => {
    const options = { rolesClaim: "realm_access.roles", tenantClaim: "org" };
    const said = { ...good, realm_access: { roles: ["admin"] }, org: "acme" };
    const { door } = await introspected(() => said, options);
    expect((await door.ask("opaque")).client).toMatchObject({ roles: ["admin"], tenantId: "acme" });
  });
});

describe("an answer is believed", () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1_000);
  const start = (say: () => object, options: Partial<IntrospectionOptions> = {}) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    return introspected(say, options);
  };

  it("for a minute: so long a revoked token passes", async () => {
    let answer: object = good;
    const { door, asked } = await start(() => answer);
    expect((await door.ask("opaque")).status).toBe(200);
    answer = { active: false };
    pass(59);
    expect((await door.ask("opaque")).status).toBe(200);
    pass(2);
    expect((await door.ask("opaque")).message).toBe("Token not active");
    expect(asked()).toBe(2);
  });

  it("never past the expiry of the token", async () => {
    const exp = Math.floor(Date.now() / 1_000) + 10;
    const { door, asked } = await start(() => ({ ...good, exp }), { leeway: 0 });
    expect((await door.ask("opaque")).status).toBe(200);
    pass(5);
    expect((await door.ask("opaque")).status).toBe(200);
    expect(asked()).toBe(1);
    pass(6);
    expect((await door.ask("opaque")).message).toBe("Token expired");
    expect(asked()).toBe(2);
  });

  it("for as long as the author says, or not at all", async () => {
    const short = await start(() => good, { believedFor: "10s" });
    await short.door.ask("opaque");
    pass(11);
    await short.door.ask("opaque");
    expect(short.asked()).toBe(2);
    const never = await start(() => good, { believedFor: 0 });
    await never.door.ask("opaque");
    await never.door.ask("opaque");
    expect(never.asked()).toBe(2);
  });

  it("only where the token is active: what is not may be by and by", async () => {
    let answer: object = { active: false };
    const { door } = await start(() => answer);
    expect((await door.ask("opaque")).status).toBe(401);
    answer = good;
    expect((await door.ask("opaque")).status).toBe(200);
  });
});

describe("where the authorization server does not answer properly", () => {
  const canary = "canary-of-an-opaque-token";
  const json = { "content-type": "application/json" };
  const cannotTell = {
    message: "Credentials cannot be verified at the moment",
    suggestion: "Try again in a few seconds.",
    retryable: true,
  };

  it.each<[string, (response: ServerResponse, token: string) => unknown]>([
    ["a closed connection", (response) => response.destroy()],
    ["a page for people", (response) => response.end("<!doctype html>")],
    ["no JSON", (response, token) => response.writeHead(200, json).end(`{"active":true,${token}`)],
    ["a list", (response) => response.writeHead(200, json).end("[]")],
    ["nothing", (response) => response.writeHead(204).end()],
    ["no verdict", (response) => response.writeHead(200, json).end("{}")],
    ["a verdict in words", (response) => response.writeHead(200, json).end('{"active":"true"}')],
    ["a verdict in numbers", (response) => response.writeHead(200, json).end('{"active":1}')],
    ["an error", (response) => response.writeHead(500, json).end("{}")],
    [
      "that it knows the server not",
      (response, token) => response.writeHead(401, { "www-authenticate": `Basic realm="${token}"` }).end(),
    ],
    [
      "an error of OAuth",
      (response, token) =>
        response.writeHead(400, json).end(JSON.stringify({ error: token, error_description: token })),
    ],
    ["an active token with an error", (response) => response.writeHead(403, json).end(JSON.stringify(good))],
    ["a redirect", (response) => response.writeHead(307, { location: "/elsewhere" }).end()],
    [
      "a megabyte",
      (response) => response.writeHead(200, json).end(JSON.stringify({ ...good, x: "x".repeat(1_048_576) })),
    ],
    [
      "a signed answer that nobody asked for",
      (response) =>
        response.writeHead(200, { "content-type": "application/token-introspection+jwt" }).end("a.b.c"),
    ],
  ])("nobody gets in: %s", async (_, fail) => {
    const { door, authority } = await introspected(() => good);
    authority.serve("/elsewhere", good);
    authority.serve("/introspect", ({ body }, response) => void fail(response, body));
    expect(await door.ask(canary)).toMatchObject(cannotTell);
    expect(authority.asked.map(({ path }) => path)).toEqual(["/introspect"]);
    // Who runs the server learns why, and nobody the token.
    expect(door.log.entries()).toMatchObject([
      { level: "warn", err: { message: expect.stringContaining(`${authority.issuer}/introspect failed: `) } },
    ]);
    expect(JSON.stringify(door.log.entries())).not.toContain(canary);
  });

  it("known tokens hold on, and others as soon as it is back", async () => {
    const { door, authority } = await introspected(() => good);
    expect((await door.ask("known")).status).toBe(200);
    authority.serve("/introspect", (_, response) => response.destroy());
    expect((await door.ask("known")).client?.clientId).toBe("agent-prod");
    expect(await door.ask("other")).toMatchObject(cannotTell);
    authority.serve("/introspect", good);
    expect((await door.ask("other")).client?.clientId).toBe("agent-prod");
  });

  it("five seconds are waited for it", async () => {
    const { door, authority } = await introspected(() => good);
    authority.serve("/introspect", () => {});
    expect(await door.ask(canary)).toMatchObject(cannotTell);
  });
});

describe("the endpoint of an issuer", () => {
  it("is where its metadata say, and the issuer of its tokens is known", async () => {
    const authority = await Authority.start();
    const { issuer } = authority;
    const { door } = await introspected(() => good, { discovery: issuer });
    open.push(authority);
    expect(await door.ask("opaque")).toMatchObject({ retryable: true });
    const endpoint = { issuer, introspection_endpoint: `${issuer}/introspect` };
    authority.serve("/.well-known/oauth-authorization-server", endpoint).serve("/introspect", good);
    expect((await door.ask("opaque")).client).toMatchObject({ clientId: "agent-prod", issuer });
    authority.serve("/introspect", { ...good, iss: "https://other.example.com" });
    expect(await door.ask("other")).toMatchObject({ message: "Token issuer not accepted" });
    expect(authority.count("/.well-known/oauth-authorization-server")).toBe(2);
  });
});

describe("the secret", () => {
  it("may be sent in the body", async () => {
    const { door, authority } = await introspected(() => good, { secretIn: "body" });
    await door.ask("opaque");
    const [asked] = authority.asked;
    expect(asked?.body).toBe(`token=opaque&client_id=task-api&client_secret=${secret}`);
    expect(asked?.headers).not.toHaveProperty("authorization");
  });
});

describe("options that cannot be meant", () => {
  const endpoint = "https://id.example.com/introspect";
  const said = (options: object): string => {
    try {
      introspectionAuth({ endpoint, clientId: "task-api", clientSecret: secret, ...options });
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };

  it.each<[string, object, string]>([
    ["two places", { discovery: "https://id.example.com" }, "exactly one of endpoint and discovery"],
    ["an endpoint in the clear", { endpoint: "http://id.example.com/x" }, "endpoint needs an https: URL"],
    ["an endpoint that is no URL", { endpoint: "id.example.com" }, "endpoint needs an https: URL"],
    ["no secret", { clientSecret: undefined }, "clientSecret is empty. Is its environment variable set?"],
    ["no client", { clientId: "" }, "clientId is empty"],
    ["another place for the secret", { secretIn: "query" }, 'secretIn can be "header" or "body"'],
    ["a long belief", { believedFor: "10m" }, 'believedFor can be at most "60s"'],
    ["an unknown option", { audiences: ["x"] }, 'Did you mean "audience"?'],
    ["an empty audience", { audience: [] }, "audience is empty"],
  ])("are refused: %s", (_, options, message) => {
    expect(said(options)).toContain(message);
    expect(said(options)).not.toContain(secret);
  });
});
