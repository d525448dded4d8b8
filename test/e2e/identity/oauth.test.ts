/** A server as an OAuth 2.1 protected resource, with a real identity provider and the official client. */

import {
  Client,
  type OAuthClientProvider,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from "@modelcontextprotocol/client";
import { jwtAuth } from "gantry-mcp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { APP, type IdentityProvider, ROBOT, signIn } from "../../support/identity-provider.ts";
import { envelope } from "../../support/wire.ts";
import { callerIn, oauthServer } from "./oauth-server.ts";

/** An application as its author writes it: it keeps what it is given, and sends its user to the provider. */
class App implements OAuthClientProvider {
  readonly redirectUrl = APP.callback;
  readonly clientMetadata = {
    client_name: "app",
    redirect_uris: [APP.callback],
    grant_types: ["authorization_code"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  /** Where its user was sent, in order. */
  readonly sentTo: URL[] = [];
  #information: StoredOAuthClientInformation | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #verifier = "";

  /** @param clientId - Under which the provider knows it; else it registers itself (RFC 7591). */
  constructor(clientId?: string) {
    this.#information = clientId === undefined ? undefined : { client_id: clientId };
  }

  clientInformation = () => this.#information;
  saveClientInformation = (information: StoredOAuthClientInformation) =>
    void (this.#information = information);
  tokens = () => this.#tokens;
  saveTokens = (tokens: StoredOAuthTokens) => void (this.#tokens = tokens);
  codeVerifier = () => this.#verifier;
  saveCodeVerifier = (verifier: string) => void (this.#verifier = verifier);
  redirectToAuthorization = (url: URL) => void this.sentTo.push(url);

  /** What its user does when sent to the provider: sign in as `name`, agree, come back. */
  async userReturns(name: string, transport: StreamableHTTPClientTransport): Promise<void> {
    const url = this.sentTo.at(-1);
    if (!url) throw new Error("The user was not sent anywhere.");
    await transport.finishAuth((await signIn(url, name)).searchParams);
  }
}

let provider: IdentityProvider;
let resource: string;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ provider, resource, close } = await oauthServer("jwt", (issuer, audience) =>
    jwtAuth({ discovery: issuer, audience }),
  ));
});

afterAll(() => close());

function connect(app: App, era: "modern" | "legacy") {
  const client = new Client(
    { name: "app", version: "1.0.0" },
    { versionNegotiation: { mode: era === "modern" ? { pin: "2026-07-28" } : "legacy" } },
  );
  const transport = new StreamableHTTPClientTransport(new URL(resource), { authProvider: app });
  return { client, transport, connected: client.connect(transport) };
}

/** The application gets in: its user has signed in as `name`. */
async function signedIn(app: App, name: string, era: "modern" | "legacy") {
  const first = connect(app, era);
  await expect(first.connected).rejects.toThrow(UnauthorizedError);
  await app.userReturns(name, first.transport);
  await first.client.close();
  const { client, transport, connected } = connect(app, era);
  await connected;
  return { client, transport };
}

describe.each(["modern", "legacy"] as const)("a person signs in, %s", { timeout: 30_000 }, (era) => {
  test("from the challenge to the call: the client knows nothing but the server's URL", async () => {
    const app = new App();
    const { client } = await signedIn(app, "ana", era);

    const [asked] = app.sentTo;
    expect(asked?.origin).toBe(provider.issuer);
    expect(Object.fromEntries(asked?.searchParams ?? [])).toMatchObject({
      response_type: "code",
      code_challenge_method: "S256",
      resource,
      scope: "tasks:read",
    });
    expect(callerIn(await client.callTool({ name: "whoami" }))).toEqual({
      id: "ana",
      roles: ["admin"],
      scopes: ["tasks:read"],
      audience: [resource],
      issuer: provider.issuer,
    });
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["whoami"]);
    expect(app.sentTo).toHaveLength(1);
    await client.close();
  });

  test("once more, for a scope that was not granted: then the same connection goes on", async () => {
    const app = new App(APP.id);
    const { client, transport } = await signedIn(app, "ben", era);

    await expect(client.callTool({ name: "create_task" })).rejects.toThrow(UnauthorizedError);
    expect(app.sentTo[1]?.searchParams.get("scope")?.split(" ")).toEqual(["tasks:read", "tasks:write"]);
    await app.userReturns("ben", transport);
    expect((await client.callTool({ name: "create_task" })).content).toEqual([
      { type: "text", text: "created" },
    ]);
    expect(callerIn(await client.callTool({ name: "whoami" }))).toMatchObject({
      id: "ben",
      roles: [],
      scopes: ["tasks:read", "tasks:write"],
    });
    expect(app.sentTo).toHaveLength(2);
    await client.close();
  });
});

describe("a program with a secret of its own", () => {
  const call = (name: string, token: string) =>
    fetch(resource, envelope("tools/call", { name }, { authorization: `Bearer ${token}` }));
  const tokenOf = async (response: Response) => {
    const { access_token: token } = (await response.json()) as { access_token: string };
    return token;
  };

  test("gets a token for this server, and in", async () => {
    const token = await tokenOf(await provider.robotToken("tasks:read tasks:write"));
    const answer = await call("whoami", token);
    expect(answer.status).toBe(200);
    const { result } = (await answer.json()) as { result: object };
    expect(callerIn(result)).toMatchObject({
      id: ROBOT.id,
      scopes: ["tasks:read", "tasks:write"],
      audience: [resource],
    });
    expect((await call("create_task", token)).status).toBe(200);
  });

  test("is told which scope it lacks", async () => {
    const answer = await call("create_task", await tokenOf(await provider.robotToken("tasks:read")));
    expect(answer.status).toBe(403);
    expect(answer.headers.get("www-authenticate")).toBe(
      `Bearer error="insufficient_scope", scope="tasks:write", resource_metadata="${new URL("/.well-known/oauth-protected-resource/mcp", resource).href}"`,
    );
  });

  test.each([
    ["another path", () => `${resource}/v2`],
    ["the root", () => new URL("/", resource).href],
    ["another port", () => "http://127.0.0.1:1/mcp"],
    ["a look-alike", () => `${resource}x`],
  ])("does not get in with a token for %s", async (_what, other) => {
    const response = await provider.robotToken("tasks:read tasks:write", other());
    expect(response.status).toBe(200);
    const answer = await call("whoami", await tokenOf(response));
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain(
      'Bearer error="invalid_token", error_description="Token audience not accepted"',
    );
  });
});
