/** Programs without people at a real identity provider: with a secret of their own, and with tokens that only it reads. */

import {
  Client,
  ClientCredentialsProvider,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { introspectionAuth, jwtAuth } from "gantry-mcp";
import { afterEach, describe, expect, test } from "vitest";
import { ROBOT } from "../../support/identity-provider.ts";
import { envelope } from "../../support/wire.ts";
import { type Authenticators, type OAuthServer, callerIn, oauthServer } from "./oauth-server.ts";

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function start(tokens: "jwt" | "opaque", authenticator: Authenticators): Promise<OAuthServer> {
  const started = await oauthServer(tokens, authenticator);
  closing.push(started.close);
  return started;
}

const WAYS = [
  ["jwt", (issuer: string, resource: string) => jwtAuth({ discovery: issuer, audience: resource })],
  [
    "opaque",
    (issuer: string, resource: string) =>
      introspectionAuth({
        discovery: issuer,
        audience: resource,
        clientId: ROBOT.id,
        clientSecret: ROBOT.secret,
      }),
  ],
] as const;

describe.each(WAYS)("tokens that are %s", (tokens, authenticator) => {
  test("the official client gets one when it is challenged, and a better one where it does not suffice", async () => {
    const { provider, resource } = await start(tokens, authenticator);
    const authProvider = new ClientCredentialsProvider({
      clientId: ROBOT.id,
      clientSecret: ROBOT.secret,
      expectedIssuer: provider.issuer,
    });
    const client = new Client({ name: "robot", version: "1.0.0" });
    await client.connect(new StreamableHTTPClientTransport(new URL(resource), { authProvider }));
    closing.unshift(() => client.close());

    const whoami = async () => callerIn(await client.callTool({ name: "whoami" }));
    const robot = {
      id: ROBOT.id,
      roles: ["member"],
      audience: [resource],
      issuer: provider.issuer,
    };
    expect(await whoami()).toEqual({ ...robot, scopes: ["tasks:read"] });
    expect((await client.callTool({ name: "create_task" })).content).toEqual([
      { type: "text", text: "created" },
    ]);
    expect(await whoami()).toEqual({ ...robot, scopes: ["tasks:read", "tasks:write"] });
  });

  test("one for another resource is refused", async () => {
    const { provider, resource } = await start(tokens, authenticator);
    const response = await provider.robotToken("tasks:read", "https://other.example.com/mcp");
    const { access_token: token } = (await response.json()) as { access_token: string };
    const answer = await fetch(
      resource,
      envelope("tools/call", { name: "whoami" }, { authorization: `Bearer ${token}` }),
    );
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain("Token audience not accepted");
  });
});

test("a token that was revoked is refused", async () => {
  const { provider, resource } = await start("opaque", WAYS[1][1]);
  const response = await provider.robotToken("tasks:read");
  const { access_token: token } = (await response.json()) as { access_token: string };
  await fetch(`${provider.issuer}/token/revocation`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${ROBOT.id}:${ROBOT.secret}`)}` },
    body: new URLSearchParams({ token }),
  });
  const answer = await fetch(
    resource,
    envelope("tools/call", { name: "whoami" }, { authorization: `Bearer ${token}` }),
  );
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toContain("Token not active");
});
