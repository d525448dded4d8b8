/** The server as it serves now: sealed when it starts, and again when its components have changed. */

import { identityProblems, orderProblems } from "./identity/authentication.ts";
import { Compilers, examine } from "./components/compilers.ts";
import { type ComponentDefinition, schemasOf } from "./components/definitions.ts";
import { type Middleware, isPassive } from "./calls/compose.ts";
import { InvalidatedTags, idempotencyOf } from "./sealed/effects.ts";
import { ConfigurationError } from "./errors.ts";
import type { HeartOptions } from "./sealed/heart.ts";
import type { Lifecycle } from "./operations/lifecycle.ts";
import type { MCPServerOptions } from "./server-options.ts";
import type { Logger, Validator } from "./ports.ts";
import type { Recordings } from "./sealed/recording.ts";
import type { Registry } from "./registration/registry.ts";
import { LOADERS, cachingOf, declaredLayers } from "./rooms.ts";
import { type Schema, validator } from "./schemas/schema.ts";
import { seal } from "./sealed/seal.ts";
import type { Sealed, ServerInfo } from "./sealed/sealed.ts";
import type { ServerDependencies } from "./dependencies/server-dependencies.ts";
import { type Observer, stagesOf } from "./calls/observers.ts";
import type { Stores } from "./sharing/stores.ts";

/** The server that is sealed. What can change before the start is read when it is. */
export interface Sealable {
  readonly info: ServerInfo;
  readonly options: MCPServerOptions;
  /** The time limit of operations for which nothing sets another, in milliseconds. */
  readonly timeout: number;
  readonly registry: Registry;
  readonly middleware: readonly Middleware[];
  readonly observers: readonly Observer[];
  readonly recordings: Recordings;
  readonly stores: Stores;
  readonly lifecycle: Lifecycle;
  readonly dependencies: ServerDependencies;
}

export class Sealing {
  readonly #server: Sealable;
  readonly #compilers = new Compilers(LOADERS);
  #tags: InvalidatedTags | undefined;
  /** What stands around handlers, made once: sealing again forgets nothing that is kept. */
  #around: HeartOptions["around"] | undefined;
  #sealed: Sealed | undefined;
  #version = -1;

  constructor(server: Sealable) {
    this.#server = server;
  }

  /** Whether the server has been sealed at least once. */
  get started(): boolean {
    return this.#sealed !== undefined;
  }

  /** The sealed server, sealed again where components have changed. */
  current(logger: Logger): Sealed | Promise<Sealed> {
    const { registry } = this.#server;
    return this.#sealed && this.#version === registry.version ? this.#sealed : this.seal(logger);
  }

  /**
   * Seals the components as they are now. What is wrong with them keeps a server from starting; later, components that are wrong are
   * left out.
   *
   * @throws {@link ConfigurationError} naming every problem of the set-up at once, the first time.
   */
  async seal(logger: Logger): Promise<Sealed> {
    const { info, options, timeout, registry, middleware, observers, recordings, stores, lifecycle } =
      this.#server;
    const { version } = registry;
    const definitions = registry.enabled();
    const { compile } = this.#compilers;
    await this.#compilers.load(definitions.flatMap(schemasOf).map(({ schema }) => schema));
    const { sound, problems } = examine(definitions, compile, (definition) =>
      identityProblems(definition, middleware),
    );
    const all = [...orderProblems(definitions, middleware, stores.areShared), ...problems];
    if (!this.#sealed && all.length > 0) throw new ConfigurationError(all);
    if (problems.length > 0)
      logger.error({ problems }, "Components added after the start are wrong and are left out");
    const layers = [...middleware, ...definitions.flatMap((each) => each.layers)];
    stores.tell(layers);
    await recordings.open(layers, lifecycle, logger);
    (this.#tags ??= new InvalidatedTags(stores.cache, logger)).check(registry.all());
    this.#sealed = seal(sound, {
      info,
      instructions: options.instructions,
      kinds: registry.kinds(),
      middleware,
      observers: observers.map(({ layer }) => layer),
      expect: observers.find(({ expect }) => expect)?.expect,
      pageSize: options.pageSize ?? 1_000,
      cacheHint: options.cacheHint,
      listsAll: options.listing === "all",
      callersDiffer: !middleware.every(isPassive),
      timeout,
      around: await this.#aroundHandlers(definitions, logger),
      declared: definitions.some(({ rateLimit, concurrency }) => rateLimit ?? concurrency)
        ? await declaredLayers()
        : () => [],
      compile,
      dependencies: this.#server.dependencies,
      stages: stagesOf(observers),
      logger,
    });
    this.#version = version;
    return this.#sealed;
  }

  /** Throws where a schema is wrong, once the compilers are there: told where it is written. Before, the start tells. */
  checkSchemas(definition: ComponentDefinition): void {
    for (const { schema, what } of this.#sealed ? schemasOf(definition) : []) {
      if (this.#compilers.has(schema)) validator(schema, this.#compilers.compile, what);
    }
  }

  /** The validator of a schema that turns up while the server runs. */
  validatorOf(schema: Schema): Promise<Validator> {
    return this.#compilers.validatorOf(schema);
  }

  async #aroundHandlers(
    definitions: readonly ComponentDefinition[],
    logger: Logger,
  ): Promise<HeartOptions["around"]> {
    const { options, stores, middleware, timeout } = this.#server;
    const isKept = definitions.some(
      (each) => each.cache || each.invalidates.length > 0 || idempotencyOf(each, middleware),
    );
    if (!isKept) return () => undefined;
    return (this.#around ??= await cachingOf(options, stores, middleware, timeout, logger));
  }
}
