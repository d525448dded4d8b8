/** What handlers, hooks and guards know of callers, and what cannot be said about who may use a component. Never run. */

import {
  type AnonymousClient,
  type AuthenticatedClient,
  type AuthenticatedContext,
  type Authenticator,
  type ClientContext,
  type ClientExtra,
  type Guard,
  type JwtIssuer,
  MCPRouter,
  MCPServer,
  type RequestContext,
  allOf,
  anyOf,
  apiKeyAuth,
  authenticate,
  firstOf,
  guard,
  hasAllScopes,
  hasRole,
  introspectionAuth,
  jwtAuth,
  requireClientId,
  requireTenant,
} from "gantry-mcp";
import { TestClient, testTokens } from "gantry-mcp/testing";
import { z } from "zod";
import { type Same, exactly, holds } from "./assertions.ts";

const server = new MCPServer({ name: "types", version: "1.0.0" });
const description = "d";
const input = z.object({ id: z.string(), size: z.string().transform(Number) });

// ── who calls ──

server.tool("nothing", { description }, (_args, ctx) => exactly<ClientContext>()(ctx.client));
server.tool("public", { description, public: true }, (_args, ctx) => {
  exactly<ClientContext>()(ctx.client);
  // @ts-expect-error -- anybody may call: there may be no roles
  void ctx.client.roles;
  if (ctx.client.authenticated) {
    exactly<AuthenticatedClient>()(ctx.client);
    exactly<ReadonlySet<string>>()(ctx.client.roles);
  } else {
    exactly<AnonymousClient>()(ctx.client);
    exactly<"anonymous">()(ctx.client.clientId);
  }
});

const known = (_args: unknown, ctx: AuthenticatedContext) => exactly<AuthenticatedClient>()(ctx.client);
server
  .tool("auth", { description, auth: true }, (_args, { client }) => exactly<AuthenticatedClient>()(client))
  .tool("roles", { description, roles: ["admin"] }, (_args, { client }) =>
    exactly<AuthenticatedClient>()(client),
  )
  .tool("scopes", { description, scopes: ["a"] }, (_args, { client }) =>
    exactly<AuthenticatedClient>()(client),
  )
  .tool("tenant", { description, tenant: true }, (_args, { client }) =>
    exactly<AuthenticatedClient>()(client),
  )
  .tool("tenants", { description, tenant: ["a", "b"] }, known)
  .tool("guards", { description, guards: [hasRole("admin")] }, (_args, { client }) =>
    exactly<AuthenticatedClient>()(client),
  )
  .resource("fixed://x", { name: "x", description, auth: true }, (_args, { client }) =>
    exactly<AuthenticatedClient>()(client),
  )
  .resource("of://{id}", { name: "of", description, roles: ["admin"] }, ({ id }, { client }) => {
    exactly<string>()(id);
    exactly<AuthenticatedClient>()(client);
  })
  .prompt("p", { description, scopes: ["a"] }, (_args, { client }) => {
    exactly<AuthenticatedClient>()(client);
    return "text";
  })
  .prompt("open", { description }, (_args, { client }) => {
    exactly<ClientContext>()(client);
    return "text";
  });

// @ts-expect-error -- its callers may be unknown
server.tool("unknown", { description }, known);

server.tool("read-only", { description, auth: true }, (_args, { client }) => {
  exactly<string | undefined>()(client.tenantId);
  exactly<number | undefined>()(client.expiresAt);
  exactly<Readonly<Record<string, unknown>>>()(client.claims);
  client.extra["anything"] = 1;
  // @ts-expect-error -- who calls is not the handler's to say
  client.clientId = "other";
  // @ts-expect-error -- nor what they may do
  client.roles.add("admin");
  // @ts-expect-error -- nor what was attested
  client.claims["sub"] = "other";
  // @ts-expect-error -- credentials are no business of handlers
  void client.token;
});

// ── what may be asked of callers ──

// @ts-expect-error -- true, or left out
server.tool("no-auth", { description, auth: false }, () => 1);
// @ts-expect-error -- true, or left out
server.tool("not-public", { description, public: false }, () => 1);
// @ts-expect-error -- roles are several
server.tool("one-role", { description, roles: "admin" }, () => 1);
// @ts-expect-error -- a guard is made by hasRole, guard, …
server.tool("no-guard", { description, guards: ["admin"] }, () => 1);
// @ts-expect-error -- no such option
server.tool("typo", { description, role: ["admin"] }, () => 1);
// @ts-expect-error -- a router takes requirements away from nothing
void new MCPRouter({ public: true });
void new MCPRouter({ auth: true, roles: ["admin"], guards: [requireTenant()] });

