/** Protected resources that clients could not use, or that would take the tokens of others: refused at the start. */

import { type AuthenticateOptions, MCPServer, authenticate, jwtAuth } from "gantry-mcp";
import { describe, expect, test } from "vitest";
import { listen } from "../../support/listening.ts";

const RESOURCE = "https://tasks.example.com/mcp";
const ISSUER = "https://id.example.com";
const SECRET = "a secret of this test, 32 bytes or more";
const jwt = jwtAuth({ secret: SECRET, issuer: ISSUER, audience: RESOURCE });

const OPTIONS: AuthenticateOptions = { resource: RESOURCE, authorizationServers: [ISSUER] };

function taskServer(): MCPServer {
  return new MCPServer({ name: "task-api", version: "1.0.0" }).use(authenticate(jwt, OPTIONS));
}

describe("a protected resource is refused at the start", () => {
  const listening = (options: AuthenticateOptions, authenticator = jwt, http = {}) =>
    listen(
      new MCPServer({ name: "task-api", version: "1.0.0", http }).use(authenticate(authenticator, options)),
    );

  test.each<[string, AuthenticateOptions, string]>([
    ["http: elsewhere", { resource: "http://tasks.example.com/mcp" }, "write the https: URL"],
    ["no URL", { resource: "tasks" }, "write the https: URL"],
    ["a fragment", { resource: `${RESOURCE}#x` }, `write its canonical form, "${RESOURCE}"`],
    ["a query", { resource: `${RESOURCE}?x=1` }, `write its canonical form, "${RESOURCE}"`],
    ["a slash at the end", { resource: `${RESOURCE}/` }, `write its canonical form, "${RESOURCE}"`],
    [
      "capitals in the host",
      { resource: "https://Tasks.Example.com/mcp" },
      `write its canonical form, "${RESOURCE}"`,
    ],
    [
      "a password",
      { resource: "https://a:b@tasks.example.com/mcp" },
      `write its canonical form, "${RESOURCE}"`,
    ],
    ["nobody who issues tokens", { authorizationServers: [] }, "needs at least one https: issuer"],
    [
      "an issuer over http:",
      { authorizationServers: ["http://id.example.com"] },
      "needs at least one https: issuer",
    ],
    [
      "an issuer that is no list",
      { authorizationServers: ISSUER as unknown as string[] },
      "needs at least one https: issuer",
    ],
    ["a wildcard", { scopesSupported: ["tasks:*"] }, "scopesSupported has tasks:*."],
    [
      "everything, forever",
      { scopesSupported: ["all", "offline_access"] },
      "scopesSupported has all, offline_access.",
    ],
    ["scopes in one text", { scopesSupported: ["a b"] }, "scopesSupported needs scopes, one in each text"],
    ["a quote", { scopesSupported: ['a"b'] }, "scopesSupported needs scopes, one in each text"],
  ])("with %s", (_what, options, message) => {
    expect(() => authenticate(jwt, { ...OPTIONS, ...options })).toThrow(message);
  });

  test.each([
    ["authorizationServers", { authorizationServers: [ISSUER] }],
    ["scopesSupported", { scopesSupported: ["tasks:read"] }],
    ["resourceName and resourceDocumentation", { resourceName: "T", resourceDocumentation: "https://x.y" }],
  ])("where %s describe nothing", (names, options) => {
    expect(() => authenticate(jwt, options)).toThrow(`authenticate(): ${names} describe a resource.`);
  });

  test("where tokens for others would do", async () => {
    await expect(listening(OPTIONS, jwtAuth({ secret: SECRET, issuer: ISSUER }))).rejects.toThrow(
      "name for whom tokens must be",
    );
    await expect(listening(OPTIONS, jwtAuth({ secret: SECRET, audience: RESOURCE }))).rejects.toThrow(
      "name who issues the tokens",
    );
    // On one machine too a resource is one of many.
    const onLoopback = { resource: "http://127.0.0.1:8080/mcp", authorizationServers: [ISSUER] };
    await expect(listening(onLoopback, jwtAuth({ secret: SECRET }))).rejects.toThrow(
      "name for whom tokens must be",
    );
  });

  test("where clients know the server by another URL", async () => {
    await expect(listening(OPTIONS, jwt, { publicUrl: "https://api.example.com/mcp" })).rejects.toThrow(
      `http.publicUrl is "https://api.example.com/mcp", and authenticate() has the resource "${RESOURCE}"`,
    );
    const running = await listening(OPTIONS, jwt, { publicUrl: `${RESOURCE}/` });
    await running.close();
  });

  test("where two layers say different things of one server", async () => {
    const other = authenticate(jwt, { ...OPTIONS, scopesSupported: ["tasks:write"] });
    const server = taskServer().mount(
      new MCPServer({ name: "more", version: "1.0.0" })
        .use(other)
        .tool("more", { description: "More." }, () => "more"),
    );
    await expect(listen(server)).rejects.toThrow(
      'Two things are at the path "/.well-known/oauth-protected-resource/mcp"',
    );
  });

  test("together with the token endpoint, where the resource is reached by others", async () => {
    const server = taskServer().enableTokenEndpoint(jwt, { clients: { a: { secret: "a" } } });
    await expect(listen(server)).rejects.toThrow(
      "The token endpoint /auth/token is for programs of this machine",
    );
  });
});
