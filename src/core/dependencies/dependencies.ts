/** Dependencies as their authors write them: what handlers are given, and how it is opened and closed. */

import { RequestContext } from "../calls/context.ts";
import { ConfigurationError } from "../errors.ts";
import { type Names, checkKnown, shown } from "../options/known-options.ts";
import type { Logger } from "../ports.ts";
import { after } from "../values/promises.ts";

/**
 * How long a dependency lives and who shares it: everything in one call, everything on the server, or nobody: a
 * transient one is opened for each place that injects it, and lives as long as the call.
 */
export type DependencyScope = "call" | "server" | "transient";

/** Something that handlers are given, made by {@link dependency}. */
export interface Dependency<T, S extends DependencyScope = DependencyScope> {
  readonly scope: S;
  /** What it takes itself. */
  readonly inject: Dependencies;
  /** Opens it, for a call or for the server. */
  readonly open: (ctx: never, injected: never) => Opened<T> | Promise<Opened<T>>;
}

/** Dependencies by the names under which they are injected. */
export type Dependencies = Readonly<Record<string, Dependency<unknown>>>;

/** The dependencies of a component: what its context has already is no name for one. */
export type Injectable = Dependencies & { readonly [K in keyof RequestContext]?: never };

/** The values of the dependencies `D`, by name. */
export type Injected<D> = { readonly [K in keyof D]: D[K] extends Dependency<infer T> ? T : never };

/** How components say what their handlers are given. */
export interface InjectOptions {
  /** What the handler finds in its context besides, by name: `inject: { db: database }` is `ctx.db`. */
  readonly inject?: Injectable;
}

/** What a handler with the options `P` finds in its context besides. */
export type InjectedBy<P> = P extends { readonly inject: infer D } ? Injected<D> : unknown;

/** What a function that opens a dependency provides: what its generator yields, else what it returns. */
export type Provided<R> =
  R extends AsyncGenerator<infer T, unknown, never>
    ? T
    : R extends Generator<infer T, unknown, never>
      ? T
      : Awaited<R>;

/** What dependencies of the whole server know, which belong to no call. */
export interface ServerContext {
  /** The server's own log. */
  readonly logger: Logger;
}

/** The value of a dependency, in use. */
export interface Opened<T> {
  readonly value: T;
  /** Ends its use, and tells it how that ended. Not there where nothing is to be done. */
  readonly close?: (failure: Failure | undefined) => void | Promise<void>;
}

/** Why a call failed. What was thrown may be anything, also nothing. */
export interface Failure {
  readonly error: unknown;
}

interface ScopeOptions<S extends DependencyScope, D extends Dependencies> {
  /** Default: `"call"`. */
  readonly scope?: S;
  /** What it needs itself. */
  readonly inject?: D;
}

/**
 * Something that handlers need and should not have to open, share and close themselves: a connection, a
 * transaction, a client of another service. It is opened for calls that policy and validation let pass, once for
 * each call however often it is injected, and closed in reverse order on every way out.
 *
 * A function that returns gives the value. A generator yields it, and goes on when it is no longer needed: after
 * the `yield` where the call succeeded, and with its error thrown at the `yield` where it failed, was cancelled or
 * took too long. What fails after a success fails the call; what fails after a failure is logged.
 *
 * @param options.scope - `"call"` (default): one for all that a call injects. `"transient"`: one for each place.
 *   `"server"`: opened when first needed, for all calls, closed at shutdown before the hooks; it may take
 *   dependencies of that scope alone.
 * @param options.inject - Dependencies that it takes itself.
 * @param open - Gets the request's context (with scope `"server"` a {@link ServerContext}), and what it injects.
 * @throws {@link ConfigurationError} where the options cannot be served.
 * @example
 * ```ts
 * const pool = dependency({ scope: "server" }, async function* () {
 *   const connections = await Pool.connect(process.env.DATABASE_URL);
 *   yield connections;
 *   await connections.end();
 * });
 * const transaction = dependency({ inject: { pool } }, async function* (_ctx, { pool }) {
 *   const tx = await pool.begin();
 *   try {
 *     yield tx;
 *     await tx.commit();
 *   } catch (error) {
 *     await tx.rollback();
 *     throw error;
 *   }
 * });
 * server.tool("rename", { description: "Rename a task.", input, inject: { tx: transaction } }, ({ id, title }, { tx }) =>
 *   tx.query("update tasks set title = $1 where id = $2", [title, id]));
 * ```
 */
