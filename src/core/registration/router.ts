/** Components that belong together: registered under a prefix, with what they share said once. */

import { isAuthentication } from "../identity/authentication.ts";
import { type Middleware, checkMiddleware } from "../calls/compose.ts";
import { ConfigurationError } from "../errors.ts";
import { type Names, checkKnown } from "../options/known-options.ts";
import { type AccessOptions, accessOf } from "../access/policy.ts";
import { type Blueprint, NO_SCOPE, Registration, type Scope, type Sink, within } from "./registration.ts";

/** What the components of a router share. It adds to what each of them says, and takes nothing away. */
export interface RouterOptions extends Omit<AccessOptions, "public"> {
  /** Stands before the names of tools, with `_` between. URIs and names of prompts stay as they are. */
  readonly prefix?: string;
  readonly tags?: readonly string[];
  /** Layers around the components of the router, inside those of the server; the first is the outermost. */
  readonly middleware?: readonly Middleware[];
}

/** How a router is taken in. */
export interface IncludeOptions {
  /** Stands before the router's own prefix. */
  readonly prefix?: string;
  /** Further tags. */
  readonly tags?: readonly string[];
}

const OPTIONS: Names<RouterOptions> = {
  prefix: true,
  tags: true,
  auth: true,
  roles: true,
  scopes: true,
  tenant: true,
  guards: true,
  middleware: true,
};
const INCLUDE: Names<IncludeOptions> = { prefix: true, tags: true };

/**
 * A part of a server: the same `tool`, `resource` and `prompt`, under a prefix and with requirements, tags and
 * middleware that all of them share. Routers nest.
 *
 * @throws {@link ConfigurationError} where options contradict each other.
 * @example
 * ```ts
 * const tasks = new MCPRouter({ prefix: "tasks", tags: ["tasks"], auth: true });
 * tasks.tool("list", { description: "List all tasks." }, () => store.all());
 * server.include(tasks); // tasks_list
 * ```
 */
export class MCPRouter extends Registration {
  readonly #scope: Scope;
  readonly #layers: Middleware[];
  readonly #registered: (readonly [Blueprint, Scope | undefined])[] = [];
  readonly #sinks: Sink[] = [];
  /** The routers taken in here, and in those. */
  readonly #within = new Set<MCPRouter>();

  constructor(options: RouterOptions = {}) {
    super();
    checkKnown("MCPRouter", options, OPTIONS);
    const { prefix, tags = [], middleware = [] } = options;
    const what = `MCPRouter${prefix === undefined ? "" : ` "${prefix}"`}`;
    for (const layer of middleware) checkLayer(layer);
    this.#layers = [...middleware];
    this.#scope = {
      prefixes: prefixes(prefix, what),
      tags,
      access: accessOf(what, options),
      layers: this.#layers,
    };
  }

  /** Adds a layer around the components of this router. Before the router is included. */
  use(middleware: Middleware): this {
    if (this.#sinks.length > 0)
      throw new ConfigurationError("use() comes too late: the router is included. Call it before include().");
    checkLayer(middleware);
    this.#layers.push(middleware);
    return this;
  }

  /**
   * Takes in another router, with what it has now and what is registered on it later.
   *
   * @example
   * ```ts
   * reports.include(finance); // reports_finance_revenue
   * ```
   */
  include(router: MCPRouter, options: IncludeOptions = {}): this {
    if (router === this || router.#within.has(this))
      throw new ConfigurationError("A router cannot be within itself: leave out this include().");
    this.#within.add(router);
    for (const inner of router.#within) this.#within.add(inner);
    router.attach((blueprint, scope) => this.#take(blueprint, scope), options);
    return this;
  }

  /** Gives everything that is registered, now and later, to `sink`. @internal */
  attach(sink: Sink, options: IncludeOptions): void {
    const outer = includeScope(options);
    const own: Sink = (blueprint, scope) => sink(blueprint, within(outer, scope, "include()"));
    this.#sinks.push(own);
    for (const [blueprint, scope] of this.#registered) own(blueprint, this.#scoped(scope));
  }

  protected register(blueprint: Blueprint): void {
    this.#take(blueprint, undefined);
  }

  #take(blueprint: Blueprint, scope: Scope | undefined): void {
    this.#registered.push([blueprint, scope]);
    for (const sink of this.#sinks) sink(blueprint, this.#scoped(scope));
  }

  #scoped(inner: Scope | undefined): Scope {
    const own = { ...this.#scope, layers: [...this.#layers] };
    return inner ? within(own, inner, "MCPRouter") : own;
  }
}

/** What taking in adds to a component. */
export function includeScope(options: IncludeOptions): Scope {
  checkKnown("include()", options, INCLUDE);
  return { ...NO_SCOPE, prefixes: prefixes(options.prefix, "include()"), tags: options.tags ?? [] };
}

function prefixes(prefix: string | undefined, what: string): readonly string[] {
  if (prefix === undefined || prefix === "") return [];
  if (!/^[A-Za-z0-9_.-]+$/.test(prefix))
    throw new ConfigurationError(`${what}: bad prefix. Use letters, digits, "_", "-" and ".".`);
  return [prefix];
}

/** Lists and discovery are the server's, and have to know who calls as well. */
function checkLayer(layer: Middleware): void {
  checkMiddleware(layer);
  if (isAuthentication(layer))
    throw new ConfigurationError(
      "authenticate() belongs to the server, which knows callers for all: server.use(authenticate(…)).",
    );
}
