import type { ComponentDefinition } from "./components/definitions.ts";
import { Announcer, type Notifier } from "./sealed/announcer.ts";
import { authenticationsIn } from "./identity/authentication.ts";
import { Background } from "./calls/background.ts";
import { type Middleware, checkMiddleware } from "./calls/compose.ts";
import { timeLimit } from "./options/duration.ts";
import { ConfigurationError } from "./errors.ts";
import { unfailing } from "./calls/logger.ts";
import { Lifespan } from "./registration/lifespan.ts";
import { Measuring } from "./measuring.ts";
import type { MetricsOptions } from "./operations/metrics.ts";
import type { Backend, LimitStore, Logger } from "./ports.ts";
import {
  type MCPServerOptions,
  type RunHttpOptions,
  type RunStdioOptions,
  checkRunOptions,
  checkServerOptions,
} from "./server-options.ts";
import {
  type Blueprint,
  NO_SCOPE,
  type Scope,
  type Sink,
  behind,
  define,
  within,
} from "./registration/registration.ts";
import { Recordings } from "./sealed/recording.ts";
import { type ComponentRef, Registry } from "./registration/registry.ts";
import { type IncludeOptions, type MCPRouter, includeScope } from "./registration/router.ts";
import { addTracing, memoryLimits, mounted, routesOf, serving, standardLogger } from "./rooms.ts";
import type { ListeningServer, Mounted, NodeHandler, RunningServer, Runtime } from "./runtime.ts";
import { type ServerInfo, serverInfo } from "./sealed/sealed.ts";
import { Sealing } from "./sealing.ts";
import { type Observer, eventListenerOf, stagesOf } from "./calls/observers.ts";
import { Stores } from "./sharing/stores.ts";
import { type TokenEndpointOptions, type JwtIssuer, checkTokenEndpoint } from "./identity/tokens.ts";

/**
 * An MCP server: register tools, resources and prompts, then run it.
 *
 * @example
 * ```ts
 * const server = new MCPServer({ name: "task-api", version: "1.0.0" });
 * server.tool("add", { description: "Add two numbers.", input: z.object({ a: z.number(), b: z.number() }) }, ({ a, b }) => a + b);
 * await server.run({ transport: "http", port: 8080 });
 * ```
 */
export class MCPServer extends Lifespan {
  readonly #info: ServerInfo;
  readonly #options: MCPServerOptions;
  readonly #registry = new Registry();
  readonly #middleware: Middleware[] = [];
  readonly #registered: (readonly [Blueprint, Scope])[] = [];
  /** The servers that this one is mounted on take what is registered here. */
  readonly #sinks: Sink[] = [];
  /** The servers mounted here, and on those. */
  readonly #parts = new Set<MCPServer>();
  readonly #measuring = new Measuring();
  #tokens: readonly [JwtIssuer, TokenEndpointOptions] | undefined;
  readonly #stores: Stores;
  readonly #announcer: Announcer;
  /** Tells clients that listen of changes. */
  readonly notify: Notifier;
  #logger: Logger | undefined;
  #memoryLimits: LimitStore | undefined;
  /** Whoever watches calls, the outermost first. */
  readonly #observers: Observer[] = [];
  readonly #recordings = new Recordings();
  readonly #background = new Background();
  readonly #sealing: Sealing;
  #mounted: Promise<Mounted> | undefined;
  #running: Promise<ListeningServer | RunningServer> | undefined;

