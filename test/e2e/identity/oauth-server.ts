/** A protected resource and the identity provider that issues its tokens, both on loopback. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Authenticator, MCPServer, authenticate } from "gantry-mcp";
import { IdentityProvider, ROBOT } from "../../support/identity-provider.ts";

/** Makes what identifies callers, once it is known who issues the tokens, and for what. */
export type Authenticators = (issuer: string, resource: string) => Authenticator;

export interface OAuthServer {
  readonly provider: IdentityProvider;
  readonly resource: string;
  readonly close: () => Promise<void>;
}

/** Anybody with `tasks:read` may ask who calls, with `tasks:write` create a task. */
export async function oauthServer(
  tokens: "jwt" | "opaque",
  authenticator: Authenticators,
): Promise<OAuthServer> {
  // Its own URL is what a resource is known by: the port comes first.
  const http = createServer((request, response) => server.node(request, response));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const resource = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
  const provider = await IdentityProvider.start({
    resource,
    scopes: ["tasks:read", "tasks:write"],
    roles: { ana: ["admin"], [ROBOT.id]: ["member"] },
    tokens,
  });
  const server = new MCPServer({ name: "task-api", version: "1.0.0" })
    .use(
      authenticate(authenticator(provider.issuer, resource), {
        resource,
        authorizationServers: [provider.issuer],
        scopesSupported: ["tasks:read"],
      }),
    )
    .tool("whoami", { description: "Tells who calls.", scopes: ["tasks:read"] }, (_args, { client }) => ({
      id: client.clientId,
      roles: [...client.roles],
      scopes: [...client.scopes],
      audience: client.audience,
      issuer: client.issuer,
    }))
    .tool("create_task", { description: "Create a task.", scopes: ["tasks:write"] }, () => "created");
  return {
    provider,
    resource,
    close: async () => {
      await server.close();
      http.closeAllConnections();
      http.close();
      await provider.close();
    },
  };
}

/** What `whoami` answered. */
export function callerIn(result: object): unknown {
  const { content } = result as { content: [{ text: string }] };
  return JSON.parse(content[0].text);
}
