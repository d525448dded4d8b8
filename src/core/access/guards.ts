/** Guards: who may use a component. The texts of denials are the guide's. */

import type { AuthenticatedClient } from "../calls/client.ts";
import type { RequestContext } from "../calls/context.ts";
import type { OperationKind } from "../calls/operation.ts";
import { ConfigurationError } from "../errors.ts";

/** A context whose caller is known. */
export type AuthenticatedContext = RequestContext<AuthenticatedClient>;

/** Why a guard refuses. */
export interface Denial {
  /** The name of the guard, told to the caller. */
  readonly guard: string;
  readonly message: string;
  /** The scopes with which it would admit the caller, where that is what the caller lacks. */
  readonly scopes?: readonly string[];
}

/**
 * Decides who may use a component: who sees it in lists, whose calls run, and what the others are asked for.
 * Made by {@link hasRole} and its siblings, {@link anyOf}, {@link allOf}, and {@link guard} for one's own.
 */
export interface Guard<Args = unknown> {
  readonly name: string;
  /** The denial that `client` gets whatever it asks for. A guard that goes by arguments denies nobody here. */
  readonly admits: (client: AuthenticatedClient, kind: OperationKind) => Denial | undefined;
  /** The denial for these arguments. Asked after `admits`, of guards that go by arguments alone. */
  readonly decides?: (args: Args, ctx: AuthenticatedContext) => Promise<Denial | undefined>;
  /** What a caller needs so that the guard may admit it, where that can be told: sealing holds it against authenticators. */
  readonly needs?: readonly Need[];
}

/** Any of these values must be among what an authenticator can grant. */
export interface Need {
  readonly grant: "roles" | "scopes" | "clientIds" | "tenants";
  readonly anyOf: readonly string[];
}

/** Any one of these roles. */
export function hasRole(...roles: readonly string[]): Guard {
  check("hasRole", roles);
  return {
    name: "HasRole",
    needs: [{ grant: "roles", anyOf: roles }],
    admits: (client) =>
      roles.some((role) => client.roles.has(role))
        ? undefined
        : {
            guard: "HasRole",
            message: `Requires any of roles ${list(roles)}, but client has ${list(client.roles)}`,
          },
  };
}

/** All of these roles. */
export function hasAllRoles(...roles: readonly string[]): Guard {
  check("hasAllRoles", roles);
  return {
    name: "HasAllRoles",
    needs: needEach("roles", roles),
    admits: (client) => {
      const missing = roles.filter((role) => !client.roles.has(role));
      return missing.length === 0
        ? undefined
        : {
            guard: "HasAllRoles",
            message: `Requires all roles ${list(roles)}, client has ${list(client.roles)}, missing ${list(missing)}`,
          };
    },
  };
}

/** Any one of these scopes. */
export function hasScope(...scopes: readonly string[]): Guard {
  check("hasScope", scopes);
  return {
    name: "HasScope",
    needs: [{ grant: "scopes", anyOf: scopes }],
    admits: (client) =>
      scopes.some((scope) => client.scopes.has(scope))
        ? undefined
        : {
            guard: "HasScope",
            message: `Requires any of scopes ${list(scopes)}, but client has ${list(client.scopes)}`,
            // The first is enough, and nobody is to be asked for more than that.
            scopes: scopes.slice(0, 1),
          },
  };
}

/** All of these scopes. */
export function hasAllScopes(...scopes: readonly string[]): Guard {
  check("hasAllScopes", scopes);
  return {
    name: "HasAllScopes",
    needs: needEach("scopes", scopes),
    admits: (client) => {
      const missing = scopes.filter((scope) => !client.scopes.has(scope));
      return missing.length === 0
        ? undefined
        : {
            guard: "HasAllScopes",
            message: `Requires all scopes ${list(scopes)}, client has ${list(client.scopes)}, missing ${list(missing)}`,
            scopes,
          };
    },
  };
}

const DOES = {
  tool: "call this tool",
  resource: "read this resource",
  prompt: "use this prompt",
} as const;

/** Only these clients. Their ids are not told to others. */
export function requireClientId(...clientIds: readonly string[]): Guard {
  check("requireClientId", clientIds);
  return {
    name: "RequireClientId",
    needs: [{ grant: "clientIds", anyOf: clientIds }],
    admits: ({ clientId }, kind) =>
      clientIds.includes(clientId)
        ? undefined
        : {
            guard: "RequireClientId",
            message: `Client '${clientId}' is not allowed to ${kind in DOES ? DOES[kind as keyof typeof DOES] : "do this"}`,
          },
  };
}