export function dependency<R>(open: (ctx: RequestContext) => R): Dependency<Provided<R>, "call">;
export function dependency<
  R,
  const D extends Readonly<Record<string, Dependency<unknown, "server">>> = never,
>(
  options: ScopeOptions<"server", D> & { readonly scope: "server" },
  open: (ctx: ServerContext, injected: Injected<D>) => R,
): Dependency<Provided<R>, "server">;
export function dependency<
  R,
  const D extends Dependencies = never,
  const S extends "call" | "transient" = "call",
>(
  options: ScopeOptions<S, D>,
  open: (ctx: RequestContext, injected: Injected<D>) => R,
): Dependency<Provided<R>, S>;
export function dependency(
  ...given: [Opener] | [ScopeOptions<DependencyScope, Dependencies>, Opener]
): Dependency<unknown> {
  const [options, open] = given.length === 1 ? [{}, given[0]] : given;
  if (typeof open !== "function")
    throw new ConfigurationError(
      "A dependency has no function that opens it. Write dependency(() => …), or dependency({ inject: { … } }, (ctx, { … }) => …).",
    );
  checkKnown("dependency()", options, OPTIONS);
  const { scope = "call", inject = {} } = options;
  if (!Object.hasOwn(SCOPES, scope))
    throw new ConfigurationError(
      `dependency(): scope is ${shown(scope)}: write "call", "server" or "transient".`,
    );
  checkInject("dependency()", inject);
  const foreign = Object.entries(inject).find(([, inner]) => scope === "server" && inner.scope !== "server");
  if (foreign) {
    throw new ConfigurationError(
      `dependency(): "${foreign[0]}" lives as long as a call, and cannot be injected into what all calls share. Give it scope: "server" too.`,
    );
  }
  return {
    scope,
    inject: { ...inject },
    open: (ctx: never, injected: never) => opened(open(ctx, injected)),
  };
}

type Opener = (ctx: never, injected: never) => unknown;

const OPTIONS: Names<ScopeOptions<DependencyScope, Dependencies>> = { scope: true, inject: true };

const SCOPES: Readonly<Record<DependencyScope, true>> = { call: true, server: true, transient: true };

/** Throws a {@link ConfigurationError} where `inject` does not name dependencies. */
function checkInject(what: string, inject: unknown): void {
  const entries = typeof inject === "object" && inject !== null ? Object.entries(inject) : undefined;
  if (!entries)
    throw new ConfigurationError(`${what}: inject is ${shown(inject)}: write { db: dependency(…) }.`);
  for (const [name, value] of entries) {
    if (isDependency(value)) continue;
    throw new ConfigurationError(
      `${what}: inject has "${name}", which is not a dependency. Make it one: dependency(() => …).`,
    );
  }
}

/** The same for a component, whose context is given the values. */
export function checkInjectable(what: string, inject: unknown): void {
  checkInject(what, inject);
  for (const name of Object.keys(inject as Dependencies)) {
    if (!(name in RequestContext.prototype) && name !== "operation") continue;
    throw new ConfigurationError(
      `${what}: inject has "${name}", which every context has already. Choose another name.`,
    );
  }
}

export function isDependency(value: unknown): value is Dependency<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.hasOwn(SCOPES, (value as Dependency<unknown>).scope) &&
    typeof (value as Dependency<unknown>).open === "function"
  );
}

/** What a function that opens a dependency came to. */
function opened(result: unknown): Opened<unknown> | Promise<Opened<unknown>> {
  if (isGenerator(result))
    return after(result.next(), ({ value, done }) => {
      if (done)
        throw new Error(
          "A dependency's generator ended without a value: write yield before what closes it, once.",
        );
      return { value, close: (failure) => close(result, failure) };
    });
  return after(result, (value) => ({ value }));
}

type AnyGenerator = Pick<Generator | AsyncGenerator, "next" | "throw" | "return">;

function isGenerator(value: unknown): value is AnyGenerator {
  const { next, throw: raise, return: end } = (value ?? {}) as Partial<AnyGenerator>;
  return typeof next === "function" && typeof raise === "function" && typeof end === "function";
}

function close(generator: AnyGenerator, failure: Failure | undefined): void | Promise<void> {
  return after(failure ? generator.throw(failure.error) : generator.next(), ({ done }) => {
    if (done) return;
    return after(generator.return(undefined), () => {
      throw new Error("A dependency's generator yielded twice: it gives one value.");
    });
  });
}
