/** Who may use a component: what its author declares, made at sealing into the one policy that decides everywhere. */

import { AuthenticationError, ConfigurationError, MCPError, refusal } from "../errors.ts";
import type { AuthenticatedClient, Authenticator, ClientContext, Grants } from "../calls/client.ts";
import type { RequestContext } from "../calls/context.ts";
import type { OperationKind } from "../calls/operation.ts";
import {
  type AuthenticatedContext,
  type Denial,
  type Guard,
  checkGuards,
  firstDenial,
  hasAllScopes,
  hasRole,
  requireTenant,
} from "./guards.ts";

/** How tools, resources and prompts say who may use them. All that is said must hold. */
export interface AccessOptions<Args = unknown> {
  /** Whether callers must be known. Default: yes where an authenticator is installed, unless `public` is set. */
  readonly auth?: true;
  /** Whether anybody may use it, known or not. */
  readonly public?: true;
  /** Any one of these roles: short for the guard `hasRole(…)`. */
  readonly roles?: readonly string[];
  /** All of these scopes: short for the guard `hasAllScopes(…)`. */
  readonly scopes?: readonly string[];
  /** Callers of this tenant, or of these; `true`: of any. Short for the guard `requireTenant(…)`. */
  readonly tenant?: true | string | readonly string[];
  /** Asked in this order, those that go by arguments after the others: the first denial counts. */
  readonly guards?: readonly Guard<Args>[];
}

/** The options by which a handler knows that its caller is known. */
type Identifying =
  | { readonly auth: true }
  | { readonly roles: readonly string[] }
  | { readonly scopes: readonly string[] }
  | { readonly tenant: true | string | readonly string[] }
  | { readonly guards: readonly unknown[] };

/** What a handler with the options `P` knows of its caller. */
export type ClientOf<P> = P extends Identifying ? AuthenticatedClient : ClientContext;

/** Refuses what is no member of `Known`: options that are inferred would otherwise take anything. */
export type OnlyKnown<P, Known> = { readonly [K in Exclude<keyof P, keyof Known>]: never };

/** What a component declares, checked. */
export interface Access {
  readonly declared: "public" | "identified" | "nothing";
  readonly guards: readonly Guard<never>[];
}

/** Reads the access options of a component. Throws a {@link ConfigurationError} where they contradict each other. */
export function accessOf(what: string, options: AccessOptions<never>): Access {
  const { auth, roles, scopes, tenant, guards } = options;
  for (const [name, value] of Object.entries({ roles, scopes, tenant, guards })) {
    // What came from a variable that is not set would ask for nothing.
    if (value === undefined && Object.hasOwn(options, name))
      throw new ConfigurationError(
        `${what}: ${name} is undefined: is its environment variable set? Leave ${name} out to ask for none.`,
      );
  }
  for (const name of ["auth", "public"] as const) {
    const value: unknown = options[name];
    if (value !== undefined && value !== true)
      throw new ConfigurationError(`${what}: ${name} can only be true. Leave it out instead.`);
  }
  if (guards !== undefined) checkGuards(`${what}: guards`, guards);
  const tenants = tenant === true ? [] : typeof tenant === "string" ? [tenant] : tenant;
  const all: readonly Guard<never>[] = [
    ...(roles === undefined ? [] : [within(`${what}: roles`, roles, hasRole)]),
    ...(scopes === undefined ? [] : [within(`${what}: scopes`, scopes, hasAllScopes)]),
    ...(tenants === undefined ? [] : [within(`${what}: tenant`, tenants, requireTenant)]),
    ...(guards ?? []),
  ];
  const identified = auth === true || all.length > 0;
  if (options.public && identified) {
    throw new ConfigurationError(
      `${what} is public, and asks for ${auth ? "auth" : "roles, scopes, a tenant or guards"}. Leave out one of the two.`,
    );
  }
  return { declared: options.public ? "public" : identified ? "identified" : "nothing", guards: all };
}

/** What a component declares that asks for nothing. */
export const NO_ACCESS: Access = { declared: "nothing", guards: [] };

/** What `inner` asks for within `outer`: both. Nothing that is asked for outside can be given up inside. */
export function narrowed(outer: Access, inner: Access, what: string): Access {
  if (outer.declared !== "identified") return { ...inner, guards: [...outer.guards, ...inner.guards] };
  if (inner.declared === "public") {
    throw new ConfigurationError(
      `${what} is public within a router that asks who calls. Register it elsewhere, or leave out public.`,
    );
  }
  return { declared: "identified", guards: [...outer.guards, ...inner.guards] };
}

