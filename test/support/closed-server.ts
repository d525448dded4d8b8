/** Servers with one component of each kind for each way to say who may use it; private ones hold a canary. */

import {
  type AccessOptions,
  MCPRouter,
  MCPServer,
  type MCPServerOptions,
  authenticate,
  guard,
  jwtAuth,
} from "gantry-mcp";
import { z } from "zod";

/** Each way to say it: the compiler asks for those that are added. */
const ACCESS = {
  nothing: {},
  public: { public: true },
  auth: { auth: true },
  roles: { roles: ["admin"] },
  scopes: { scopes: ["tasks:write"] },
  tenant: { tenant: "acme" },
  guards: { guards: [guard("anybody", () => true)] },
} as const satisfies Record<keyof AccessOptions | "nothing", AccessOptions>;

export type AccessName = keyof typeof ACCESS;

const ISSUER = "https://id.example.com";
const RESOURCE = "http://127.0.0.1/mcp";
const jwt = jwtAuth({
  secret: "a secret of these tests, which knows no other",
  issuer: ISSUER,
  audience: RESOURCE,
});

/** The token of a caller that may use everything. */
export const ownersToken: string = await jwt.issue({
  sub: "owner",
  roles: ["admin"],
  scope: "tasks:write",
  tenant_id: "acme",
});

/** What a component answers and is described by: nobody else says this. */
export const canary = (name: string): string => `canary-of-${name}`;

/** The names of components, by access and by where they are registered. */
export const nameOf = (place: string, access: AccessName): string => `${place}_${access}`;

export const PLACES = ["own", "router_inner", "mounted"] as const;

/** One component of each kind for each of these ways. */
function fill(place: MCPServer | MCPRouter, where: string, names: readonly AccessName[]): void {
  for (const access of names) {
    const name = nameOf(where, access);
    const short = where === "router_inner" ? access : name;
    const options = { ...ACCESS[access] };
    const description = canary(name);
    const input = z.object({ value: z.string().optional() });
    place.tool(short, { description, ...options }, () => canary(name));
    place.resource(`fixed://${name}`, { name, description, ...options }, () => canary(name));
    place.resource(
      `${name.replaceAll("_", "-")}://{value}`,
      { name, description, complete: { value: [canary(name)] }, ...options },
      () => canary(name),
    );
    place.prompt(name, { description, input, complete: { value: [canary(name)] }, ...options }, () =>
      canary(name),
    );
  }
}

const ALL = Object.keys(ACCESS) as AccessName[];

export interface ClosedOptions extends Partial<MCPServerOptions> {
  /** Whether the components that are declared public are there. */
  readonly open: boolean;
  /** Whether what says nothing is for anybody. */
  readonly optional?: boolean;
}

/** A server whose components are registered on itself, on a router, and on a server that is mounted. */
export function closedServer({ open, optional = false, ...options }: ClosedOptions): MCPServer {
  const names = ALL.filter((access) => open || access !== "public");
  const identity = { optional, resource: RESOURCE, authorizationServers: [ISSUER] };
  const server = new MCPServer({ name: "closed", version: "1.0.0", ...options });
  server.use(authenticate(jwt, identity));
  server.enableTokenEndpoint(jwt, { clients: { agent: { secret: "of the agent", roles: ["admin"] } } });
  fill(server, "own", names);
  const inner = new MCPRouter({ prefix: "inner" });
  fill(inner, "router_inner", names);
  const router = new MCPRouter({ prefix: "router" });
  router.include(inner);
  server.include(router);
  const mounted = new MCPServer({ name: "mounted", version: "1.0.0" });
  fill(mounted, "mounted", names);
  return server.mount(mounted);
}

/** The names of all components, and whether anybody may use them. */
export const components = (open: boolean): readonly { readonly name: string; readonly isPublic: boolean }[] =>
  PLACES.flatMap((place) =>
    ALL.filter((access) => open || access !== "public").map((access) => ({
      name: nameOf(place, access),
      isPublic: access === "public",
    })),
  );
