/** Several authenticators as one. */

import type { Authenticator, Credentials, Deployment, Grants, Identity } from "../core/calls/client.ts";
import { AuthenticationError, ConfigurationError } from "../core/errors.ts";
import { isPromise } from "../core/values/promises.ts";
import { isForeign } from "./refusals.ts";

/**
 * Identifies callers by the first authenticator that accepts their credentials. What one refuses, another may
 * accept. Where none does, callers are told what the one says whose kind the credentials are; where one could not
 * tell, that they may try again. Each sees what those before it refused.
 *
 * @param authenticators - At least one, in the order in which they are asked.
 * @throws {@link ConfigurationError} where one of them is none.
 * @example
 * ```ts
 * server.use(authenticate(firstOf(jwtAuth({ discovery, audience }), apiKeyAuth({ keys }))));
 * ```
 */
export function firstOf(...authenticators: readonly Authenticator[]): Authenticator {
  if (
    authenticators.length === 0 ||
    !authenticators.every((each) => typeof each?.authenticate === "function")
  )
    throw new ConfigurationError(
      "firstOf() needs authenticators: firstOf(jwtAuth({ … }), apiKeyAuth({ … })).",
    );

  const ask = (credentials: Credentials, index: number, failure?: Failure): Answer => {
    const authenticator = authenticators[index];
    if (!authenticator) {
      if (failure) throw failure.error;
      return undefined;
    }
    const next = (error: unknown) => ask(credentials, index + 1, telling(failure, { error }));
    const settle = (identity: Identity | undefined) => identity ?? ask(credentials, index + 1, failure);
    let found;
    try {
      found = authenticator.authenticate(credentials);
    } catch (error) {
      return next(error);
    }
    return isPromise(found) ? found.then(settle, next) : settle(found);
  };

  return {
    authenticate: (credentials) => ask(credentials, 0),
    grants: {
      ...union("clientIds", authenticators),
      ...union("roles", authenticators),
      ...union("scopes", authenticators),
      ...union("tenants", authenticators),
    },
    problems: (deployment: Deployment) => authenticators.flatMap((each) => each.problems?.(deployment) ?? []),
  };
}

type Answer = Identity | undefined | Promise<Identity | undefined>;

interface Failure {
  readonly error: unknown;
}

/** Of two failures the one that tells more, or else the earlier. */
function telling(earlier: Failure | undefined, later: Failure): Failure {
  return earlier && weight(earlier) >= weight(later) ? earlier : later;
}

/** That nobody knows weighs more than why credentials do not hold, and that more than that they are others'. */
function weight({ error }: Failure): number {
  if (!(error instanceof AuthenticationError)) return 2;
  return isForeign(error) ? 0 : 1;
}

/** What all can grant together; nothing where one of them may grant anything. */
function union(grant: keyof Grants, authenticators: readonly Authenticator[]): Grants {
  const sets = authenticators.map(({ grants }) => grants?.[grant]);
  return sets.every((set) => set !== undefined) ? { [grant]: new Set(sets.flatMap((set) => [...set])) } : {};
}