/** Clients that belong to one of these tenants; without any, to a tenant at all. */
export function requireTenant(...tenants: readonly string[]): Guard {
  const noun = (kind: OperationKind) => (kind in DOES ? kind : "operation");
  return {
    name: tenants.length === 0 ? "RequireTenant" : "HasTenant",
    needs: tenants.length === 0 ? [] : [{ grant: "tenants", anyOf: tenants }],
    admits: ({ tenantId }, kind) => {
      if (tenants.length === 0) {
        return tenantId === undefined
          ? {
              guard: "RequireTenant",
              message: `This ${noun(kind)} requires a tenant identity, but the client presented no tenant claim (check the token's tenant claim or the API-key config's tenantId)`,
            }
          : undefined;
      }
      if (tenantId === undefined) {
        return {
          guard: "HasTenant",
          message: `This ${noun(kind)} requires a tenant identity, but the client presented none`,
        };
      }
      return tenants.includes(tenantId)
        ? undefined
        : {
            guard: "HasTenant",
            message: `This ${noun(kind)} is not available to tenant '${tenantId}'`,
          };
    },
  };
}

/**
 * A guard of your own, by the validated arguments and by who calls. It does not hide its component from lists.
 *
 * @param name - Told to callers that it refuses.
 * @param decide - Whether the call may go on. The arguments that it reads have their types written: its component must have them. What it throws ends the call too.
 * @param options.message - What refused callers read. Default: that the guard refused.
 * @example
 * ```ts
 * server.tool("edit_task", {
 *   description: "Edit a task.",
 *   input: z.object({ id: z.string() }),
 *   guards: [guard("owner", ({ id }: { id: string }, { client }) => tasks.get(id)?.owner === client.clientId, { message: "Only its owner may edit a task." })],
 * }, ({ id }) => …);
 * ```
 */
export function guard<Args>(
  name: string,
  decide: (args: Args, ctx: AuthenticatedContext) => boolean | Promise<boolean>,
  options: { readonly message?: string } = {},
): Guard<Args> {
  if (typeof name !== "string" || name === "" || typeof decide !== "function")
    throw new ConfigurationError('guard() needs a name and a function: guard("owner", (args, ctx) => …).');
  const denial = { guard: name, message: options.message ?? `Guard '${name}' does not allow this` };
  return {
    name,
    admits: () => undefined,
    // Nothing but true admits: a guard that forgets to answer refuses.
    decides: async (args, ctx) => (((await decide(args, ctx)) as unknown) === true ? undefined : denial),
  };
}

/** All of these guards: the first denial counts. */
export function allOf<Args>(...guards: readonly Guard<Args>[]): Guard<Args> {
  checkGuards("allOf", guards);
  const deciding = guards.filter(({ decides }) => decides);
  return {
    name: "AllOf",
    needs: guards.flatMap(({ needs = [] }) => needs),
    admits: (client, kind) => firstDenial(guards, client, kind),
    ...(deciding.length > 0 && {
      decides: async (args: Args, ctx: AuthenticatedContext) => {
        for (const { decides } of deciding) {
          const denial = await decides?.(args, ctx);
          if (denial) return denial;
        }
        return undefined;
      },
    }),
  };
}

/** Any one of these guards. The denial names what each of them asks for. */
export function anyOf<Args>(...guards: readonly Guard<Args>[]): Guard<Args> {
  checkGuards("anyOf", guards);
  const together = (denials: readonly Denial[]): Denial => {
    const scopes = denials.find((denial) => denial.scopes)?.scopes;
    return {
      guard: "AnyOf",
      message: denials.map(({ message }) => message).join("; or: "),
      ...(scopes && { scopes }),
    };
  };
  return {
    name: "AnyOf",
    admits: (client, kind) => {
      const denials = guards.map((each) => each.admits(client, kind));
      return denials.every((denial) => denial !== undefined) ? together(denials) : undefined;
    },
    ...(guards.some(({ decides }) => decides) && {
      decides: async (args: Args, ctx: AuthenticatedContext) => {
        const denials: Denial[] = [];
        for (const { admits, decides } of guards) {
          const denial = admits(ctx.client, ctx.operation.kind) ?? (await decides?.(args, ctx));
          if (!denial) return undefined;
          denials.push(denial);
        }
        return together(denials);
      },
    }),
  };
}

/** The first denial that a client gets whatever it asks for, if any. */
export function firstDenial(
  guards: readonly Pick<Guard<never>, "admits">[],
  client: AuthenticatedClient,
  kind: OperationKind,
): Denial | undefined {
  for (const { admits } of guards) {
    const denial = admits(client, kind);
    if (denial) return denial;
  }
  return undefined;
}

export function checkGuards(what: string, guards: unknown): void {
  const sound =
    Array.isArray(guards) &&
    guards.every((each) => typeof (each as Partial<Guard> | null)?.admits === "function");
  if (!sound || guards.length === 0)
    throw new ConfigurationError(`${what} needs guards, such as hasRole("admin").`);
}

function needEach(grant: Need["grant"], values: readonly string[]): readonly Need[] {
  return values.map((value) => ({ grant, anyOf: [value] }));
}

function check(what: string, values: readonly unknown[]): void {
  if (values.length === 0 || values.some((value) => typeof value !== "string" || value === ""))
    throw new ConfigurationError(`${what}() needs names, such as ${what}("admin").`);
}

function list(values: Iterable<string>): string {
  const sorted = [...values].toSorted();
  return `[${sorted.length === 0 ? "(none)" : sorted.join(", ")}]`;
}
