import { type IntrospectionOptions, introspectionAuth } from "gantry-mcp";
import { afterAll, describe, expect, it } from "vitest";
import { Authority } from "../../support/authority.ts";
import { Door } from "../../support/door.ts";

const secret = "of-the-task-api";
const audience = "https://tasks.example.com/mcp";

const open: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(open.map((each) => each.close())));

/** A server behind the introspection endpoint of an authorization server that answers with what `say` gives. */
async function introspected(
  say: (token: string) => object,
  options: Partial<IntrospectionOptions> = {},
): Promise<{ readonly door: Door; readonly authority: Authority }> {
  const authority = await Authority.start();
  authority.serve("/introspect", ({ body }, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(say(new URLSearchParams(body).get("token") ?? "")));
  });
  const endpoint = `${authority.issuer}/introspect`;
  const door = await Door.open(
    introspectionAuth({ endpoint, clientId: "task-api", clientSecret: secret, audience, ...options }),
  );
  open.push(door, authority);
  return { door, authority };
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
    const { door, authority } = await introspected(() => good);
    const many = await Promise.all(Array.from({ length: 20 }, () => door.ask("opaque-1")));
    expect(many.every(({ status }) => status === 200)).toBe(true);
    await door.ask("opaque-1");
    expect(authority.count("/introspect")).toBe(1);
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
