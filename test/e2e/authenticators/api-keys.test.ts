import { createHash } from "node:crypto";
import { type ApiKey, type ApiKeyOptions, MCPServer, apiKeyAuth, authenticate } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { afterAll, describe, expect, it } from "vitest";
import { Door } from "../../support/door.ts";

const keys = {
  ci: "gk_ci_0123456789abcdef",
  old: "gk_old_0123456789abcdef",
  hashed: "gk_hashed_0123456789abcdef",
  expired: "gk_expired_0123456789abcdef",
};

const doors: Door[] = [];
afterAll(() => Promise.all(doors.map((door) => door.close())));

async function open(options: ApiKeyOptions): Promise<Door> {
  const door = await Door.open(apiKeyAuth(options));
  doors.push(door);
  return door;
}

describe("a server behind API keys", async () => {
  const door = await open({
    keys: {
      ci: { key: keys.ci, roles: ["deployer"], scopes: ["tasks:write"], tenantId: "acme" },
      "ci-2026": { key: keys.old, clientId: "ci", expiresAt: "2999-12-31T00:00:00Z" },
      reports: { hash: createHash("sha256").update(keys.hashed).digest("hex").toUpperCase() },
      gone: { key: keys.expired, expiresAt: 1_700_000_000 },
    },
  });

  it("knows who has a key, and what its bearer may do", async () => {
    const { status, client } = await door.ask({ "x-api-key": keys.ci });
    expect({ status, client }).toMatchObject({
      status: 200,
      client: { clientId: "ci", roles: ["deployer"], scopes: ["tasks:write"], tenantId: "acme" },
    });
  });

  it("takes a bearer token for a key", async () => {
    expect((await door.ask(keys.ci)).client?.clientId).toBe("ci");
  });

  it("knows a key by its hash alone", async () => {
    expect((await door.ask({ "x-api-key": keys.hashed })).client?.clientId).toBe("reports");
  });

  it("has several keys of one client, each as long as it lasts", async () => {
    const { client } = await door.ask({ "x-api-key": keys.old });
    expect(client).toMatchObject({
      clientId: "ci",
      roles: [],
      expiresAt: Date.parse("2999-12-31T00:00:00Z") / 1_000,
    });
    expect(await door.ask({ "x-api-key": keys.expired })).toMatchObject({
      status: 401,
      message: "API key expired",
    });
  });

  it("says which header it wants where there is no key", async () => {
    expect(await door.ask()).toEqual({
      status: 401,
      message: "Missing API key",
      suggestion: "Send the key in the x-api-key header.",
      challenge: "Bearer",
    });
  });

  it.each([
    ["another key", { "x-api-key": "gk_ci_0123456789abcdeF" }],
    ["a longer key", { "x-api-key": `${keys.ci}0` }],
    ["a shorter key", { "x-api-key": keys.ci.slice(0, -1) }],
    ["an empty key", { "x-api-key": "" }],
    ["two keys", { "x-api-key": [keys.ci, keys.ci] }],
    ["the hash of a key", { "x-api-key": createHash("sha256").update(keys.hashed).digest("hex") }],
    ["a name of a key", { "x-api-key": "ci" }],
    ["a name that every object has", { "x-api-key": "constructor" }],
    ["a wrong key beside a right bearer token", { "x-api-key": "wrong", authorization: `Bearer ${keys.ci}` }],
    ["a key of 8,000 characters", { "x-api-key": "k".repeat(8_000) }],
  ])("refuses %s, and does not repeat it", async (_, headers) => {
    expect(await door.ask(headers)).toEqual({
      status: 401,
      message: "Invalid API key",
      challenge: 'Bearer error="invalid_token", error_description="Invalid API key"',
    });
  });

  it("reads no key out of a URL", async () => {
    for (const name of ["x-api-key", "api_key", "apikey", "key", "token", "access_token"])
      expect((await door.ask({}, `/mcp?${name}=${keys.ci}`)).client).toBeUndefined();
  });

  it("reads the key from the header that is named", async () => {
    const other = await open({ header: "X-Service-Key", keys: { ci: { key: keys.ci } } });
    expect((await other.ask({ "x-service-key": keys.ci })).client?.clientId).toBe("ci");
    expect(await other.ask({ "x-api-key": keys.ci })).toMatchObject({
      message: "Missing API key",
      suggestion: "Send the key in the x-service-key header.",
    });
  });
});

