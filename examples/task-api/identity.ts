import { randomBytes } from "node:crypto";
import {
  type AuthenticationLayer,
  type JwtIssuer,
  type TokenClient,
  authenticate,
  jwtAuth,
} from "gantry-mcp";
import type { Options } from "./options.ts";

/** How people say who they are. */
export interface SignIn {
  readonly authentication: AuthenticationLayer;
  /** Signs the tokens itself, and for whom: in development alone. */
  readonly development?: {
    readonly issuer: JwtIssuer;
    readonly clients: Readonly<Record<string, TokenClient>>;
  };
}

/** A team to try the roles with. */
const team = {
  ana: { secret: "ana-secret", roles: ["admin"] },
  ben: { secret: "ben-secret", roles: ["member"] },
  eve: { secret: "eve-secret" },
} as const;

/** What the options ask for; nothing where everybody is the same person. */
export function signInFor({ auth, issuer, resource, rolesClaim }: Options): SignIn | undefined {
  if (auth === "dev") {
    // A key of this start: tokens of another start are worth nothing.
    const jwt = jwtAuth({ secret: randomBytes(32) });
    return { authentication: authenticate(jwt), development: { issuer: jwt, clients: team } };
  }
  if (issuer === undefined || resource === undefined) return undefined;
  const jwt = jwtAuth({ discovery: issuer, audience: resource, rolesClaim });
  return { authentication: authenticate(jwt, { resource, authorizationServers: [issuer] }) };
}
