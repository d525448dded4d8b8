/** What of a component's answers may be kept, and for whom: options, and their checks. */

import { type Duration, milliseconds } from "../options/duration.ts";
import { ConfigurationError } from "../errors.ts";
import { type Names, checkChoice, checkKnown, shown } from "../options/known-options.ts";
import type { Access } from "../access/policy.ts";

/**
 * Who is given what was made for another call with the same arguments. `caller`: the same caller with the same roles and
 * scopes, also with another token; those of whom nothing is known, by their address. `tenant`: callers of one tenant with the
 * same roles and scopes. `shared`: everybody whom the component lets in; not for components with guards.
 */
export type CacheScope = "caller" | "tenant" | "shared";

/** How long a component's results are kept, and for whom. */
export interface CacheOptions<S extends CacheScope = CacheScope> {
  /** How long a result is fresh: calls with the same arguments are given it, and the handler does not run. */
  readonly ttl: Duration;
  /**
   * For how much longer a result is still given, while a new one is made after the answer (RFC 5861, section 3). Default: not
   * at all.
   */
  readonly staleWhileRevalidate?: Duration;
  /** Who is given it. Default: `caller`. */
  readonly scope?: S;
}

/** How tools, resources and prompts say that their results may be kept. */
export interface CachedOptions {
  /**
   * Keeps results for calls with the same arguments: `{ ttl: "5m" }`. Errors and refusals are not kept, nor are results of
   * calls that asked their client. Policy, guards, limits and validation come before.
   */
  readonly cache?: CacheOptions;
}

/** How calls are told to be the same. */
export interface IdempotencyOptions {
  /** How long the result of the first call is given to others. Default: `"24h"`. */
  readonly ttl?: Duration;
  /**
   * `arguments`: calls of one caller with the same arguments are the same, unless the client names them by keys. `client`: only
   * calls with the same key are. Default: `arguments` for a tool that is `idempotent`; `client` for the layer `idempotency()`,
   * which knows nothing of the tools that it is around.
   */
  readonly key?: "arguments" | "client";
}

/** How tools say what their calls change. */
export interface ChangingOptions {
  /**
   * Lets calls have their effect once: those that are the same are given the result of the first, and wait for it where it runs.
   * What fails is not kept. Clients name calls by `idempotencyKey` in `_meta`, or by the header `Idempotency-Key`. `true`, or
   * {@link IdempotencyOptions}; `false`: every call runs, whatever a layer says. Default: what the innermost `idempotency()` around
   * it says, where it is not `readOnlyHint` and has no cache; else every call runs.
   */
  readonly idempotent?: boolean | IdempotencyOptions;
  /** Tags of components whose kept results are forgotten once this tool has run, for all callers, whatever became of it. */
  readonly invalidates?: readonly string[];
}

/** The options by which a component has guards. */
type Guarding =
  | { readonly roles: readonly string[] }
  | { readonly scopes: readonly string[] }
  | { readonly tenant: true | string | readonly string[] }
  | { readonly guards: readonly unknown[] };

/** What a component with the options `P` may keep: with guards, nothing that all callers share. */
export type CacheOf<P> = P extends Guarding
  ? { readonly cache?: CacheOptions<"caller" | "tenant"> }
  : unknown;

/** What a component keeps, checked; durations in milliseconds. */
export interface CachePlan {
  readonly ttl: number;
  readonly stale: number;
  readonly scope: CacheScope;
}

/** How calls have their effect once, checked; in milliseconds. */
export interface IdempotencyPlan {
  readonly ttl: number;
  readonly key: "arguments" | "client";
}

/** What a component declares of kept results, checked. */
export interface DeclaredCaching {
  /** `false`: not either by a layer. */
  readonly idempotent: IdempotencyPlan | false | undefined;
  readonly cache: CachePlan | undefined;
  readonly invalidates: readonly string[];
}

const CACHE: Names<CacheOptions> = { ttl: true, staleWhileRevalidate: true, scope: true };

/** Reads what a component says of kept results. Throws a {@link ConfigurationError} that says what to write. */
export function declaredCaching(
  what: string,
  { cache, invalidates = [], idempotent }: CachedOptions & ChangingOptions,
): DeclaredCaching {
  if (!Array.isArray(invalidates) || !invalidates.every((tag) => typeof tag === "string"))
    throw new ConfigurationError(
      `${what}: invalidates is ${shown(invalidates)}: write the tags of components with a cache, such as ["tasks"].`,
    );
  const plan =
    idempotent === undefined || idempotent === false
      ? idempotent
      : idempotencyPlan(`${what}: idempotent`, idempotent, "arguments");
  if (cache === undefined) return { cache, invalidates, idempotent: plan };
  if (invalidates.length > 0 || plan)
    throw new ConfigurationError(
      `${what} has a cache, and ${plan ? "is idempotent" : "invalidates others'"}. What changes something has to run: leave out one of the two.`,
    );
  return { cache: cachePlan(`${what}: cache`, cache), invalidates, idempotent: plan };
}

const IDEMPOTENT: Names<IdempotencyOptions> = { ttl: true, key: true };

/** Reads how calls have their effect once. Throws a {@link ConfigurationError} that says what to write. */
export function idempotencyPlan(
  what: string,
  options: true | IdempotencyOptions,
  otherwise: IdempotencyPlan["key"],
): IdempotencyPlan {
  if (options !== true && (typeof options !== "object" || options === null))
    throw new ConfigurationError(`${what} is ${shown(options)}: write true, or { ttl: "1h" }.`);
  if (options !== true) checkKnown(what, options, IDEMPOTENT);
  const { ttl = "24h", key = otherwise } = options === true ? {} : options;
  checkChoice(`${what}: key`, key, ["arguments", "client"]);
  return { ttl: lifetime(`${what}: ttl`, ttl), key };
}

function cachePlan(what: string, options: CacheOptions): CachePlan {
  if (typeof options !== "object" || options === null)
    throw new ConfigurationError(`${what} is ${shown(options)}: write one such as { ttl: "5m" }.`);
  checkKnown(what, options, CACHE);
  const { ttl, staleWhileRevalidate = 0, scope = "caller" } = options;
  checkChoice(`${what}: scope`, scope, ["caller", "tenant", "shared"]);
  return {
    ttl: lifetime(`${what}: ttl`, ttl),
    stale: milliseconds(staleWhileRevalidate, `${what}: staleWhileRevalidate`),
    scope,
  };
}

/** How long something is kept, in milliseconds. */
export function lifetime(what: string, duration: Duration): number {
  const time = milliseconds(duration, what);
  if (time === 0)
    throw new ConfigurationError(`${what} is 0, which keeps nothing: write a duration, such as "5m".`);
  return time;
}

/** Throws where results would reach callers whom guards might have told apart. */
export function checkShared(what: string, cache: CachePlan | undefined, access: Access): void {
  if (cache?.scope !== "shared" || access.guards.length === 0) return;
  throw new ConfigurationError(
    `${what} has guards, and a cache that all callers share. Leave out the cache's scope: each caller has results of its own then.`,
  );
}
