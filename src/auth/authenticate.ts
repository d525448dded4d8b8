/** The layer that finds out who calls. */

import type { AuthenticationLayer } from "../core/identity/authentication.ts";
import { type PassingLayer, pass } from "../core/calls/compose.ts";
import {
  type AuthenticatedClient,
  type Authenticator,
  type Identity,
  RequestCredentials,
  VerifiedIdentity,
  withChallenge,
} from "../core/calls/client.ts";
import { type RequestContext, identify, originOf } from "../core/calls/context.ts";
import { AuthenticationError, ConfigurationError } from "../core/errors.ts";
import { type Names, checkKnown } from "../core/options/known-options.ts";
import { AccessDeniedError, missingIdentity } from "../core/access/policy.ts";
import { after, isPromise } from "../core/values/promises.ts";
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

  /** Tells what to send, where `error` is about that. */
  const challenged = (ctx: RequestContext, error: unknown): unknown => {
    const { scopes } = ctx.operation;
    if (error instanceof AuthenticationError) withChallenge(error, challenge({ error, scopes, metadata }));
    return error;
  };
  const insufficient = (ctx: RequestContext, error: unknown): unknown => {
    if (error instanceof AccessDeniedError && error.missingScopes) {
      const scopes = [...new Set([...ctx.operation.scopes, ...error.missingScopes])];
      withChallenge(error, challenge({ insufficient: true, scopes, metadata }));
    }
    return error;
  };

  const identified = (ctx: RequestContext, rest: () => unknown, enriches: boolean): unknown => {
    const within = () =>
      metadata === undefined ? rest() : attempt(rest, (error) => insufficient(ctx, error));
    const admit = (found: Identity | undefined): unknown => {
      const { access, scopes } = ctx.operation;
      if (found) {
        const client = identify(ctx, verified(found));
        // Whoever may come unknown is not looked up either.
        if (onAuthenticate && enriches && access === "authenticated")
          return after(onAuthenticate(client, ctx), within);
      } else if (access === "authenticated") {
        throw withChallenge(missingIdentity(authenticator.missing), challenge({ scopes, metadata }));
      }
      return within();
    };
    const credentials = new RequestCredentials(originOf(ctx));
    const found = attempt(
      () => authenticator.authenticate(credentials),
      (error) => challenged(ctx, error),
    );
    return after(found, admit);
  };

  return {
    ...passing("authenticate", (ctx, rest) => identified(ctx, rest, true)),
    authentication: {
      identify: async (ctx) => {
        try {
          const found = await authenticator.authenticate(new RequestCredentials(originOf(ctx)));
          if (found) identify(ctx, verified(found));
        } catch {
          // Who calls stays unknown.
        }
      },
      admission: passing("admission", (ctx, rest) => identified(ctx, rest, false)),
      optional,
      grants: widened(authenticator.grants, scopeHierarchy),
      // Tokens of a resource come from elsewhere, where there are others for other resources.
      problems: ({ exposed, production }) =>
        authenticator.problems?.({ exposed: exposed || resource !== undefined, production }) ?? [],
      resource,
      routes: metadataRoutes(options),
    },
  };
}

function passing(name: string, enter: PassingLayer[typeof pass]): PassingLayer {
  return { name, handle: enter, [pass]: enter };
}

/** What `run` gives; where it fails, now or later, with what `explain` makes of the error. */
function attempt<T>(run: () => T | Promise<T>, explain: (error: unknown) => unknown): T | Promise<T> {
  const rethrow = (error: unknown): never => {
    throw explain(error);
  };
  let result;
  try {
    result = run();
  } catch (error) {
    return rethrow(error);
  }
  return isPromise(result) ? result.then(undefined, rethrow) : result;
}

/** Throws where an author's authenticator gives what would let in nobody in particular. */
function checkIdentity(found: unknown): void {
  const { clientId, roles, scopes } = (found ?? {}) as Partial<Identity>;
  const areNames = (names: unknown) => names === undefined || Array.isArray(names) || names instanceof Set;
  if (typeof clientId !== "string" || clientId === "" || !areNames(roles) || !areNames(scopes))
    throw new TypeError(
      'authenticate() of an authenticator gives no identity: return { clientId: "ada", roles: ["admin"] }, or undefined where there are no credentials.',
    );
}

/** Makes identities of what authenticators find, with the scopes that theirs include; once for each that is kept. */
function verifying(hierarchy: AuthenticateOptions["scopeHierarchy"]): (found: Identity) => VerifiedIdentity {
  const made = new WeakMap<Identity, VerifiedIdentity>();
  return (found) => {
    if (!hierarchy && found instanceof VerifiedIdentity) return found;
    let identity = made.get(found);
    if (!identity) {
      checkIdentity(found);
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
