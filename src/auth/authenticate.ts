/** The layer that finds out who calls. */

import type { AuthenticationLayer } from "../authentication.ts";
import type { Next } from "../compose.ts";
import {
  type AuthenticatedClient,
  type Authenticator,
  type Challenge,
  type Identity,
  RequestCredentials,
  VerifiedIdentity,
  withChallenge,
} from "../client.ts";
import { type RequestContext, identify, originOf } from "../context.ts";
import { AuthenticationError, ConfigurationError } from "../errors.ts";
import { type Names, checkKnown } from "../known-options.ts";
import { AccessDeniedError, missingIdentity } from "../policy.ts";
import { challenge } from "./challenge.ts";
import {
  type ProtectedResourceOptions,
  metadataRoutes,
  metadataUrl,
  resourceProblems,
} from "./resource-metadata.ts";

/** How callers are identified. */
export interface AuthenticateOptions extends ProtectedResourceOptions {
  /**
   * Keeps components that ask for nothing open to everybody, known or not. Default: `false`, which makes them
   * private.
   */
  readonly optional?: boolean;
  /**
   * Called once for each call that needs identity, when it is established and before guards and handler: what
   * it puts into `client.extra` is there for them. What it throws ends the call.
   */
  readonly onAuthenticate?: (client: AuthenticatedClient, ctx: RequestContext) => unknown;
  /**
   * Scopes that include others: `{ "tasks:admin": ["tasks:read", "tasks:write"] }`. Nothing is included by its
   * spelling alone.
   */
  readonly scopeHierarchy?: Readonly<Record<string, readonly string[]>>;
}

const OPTIONS: Names<AuthenticateOptions> = {
  optional: true,
  onAuthenticate: true,
  scopeHierarchy: true,
  resource: true,
  authorizationServers: true,
  scopesSupported: true,
  resourceName: true,
  resourceDocumentation: true,
};

/**
 * Identifies callers. What stands further in the onion sees them as `ctx.client`; components are private unless
 * they are `public`.
 *
 * @param authenticator - Such as `jwtAuth(…)`, `apiKeyAuth(…)`, `introspectionAuth(…)`, `firstOf(…)`, or your own.
 * @throws {@link ConfigurationError} where options contradict each other.
 * @example
 * ```ts
 * server.use(authenticate(jwtAuth({ jwksUri, issuer, audience }), {
 *   onAuthenticate: async (client) => { client.extra.plan = await plans.of(client.clientId); },
 * }));
 * ```
 */
export function authenticate(
  authenticator: Authenticator,
  options: AuthenticateOptions = {},
): AuthenticationLayer {
  if (typeof (authenticator as Partial<Authenticator> | undefined)?.authenticate !== "function") {
    throw new ConfigurationError(
      "authenticate() needs an authenticator: authenticate(jwtAuth({ … })), or an object with a method authenticate(credentials).",
    );
  }
  checkKnown("authenticate()", options, OPTIONS);
  const problems = resourceProblems(options);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { optional = false, onAuthenticate, scopeHierarchy, resource } = options;
  const verified = verifying(scopeHierarchy);
  const metadata = resource === undefined ? undefined : metadataUrl(resource);

  const identified = async (ctx: RequestContext, next: Next, enriches: boolean) => {
    const { access, scopes } = ctx.operation;
    const credentials = new RequestCredentials(originOf(ctx));
    let found;
    try {
      found = await authenticator.authenticate(credentials);
    } catch (error) {
      throw error instanceof AuthenticationError
        ? withChallenge(error, challenge({ error, scopes, metadata }))
        : error;
    }
    if (found) {
      const client = identify(ctx, verified(found));
      // Whoever may come unknown is not looked up either.
      if (onAuthenticate && enriches && access === "authenticated") await onAuthenticate(client, ctx);
    } else if (access === "authenticated") {
      throw withChallenge(missingIdentity(authenticator.missing), challenge({ scopes, metadata }));
    }
    try {
      return await next();
    } catch (error) {
      if (metadata !== undefined && error instanceof AccessDeniedError && error.missingScopes) {
        const wanted = [...new Set([...scopes, ...error.missingScopes])];
        withChallenge(error, insufficient(wanted, metadata));
      }
      throw error;
    }
  };

  return {
    name: "authenticate",
    authentication: {
      identify: async (ctx) => {
        const found = await Promise.resolve(
          authenticator.authenticate(new RequestCredentials(originOf(ctx))),
        ).catch(() => undefined);
        if (found) identify(ctx, verified(found));
      },
      admission: (ctx, next) => identified(ctx, next, false),
      optional,
      grants: widened(authenticator.grants, scopeHierarchy),
      // Tokens of a resource come from elsewhere, where there are others for other resources.
      problems: ({ exposed, production }) =>
        authenticator.problems?.({ exposed: exposed || resource !== undefined, production }) ?? [],
      resource,
      routes: metadataRoutes(options),
    },
    handle: (ctx, next) => identified(ctx, next, true),
  };
}

function insufficient(scopes: readonly string[], metadata: string): Challenge {
  return challenge({ insufficient: true, scopes, metadata });
}

/** Makes identities of what authenticators find, with the scopes that theirs include; once for each that is kept. */
function verifying(hierarchy: AuthenticateOptions["scopeHierarchy"]): (found: Identity) => VerifiedIdentity {
  const made = new WeakMap<Identity, VerifiedIdentity>();
  return (found) => {
    if (!hierarchy && found instanceof VerifiedIdentity) return found;
    let identity = made.get(found);
    if (!identity) {
      const scopes = withIncluded(found.scopes ?? [], hierarchy ?? {});
      identity = new VerifiedIdentity({ ...found, scopes });
      made.set(found, identity);
    }
    return identity;
  };
}

function withIncluded(
  scopes: Iterable<string>,
  hierarchy: Readonly<Record<string, readonly string[]>>,
): ReadonlySet<string> {
  const all = new Set(scopes);
  // A set yields what is added while it is walked: included scopes may include others.
  for (const scope of all)
    for (const included of Object.hasOwn(hierarchy, scope) ? (hierarchy[scope] ?? []) : []) all.add(included);
  return all;
}

function widened(
  grants: Authenticator["grants"],
  hierarchy: AuthenticateOptions["scopeHierarchy"] = {},
): Authenticator["grants"] {
  return grants?.scopes ? { ...grants, scopes: withIncluded(grants.scopes, hierarchy) } : grants;
}
