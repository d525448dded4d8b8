/** What authors test their identity with: real tokens, and a client that sends one. */

import { MCPServer, authenticate, jwtAuth } from "gantry-mcp";
import { TestClient, testTokens } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";

const PROVIDER = { issuer: "https://id.example.com", audience: "https://tasks.example.com/mcp" };

async function protectedServer(options: Parameters<typeof testTokens>[0] = PROVIDER) {
  const tokens = await testTokens(options);
  const server = new MCPServer({ name: "t", version: "1.0.0", logger: capturedLog().logger })
    .use(authenticate(jwtAuth({ ...PROVIDER, publicKey: tokens.publicKey })))
    .tool("whoami", { description: "Who.", auth: true }, (_args, { client }) => ({
      id: client.clientId,
      roles: [...client.roles],
      issuer: client.issuer,
      audience: client.audience,
    }));
  return { tokens, server };
}

describe.each(["2026-07-28", "2025-11-25"] as const)("%s", (era) => {
  test("a token says who calls", async () => {
    const { tokens, server } = await protectedServer();
    const token = await tokens.issue({ sub: "ada", roles: ["admin"] });
    const client = await TestClient.connect(server, { era, token });
    expect(await client.call("whoami")).toEqual({
      id: "ada",
      roles: ["admin"],
      issuer: PROVIDER.issuer,
      audience: [PROVIDER.audience],
    });
  });

  test("without one, nobody is known", async () => {
    const { server } = await protectedServer();
    await expect(TestClient.connect(server, { era })).rejects.toMatchObject({ status: 401 });
  });

  test.each([
    ["expired", { exp: 0 }, "Token expired"],
    ["of another issuer", { iss: "https://evil.example.com" }, /issuer/i],
    ["for another audience", { aud: "https://other.example.com" }, /audience/i],
  ])("what a test writes counts: %s", async (_what, claims, message) => {
    const { tokens, server } = await protectedServer();
    const token = await tokens.issue({ sub: "ada", ...claims });
    const refused = TestClient.connect(server, { era, token });
    await expect(refused).rejects.toMatchObject({ status: 401, message: expect.stringMatching(message) });
  });
});

test("each issuer has a key of its own", async () => {
  const { server } = await protectedServer();
  const others = await testTokens(PROVIDER);
  const token = await others.issue({ sub: "ada" });
  await expect(TestClient.connect(server, { token })).rejects.toMatchObject({
    status: 401,
    message: "Invalid JWT signature",
  });
});

test("without options a token has neither issuer nor audience, and holds an hour", async () => {
  const tokens = await testTokens();
  const [, claims = ""] = (await tokens.issue({ sub: "ada" })).split(".");
  const read = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<string, number>;
  expect(Object.keys(read)).toEqual(["iat", "exp", "sub"]);
  expect(Number(read["exp"]) - Number(read["iat"])).toBe(3_600);
  const [, brief = ""] = (await tokens.issue({}, { expiresIn: "1m" })).split(".");
  const short = JSON.parse(Buffer.from(brief, "base64url").toString()) as Record<string, number>;
  expect(Number(short["exp"]) - Number(short["iat"])).toBe(60);
});
