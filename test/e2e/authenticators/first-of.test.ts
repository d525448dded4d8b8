import { type Authenticator, apiKeyAuth, firstOf, jwtAuth } from "gantry-mcp";
import { afterAll, describe, expect, it } from "vitest";
import { Door } from "../../support/door.ts";

const key = "gk_ci_0123456789abcdef";
const jwt = jwtAuth({ secret: "of-thirty-two-bytes-and-a-few-more" });
const apiKeys = apiKeyAuth({ keys: { ci: { key, roles: ["deployer"] } } });

const open: Door[] = [];
afterAll(() => Promise.all(open.map((door) => door.close())));

async function doorOf(...authenticators: readonly Authenticator[]): Promise<Door> {
  const door = await Door.open(firstOf(...authenticators));
  open.push(door);
  return door;
}

describe.each([
  ["tokens before keys", [jwt, apiKeys]],
  ["keys before tokens", [apiKeys, jwt]],
] as const)("a server that takes %s", (_, authenticators) => {
  it("knows callers by either", async () => {
    const door = await doorOf(...authenticators);
    expect((await door.ask(await jwt.issue({ sub: "agent" }))).client?.clientId).toBe("agent");
    expect((await door.ask({ "x-api-key": key })).client?.clientId).toBe("ci");
    expect((await door.ask(key)).client?.clientId).toBe("ci");
  });

  it("says of credentials that do not hold what the one says whose they are", async () => {
    const door = await doorOf(...authenticators);
    const foreign = jwtAuth({ secret: "another-secret-of-32-bytes-or-more" });
    expect(await door.ask(await foreign.issue({ sub: "agent" }))).toMatchObject({
      status: 401,
      message: "Invalid JWT signature",
      challenge: 'Bearer error="invalid_token", error_description="Invalid JWT signature"',
    });
    expect(await door.ask({ "x-api-key": "wrong" })).toMatchObject({
      status: 401,
      message: "Invalid API key",
    });
  });

  it("asks for credentials where there are none", async () => {
    const door = await doorOf(...authenticators);
    expect(await door.ask()).toMatchObject({
      status: 401,
      message: "Missing authentication token",
      challenge: "Bearer",
    });
  });
});