// ── guards ──

server.tool(
  "by-arguments",
  {
    description,
    input,
    guards: [
      guard("own", ({ id, size }: { readonly id: string; readonly size: number }, ctx) => {
        exactly<AuthenticatedContext>()(ctx);
        return ctx.client.clientId === id && size > 0;
      }),
      hasAllScopes("a", "b"),
    ],
  },
  ({ size }, { client }) => {
    exactly<number>()(size);
    exactly<AuthenticatedClient>()(client);
  },
);

const ofIds = guard<{ readonly id: string }>("of-ids", ({ id }) => id !== "");
holds<Same<typeof ofIds, Guard<{ readonly id: string }>>>();
server.tool("fits", { description, input, guards: [ofIds, anyOf(ofIds, hasRole("admin"))] }, () => 1);
server.tool("all", { description, input, guards: [allOf(requireClientId("a"), ofIds)] }, () => 1);
server.resource("by://{id}", { name: "by", description, guards: [ofIds] }, () => 1);
// @ts-expect-error -- the tool has no argument "id"
server.tool("other", { description, input: z.object({ name: z.string() }), guards: [ofIds] }, () => 1);
// @ts-expect-error -- yes or no
guard("maybe", () => "yes");

// ── authenticators ──

const tickets: Authenticator = {
  authenticate: (credentials) => {
    const { token, address } = credentials;
    exactly<string | undefined>()(token);
    exactly<string | undefined>()(address);
    void credentials.header("x-ticket");
    return token === undefined ? undefined : { clientId: token, roles: new Set(["admin"]) };
  },
};
server.use(authenticate(tickets, { optional: true }));
server.use(authenticate({ authenticate: async () => ({ clientId: "a", scopes: ["b"] }) }));
// @ts-expect-error -- callers have names
server.use(authenticate({ authenticate: () => ({ roles: ["admin"] }) }));
// @ts-expect-error -- no such option
server.use(authenticate(tickets, { optionally: true }));
// @ts-expect-error -- an authenticator is no layer
server.use(tickets);

server.use(
  authenticate(tickets, {
    onAuthenticate: async (client, ctx) => {
      exactly<AuthenticatedClient>()(client);
      exactly<RequestContext>()(ctx);
      exactly<ClientExtra>()(client.extra);
      client.extra["plan"] = await Promise.resolve("premium");
    },
  }),
);

const shared = jwtAuth({ secret: "s" });
holds<Same<typeof shared, JwtIssuer>>();
server.enableTokenEndpoint(shared, { clients: { agent: { secret: "s", roles: ["admin"] } } });
const remote = jwtAuth({ jwksUri: "https://id.example.com/jwks.json", audience: "a", issuer: "b" });
holds<Same<typeof remote, Authenticator>>();
// @ts-expect-error -- whoever has the private key issues tokens
server.enableTokenEndpoint(remote, { clients: { agent: { secret: "s" } } });
// @ts-expect-error -- a client has a secret
server.enableTokenEndpoint(shared, { clients: { agent: {} } });
// @ts-expect-error -- a secret is text or bytes
jwtAuth({ secret: 5 });
// @ts-expect-error -- the algorithm of a secret is HS256
jwtAuth({ secret: "s", algorithms: ["HS512"] });
// @ts-expect-error -- no token is good without a signature
jwtAuth({ publicKey: "-----BEGIN PUBLIC KEY-----", algorithms: ["none"] });
holds<Same<ReturnType<typeof firstOf>, Authenticator>>();
server.use(authenticate(firstOf(remote, apiKeyAuth({ keys: { ci: { key: "k", roles: ["deployer"] } } }))));
void introspectionAuth;

// ── tests ──

async function tests(): Promise<void> {
  const tokens = await testTokens({ issuer: "https://id.example.com" });
  const token = await tokens.issue({ sub: "ada" }, { expiresIn: "1m" });
  exactly<string>()(token);
  void jwtAuth({ publicKey: tokens.publicKey });
  await TestClient.connect(server, { token });
  // @ts-expect-error -- a token, not a promise of one
  await TestClient.connect(server, { token: tokens.issue() });
}
void tests;
