/** A registration that starts and ends: with hooks, probes, and dependencies that live in between. */

import type { Dependency, DependencyScope } from "../dependencies/dependencies.ts";
import { ConfigurationError } from "../errors.ts";
import { shown } from "../options/known-options.ts";
import { type Hook, Lifecycle, type Probe } from "../operations/lifecycle.ts";
import { Registration } from "./registration.ts";
import { ServerDependencies } from "../dependencies/server-dependencies.ts";

export abstract class Lifespan extends Registration {
  /** @internal */
  protected readonly lifecycle: Lifecycle = new Lifecycle();
  /** @internal */
  protected readonly dependencies: ServerDependencies = new ServerDependencies();

  constructor() {
    super();
    this.lifecycle.afterCalls((logger) => this.dependencies.close(logger));
  }

  /** Runs before the server takes requests, in the order added. One that throws stops the start. */
  onStartup(hook: Hook): this {
    checkFunction("onStartup()", hook);
    this.lifecycle.onStartup(hook);
    return this;
  }

  /** Runs when the server has finished its requests, in reverse order. */
  onShutdown(hook: Hook): this {
    checkFunction("onShutdown()", hook);
    this.lifecycle.onShutdown(hook);
    return this;
  }

  /**
   * Adds a probe to `/health/ready`: while it throws, rejects, returns `false` or takes over 2 s, the server
   * is not ready.
   *
   * @param name - What the answer and the metrics call it. Other servers that are mounted here may have probes of the same name:
   *   then all of them have to pass.
   * @throws {@link ConfigurationError} where the name is empty or has been given, or the probe is no function.
   * @example
   * ```ts
   * server.readiness("database", () => db.ping());
   * ```
   */
  readiness(name: string, probe: Probe): this {
    if (typeof name !== "string" || !/^[\w.-]+(?: [\w.-]+)*$/.test(name))
      throw new ConfigurationError(
        `readiness(): the name is ${shown(name)}: write a few words of letters and digits, such as "database".`,
      );
    checkFunction(`readiness("${name}")`, probe);
    if (this.lifecycle.hasProbe(name))
      throw new ConfigurationError(
        `readiness("${name}") was called before: give each probe a name of its own.`,
      );
    this.lifecycle.addProbe(name, probe);
    return this;
  }

  /**
   * Puts another dependency in the place of one, wherever that is injected: for tests. The replacement may inject
   * what it replaces. Before the server starts. On a server that is mounted it counts for all of the server that runs, where
   * that one has no replacement of its own for the same: a dependency is one and the same for all that are served together.
   *
   * @param dependency - The one to be replaced.
   * @param replacement - What stands for it, of the same type; with `scope: "server"` where all calls share that one.
   * @throws {@link ConfigurationError} where it comes too late, or all calls share the one and not the other.
   * @example
   * ```ts
   * server.override(database, dependency(() => new FakeDatabase()));
   * ```
   */
  override<T, S extends DependencyScope>(dependency: Dependency<T, S>, replacement: Dependency<T>): this {
    this.dependencies.replace(dependency, replacement);
    return this;
  }

  /** Takes over the hooks, probes and replacements of a server that is mounted. @internal */
  protected adopt(other: Lifespan): void {
    this.lifecycle.adopt(other.lifecycle);
    this.dependencies.adopt(other.dependencies);
  }
}

function checkFunction(what: string, given: unknown): void {
  if (typeof given !== "function")
    throw new ConfigurationError(`${what} got ${shown(given)}: pass a function, such as () => db.ping().`);
}
