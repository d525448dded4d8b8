import { type Authenticator, MCPServer, authenticate, jwtAuth } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, it } from "vitest";

const secret = "of-thirty-two-bytes-and-a-few-more";

const present = (token: string | undefined) => ({ token, address: undefined, header: () => undefined });

/** What is said of a token: the caller, or the text of the refusal. */
async function verdict(authenticator: Authenticator, token: string) {
  try {
    return await authenticator.authenticate(present(token));
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
}

const base64url = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

describe("a token signed by a secret", () => {
  const jwt = jwtAuth({ secret });

  it("identifies its caller, with everything that it says", async () => {
    const claims = {
      sub: "agent-prod",
      roles: ["admin", "write"],
      scope: "tasks:read tasks:write",
      scp: ["files:read"],
      tenant_id: "acme",
      plan: "premium",
    };
    const client = await jwt.authenticate(present(await jwt.issue(claims)));
    expect(client).toMatchObject({
      clientId: "agent-prod",
      subject: "agent-prod",
      tenantId: "acme",
      claims: { plan: "premium" },
    });
    expect(client?.roles).toEqual(new Set(["admin", "write"]));
    expect(client?.scopes).toEqual(new Set(["tasks:read", "tasks:write", "files:read"]));
    expect(client?.expiresAt).toBeGreaterThan(Date.now() / 1_000 + 3_590);
  });

  it("names its caller by client_id where it has no sub, and otherwise unknown", async () => {
    expect(await verdict(jwt, await jwt.issue({ client_id: "batch" }))).toMatchObject({ clientId: "batch" });
    expect(await verdict(jwt, await jwt.issue({}))).toMatchObject({ clientId: "unknown" });
  });

  it("has one role where roles is a text, and not one for each letter", async () => {
    const client = await jwt.authenticate(present(await jwt.issue({ roles: "admin" })));
    expect(client?.roles).toEqual(new Set(["admin"]));
  });

  it("is refused in the guide's words", async () => {
    const [header = "", payload = "", signature = ""] = (await jwt.issue({ sub: "a" })).split(".");
    const unsigned = (alg: string) => `${base64url({ alg, typ: "JWT" })}.${payload}.${signature}`;
    expect(await verdict(jwt, `${header}.${payload}`)).toBe("Malformed JWT token");
    expect(await verdict(jwt, `${base64url("[]")}.${payload}.${signature}`)).toBe("Invalid JWT header");
    expect(await verdict(jwt, unsigned("none"))).toBe(
      "Unsupported JWT algorithm: 'none'. Only HS256 is accepted.",
    );
    expect(await verdict(jwt, unsigned("RS256"))).toBe(
      "Unsupported JWT algorithm: 'RS256'. Only HS256 is accepted.",
    );
    expect(await verdict(jwt, `${header}.${payload}.${signature}=`)).toBe("Invalid JWT signature encoding");
    const foreign = jwtAuth({ secret: "another-secret-of-32-bytes-or-more" });
    expect(await verdict(jwt, await foreign.issue({ sub: "a" }))).toBe("Invalid JWT signature");
  });

  it("says over the wire who calls, and nothing of tokens that do not hold", async () => {
    const server = new MCPServer({ name: "identity", version: "1.0.0" });
    server.use(authenticate(jwt));
    server.tool("whoami", { description: "Say who calls.", auth: true }, (_, { client }) => client.clientId);
    const token = await jwt.issue({ sub: "agent-prod" });
    const asking = (headers: Record<string, string>) => TestClient.connect(server, { headers });
    const known = await asking({ authorization: `Bearer ${token}` });
    expect(await known.call("whoami")).toBe("agent-prod");
    await expect(asking({})).rejects.toThrow("Missing authentication token");
    await expect(asking({ authorization: "Bearer a.b" })).rejects.toThrow("Malformed JWT token");
  });
});