function within(what: string, names: readonly string[], make: (...names: readonly string[]) => Guard): Guard {
  try {
    // A text would be taken apart into its letters.
    if (Array.isArray(names)) return make(...names);
  } catch {
    // Told below.
  }
  throw new ConfigurationError(`${what} needs names, such as ["admin"].`);
}

/** Decides whether a caller sees a component, may use it, and what it is asked for otherwise. */
export class Policy {
  /** Whether callers must be known. */
  readonly authenticated: boolean;
  /** The scopes that a caller needs, all of them. */
  readonly scopes: readonly string[];
  readonly #guards: readonly Guard<never>[];
  readonly #deciding: readonly Guard<never>[];

  constructor({ declared, guards }: Access, isPrivate: boolean) {
    this.authenticated = declared === "identified" || (declared === "nothing" && isPrivate);
    this.#guards = guards;
    this.#deciding = guards.filter(({ decides }) => decides);
    this.scopes = [
      ...new Set(
        guards.flatMap(({ needs = [] }) =>
          needs.flatMap(({ grant, anyOf: [one] }) => (grant === "scopes" && one !== undefined ? [one] : [])),
        ),
      ),
    ];
  }

  /** Whether there is more to it than that callers are known. */
  get isGuarded(): boolean {
    return this.#guards.length > 0;
  }

  /** Whether it goes by arguments. */
  get goesByArguments(): boolean {
    return this.#deciding.length > 0;
  }

  /** Whether `client` is shown the component. */
  shows(client: ClientContext, kind: OperationKind): boolean {
    if (!this.authenticated) return true;
    return client.authenticated && !firstDenial(this.#guards, client, kind);
  }

  /** Throws where the caller may not use the component, whatever its arguments. */
  admit(ctx: RequestContext): void {
    if (!this.authenticated) return;
    const { client, operation } = ctx;
    if (!client.authenticated) throw missingIdentity();
    const denial = firstDenial(this.#guards, client, operation.kind);
    if (denial) throw denied(denial, ctx);
  }

  /** Those of `candidates` for the argument `name` with which the caller may use the component, as far as is known yet. */
  async allowed(
    candidates: readonly string[],
    name: string,
    others: Readonly<Record<string, string>>,
    ctx: RequestContext,
  ): Promise<readonly string[]> {
    const kept: string[] = [];
    for (const candidate of candidates) {
      if (ctx.signal.aborted) break;
      try {
        await this.decide({ ...others, [name]: candidate }, ctx);
        kept.push(candidate);
      } catch {
        // Denied. A guard that cannot tell of arguments that are yet to come does not allow them either.
      }
    }
    return kept;
  }

  /** Rejects where the caller may not use the component with these arguments. */
  async decide(args: unknown, ctx: RequestContext): Promise<void> {
    for (const { decides } of this.#deciding) {
      const denial = await decides?.(args as never, ctx as AuthenticatedContext);
      if (denial) throw denied(denial, ctx);
    }
  }

  /** What the component asks for that none of the authenticators in front of it can grant, in words. */
  unmet(grants: readonly (Grants | undefined)[]): readonly string[] {
    const needs = this.#guards.flatMap((guard) => guard.needs ?? []);
    return needs
      .filter(({ grant, anyOf }) =>
        grants.every((given) => {
          const known = given?.[grant];
          return known !== undefined && !anyOf.some((value) => known.has(value));
        }),
      )
      .map(({ grant, anyOf }) => `${NOUNS[grant]} ${anyOf.join(" or ")}`);
  }
}

const NOUNS = {
  roles: "the role",
  scopes: "the scope",
  clientIds: "the client",
  tenants: "the tenant",
} as const;

const MISSING: NonNullable<Authenticator["missing"]> = {
  message: "Missing authentication token",
  suggestion: "Send credentials in the Authorization header.",
};

/** The caller must be known, and nothing says who it is. */
export function missingIdentity({ message, suggestion }: typeof MISSING = MISSING): AuthenticationError {
  return refusal(() => new AuthenticationError(message, { suggestion }));
}

/** A guard's denial. `scopes` are those that the caller lacks, where that is why. */
export class AccessDeniedError extends MCPError {
  override readonly name = "AccessDeniedError";
  readonly missingScopes: readonly string[] | undefined;

  constructor(message: string, details: Readonly<Record<string, string>>, scopes?: readonly string[]) {
    super(message, { code: "ACCESS_DENIED", details });
    this.missingScopes = scopes;
  }
}

function denied({ guard, message, scopes }: Denial, { operation: { kind, name } }: RequestContext): MCPError {
  return refusal(() => new AccessDeniedError(message, { guard, [kind]: name }, scopes));
}