  constructor(options: MCPServerOptions) {
    super();
    checkServerOptions(options);
    this.#options = options;
    this.#logger = options.logger;
    this.#stores = new Stores(options, this.lifecycle, () => this.#unfailingLogger());
    this.notify = this.#announcer = new Announcer(this.#stores, () => this.#logger);
    this.#info = serverInfo(options);
    this.#sealing = new Sealing({
      info: this.#info,
      options,
      timeout: timeLimit(options.timeout ?? "30s", "timeout"),
      registry: this.#registry,
      middleware: this.#middleware,
      observers: this.#observers,
      recordings: this.#recordings,
      stores: this.#stores,
      lifecycle: this.lifecycle,
      dependencies: this.dependencies,
    });
  }

  /**
   * Takes in a router, with what it has now and what is registered on it later.
   *
   * @example
   * ```ts
   * server.include(tasks);                   // tasks_list
   * server.include(tasks, { prefix: "v1" }); // v1_tasks_list
   * ```
   */
  include(router: MCPRouter, options: IncludeOptions = {}): this {
    router.attach((blueprint, scope) => this.#take(blueprint, scope), options);
    return this;
  }

  /**
   * Takes in another server's tools, resources and prompts, those of now and of later, behind its own middleware
   * and policy, and with its hooks and probes.
   *
   * @param options.prefix - Stands before the names of its tools, with `_` between.
   * @throws {@link ConfigurationError} where it runs by itself, or would be within itself.
   * @example
   * ```ts
   * server.mount(billing, { prefix: "billing" }); // billing_refund
   * ```
   */
  mount(other: MCPServer, options: IncludeOptions = {}): this {
    if (other === this || other.#parts.has(this))
      throw new ConfigurationError("A server cannot be within itself: leave out this mount().");
    if (other.#sealing.started)
      throw new ConfigurationError(
        "mount() takes servers that do not run by themselves: mount it before it starts.",
      );
    other.#measuring.mustBeOff();
    this.#parts.add(other);
    for (const part of other.#parts) this.#parts.add(part);
    const outer = includeScope(options);
    other.#sinks.push((blueprint, scope) => this.#take(blueprint, within(outer, scope, "mount()")));
    for (const [blueprint, scope] of other.#registered) other.#emit(blueprint, scope, other.#sinks.slice(-1));
    this.adopt(other);
    this.lifecycle.onStartup(() =>
      other.#stores.eventBus.subscribe((event) => {
        if (event.kind !== "list_changed") this.#announcer.publish(event);
      }),
    );
    return this;
  }

  /** Takes components out. The next request no longer finds them. */
  remove(ref: ComponentRef): this {
    this.#changed(this.#registry.remove(ref));
    return this;
  }

  /** Hides components: they leave the lists, and calling them answers as if they did not exist. */
  disable(ref: ComponentRef): this {
    this.#changed(this.#registry.switch(ref, false));
    return this;
  }

  /** Brings disabled components back, in their old place. */
  enable(ref: ComponentRef): this {
    this.#changed(this.#registry.switch(ref, true));
    return this;
  }

  /** Adds a layer around every operation. The first added is the outermost. Before the server starts. */
  use(middleware: Middleware): this {
    checkMiddleware(middleware);
    if (this.#sealing.started || this.#sinks.length > 0)
      throw new ConfigurationError(
        `use() comes too late: the server ${this.#sealing.started ? "has started. Call it before run(), fetch or node" : "is mounted. Call it before mount()"}.`,
      );
    this.#middleware.push(middleware);
    return this;
  }

  /**
   * Issues tokens at `POST /auth/token`, in place of an identity provider: for development alone, to programs of
   * this machine, never where `NODE_ENV` is `production`. Before the server starts.
   *
   * @param issuer - Signs the tokens: `jwtAuth({ secret, … })`.
   * @throws {@link ConfigurationError} where the issuer cannot sign or the options cannot be served.
   * @example
   * ```ts
   * server.enableTokenEndpoint(jwt, { clients: { agent: { secret: "agent-secret", roles: ["admin"] } } });
   * ```
   */
  enableTokenEndpoint(issuer: JwtIssuer, options: TokenEndpointOptions): this {
    checkTokenEndpoint(issuer, options);
    if (this.#sealing.started || this.#sinks.length > 0 || this.#tokens)
      throw new ConfigurationError(
        "enableTokenEndpoint() is called once, before run(), fetch, node or mount().",
      );
    this.#tokens = [issuer, options];
    return this;
  }

  /**
   * Measures the server: calls, durations, limits, caches, circuits, streams, probes and the process, for Prometheus to read at
   * `/metrics`. On the server's port only those whom it identifies may, where it identifies callers. Before the server starts.
   *
   * @throws {@link ConfigurationError} where the options cannot be served, or would let everybody read them.
   * @example
   * ```ts
   * server.enableMetrics(); // or enableMetrics({ port: 9464, host: "0.0.0.0", token: process.env.METRICS_TOKEN })
   * ```
   */
  enableMetrics(options: MetricsOptions = {}): this {
    if (this.#sealing.started || this.#sinks.length > 0)
      throw new ConfigurationError(
        "enableMetrics() comes too late: call it before run(), fetch, node or mount().",
      );
    this.#measuring.enable(options, this.lifecycle);
    return this;
  }

  /**
   * Serves over HTTP or stdio, once. Prints what it serves on stderr, and ends gracefully on SIGTERM and SIGINT.
   *
   * @throws {@link ConfigurationError} naming every problem of the set-up at once; where the server runs already, or
   *   has been closed.
   * @example
   * ```ts
   * const { url, close } = await server.run({ transport: "http", port: 0 });
   * ```
   */
  run(options: RunHttpOptions): Promise<ListeningServer>;
  run(options: RunStdioOptions): Promise<RunningServer>;
  run(options: RunHttpOptions | RunStdioOptions): Promise<ListeningServer | RunningServer>;
  async run(options: RunHttpOptions | RunStdioOptions): Promise<ListeningServer | RunningServer> {
    checkRunOptions(options);
    if (this.lifecycle.closed) throw new ConfigurationError(`The server has been closed. ${RUNS_ONCE}`);
    if (this.#running) throw new ConfigurationError(`run() was called before. ${RUNS_ONCE}`);
    const share = (backend: Backend) => this.#stores.shareBy(backend);
    this.#running = serving({ prepare: () => this.#prepare(), share, recordings: this.#recordings }, options);
    try {
      return await this.#running;
    } catch (error) {
      this.#running = undefined;
      throw error;
    }
  }

  /**
   * The server as a web-standard handler, for Hono, workers and tests. The first request starts it;
   * call {@link MCPServer.close} to end it.
   *
   * @param bindings - What the framework knows of the request, `c.env` of Hono: on `@hono/node-server` it tells the
   *   caller's address.
   * @example
   * ```ts
   * app.all("/mcp", (c) => server.fetch(c.req.raw, c.env));
   * ```
   */
  readonly fetch = async (request: Request, bindings?: unknown): Promise<Response> =>
    (await this.#mount()).fetch(request, bindings);

  /**
   * The server as a `node:http` handler, for Express, Fastify and plain servers. The first request starts
   * it; call {@link MCPServer.close} to end it.
   *
   * @example
   * ```ts
   * app.all("/mcp", server.node);
   * ```
   */
  readonly node: NodeHandler = (request, response) => {
    const serve = async () => (await this.#mount()).node(request, response);
    serve().catch((error: unknown) => {
      this.#logger?.error({ err: error }, "The server could not start");
      response.writeHead(500, []);
      response.end();
    });
  };

  /**
   * Ends the server. One that is mounted through `fetch` or `node` answers 503 from now on, ends its streams and
   * sessions, and runs the shutdown hooks; one that runs is closed as what {@link MCPServer.run} gave closes it.
   */
  async close(): Promise<void> {
    // A start that fails is told to whoever called run(), or sent a request.
    const nothing = () => {};
    await this.#running?.then(({ close }) => close(), nothing);
    this.lifecycle.close();
    await this.#mounted?.then(({ close }) => close(), nothing);
  }

  protected register(blueprint: Blueprint): void {
    this.#take(blueprint, NO_SCOPE);
  }

  /** Gives a component to the servers that this one is mounted on, behind its own layers. */
  #emit(blueprint: Blueprint, scope: Scope, sinks: readonly Sink[]): void {
    for (const sink of sinks) sink(blueprint, behind(scope, this.#options, this.#middleware));
  }

  #take(blueprint: Blueprint, scope: Scope): void {
    this.#registered.push([blueprint, scope]);
    this.#emit(blueprint, scope, this.#sinks);
    const { unknownArguments = "follow-schema" } = this.#options;
    this.#add(define(blueprint, scope, this.#registry.nextOrder(), unknownArguments));
  }

  #add(definition: ComponentDefinition): void {
    this.#sealing.checkSchemas(definition);
    this.#registry.add(definition);
    this.#changed([definition]);
  }

  /** Before the start nobody listens. */
  #changed(definitions: readonly ComponentDefinition[]): void {
    if (this.#sealing.started) this.#announcer.listsChanged(definitions);
  }

  #mount(): Promise<Mounted> {
    return (this.#mounted ??= this.#prepare().then(mounted));
  }

  /** Everything that needs loading, and the first sealing: throws where the set-up is wrong. */
  async #prepare(): Promise<Runtime> {
    const logger = await this.#unfailingLogger();
    const { places, circuits, eventBus, eventStore } = this.#stores;
    const limits = this.#stores.limits ?? (this.#memoryLimits ??= await memoryLimits());
    const measured = { ...this.#info, lifecycle: this.lifecycle, background: this.#background, logger };
    const metrics = await this.#measuring.of(measured, this.#observers);
    await addTracing(this.#options, this.#observers);
    await this.#sealing.seal(logger);
    const layers = this.#registry.enabled().flatMap((definition) => definition.layers);
    const authentications = [...new Set(authenticationsIn([...this.#middleware, ...layers]))];
    const { resource } = authentications.find((authentication) => authentication.resource) ?? {};
    const tokens = [this, ...this.#parts].flatMap((part) => (part.#tokens ? [part.#tokens] : []));
    return {
      name: `${this.#info.name} ${this.#info.version}`,
      http: { ...(resource !== undefined && { publicUrl: resource }), ...this.#options.http },
      lifecycle: this.lifecycle,
      logger,
      validatorOf: (schema) => this.#sealing.validatorOf(schema),
      limits,
      observe: eventListenerOf([...this.#observers, ...this.#middleware, ...layers]),
      stages: stagesOf(this.#observers),
      metrics,
      background: this.#background,
      places,
      circuits,
      eventBus,
      eventStore,
      stateKeys: this.#options.requestState ?? {},
      authentications,
      routes: await routesOf(authentications, tokens, metrics),
      sealed: () => this.#sealing.current(logger),
    };
  }

  async #unfailingLogger(): Promise<Logger> {
    return unfailing((this.#logger ??= await standardLogger()));
  }
}

const RUNS_ONCE =
  "A server runs once: register its components in a function, and make a new MCPServer for each run().";