it("a component that no bearer of a key may use stops the start", async () => {
  const server = new MCPServer({ name: "closed", version: "1.0.0" });
  server.use(authenticate(apiKeyAuth({ keys: { ci: { key: keys.ci, roles: ["deployer"] } } })));
  server.tool("drop", { description: "Drops.", roles: ["admin"] }, () => "dropped");
  await expect(Promise.resolve(server.fetch(new Request("http://localhost/mcp")))).rejects.toThrow(
    'Tool "drop" asks for the role admin, which no caller can have: the authenticator never grants it.',
  );
});

it("a key that a mounted server refuses hides what is private there, and nothing else", async () => {
  const inner = new MCPServer({ name: "billing", version: "1.0.0" })
    .use(authenticate(apiKeyAuth({ keys: { ci: { key: keys.ci } } })))
    .tool("refund", { description: "Refunds." }, () => "refunded");
  const outer = new MCPServer({ name: "shop", version: "1.0.0" })
    .tool("search", { description: "Searches." }, () => "found")
    .mount(inner, { prefix: "billing" });
  const seenWith = async (key: string) => {
    const client = await TestClient.connect(outer, { headers: { "x-api-key": key } });
    return (await client.listTools()).map(({ name }) => name).toSorted();
  };
  expect(await seenWith("wrong")).toEqual(["search"]);
  expect(await seenWith(keys.ci)).toEqual(["billing_refund", "search"]);
});

describe("options that cannot be meant", () => {
  const said = (options: unknown): string => {
    try {
      apiKeyAuth(options as ApiKeyOptions);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  const key = (listed: unknown) => said({ keys: { ci: listed as ApiKey } });

  it.each([
    ["no keys", said({ keys: {} }), "apiKeyAuth() needs at least one key"],
    ["a key that is not set", key({ key: undefined }), "keys.ci: key needs at least 16 characters"],
    ["a short key", key({ key: "short" }), "keys.ci: key needs at least 16 characters"],
    ["a key with a line break at its end", key({ key: `${keys.ci}\n` }), "keys.ci: key needs at least 16"],
    ["key and hash", key({ key: keys.ci, hash: "0".repeat(64) }), "exactly one of key and hash"],
    ["a hash that is none", key({ hash: keys.ci }), "keys.ci: hash needs the SHA-256 of the key"],
    ["an unknown option", key({ key: keys.ci, role: ["admin"] }), 'Did you mean "roles"?'],
    ["a role that is no list", key({ key: keys.ci, roles: "admin" }), "keys.ci: roles needs a list"],
    ["an empty client", key({ key: keys.ci, clientId: " " }), "keys.ci: clientId is empty"],
    ["a date that is none", key({ key: keys.ci, expiresAt: "soon" }), "keys.ci: expiresAt needs seconds"],
    ["one key twice", said({ keys: { a: { key: keys.ci }, b: { key: keys.ci } } }), "keys.b is a key that"],
    ["a header that is none", said({ header: "x key", keys: { a: { key: keys.ci } } }), 'header is "x key"'],
    [
      "the header of bearer tokens",
      said({ header: "Authorization", keys: { a: { key: keys.ci } } }),
      "bearer tokens are taken for keys anyway",
    ],
  ])("are refused: %s", (_, message, expected) => {
    expect(message).toContain(expected);
    expect(message).not.toContain(keys.ci);
  });
});
