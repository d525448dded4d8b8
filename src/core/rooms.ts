/** The rooms that a server loads while it gets ready, and no sooner than it needs them. */

import type { Authentication, Route } from "./identity/authentication.ts";
import type { CompilerLoaders } from "./components/compilers.ts";
import type { Middleware } from "./calls/compose.ts";
import { memoryCircuitStore } from "./sharing/circuits.ts";
import { ConfigurationError } from "./errors.ts";
import { memoryEventBus } from "./sharing/events.ts";
import type { HeartOptions } from "./sealed/heart.ts";
import { type Measured, type Metrics, type MetricsOptions, metricsRoutes } from "./operations/metrics.ts";
import type { MCPServerOptions, RunHttpOptions, RunStdioOptions } from "./server-options.ts";
import { memoryPlaceStore } from "./sharing/places.ts";
import type { Backend, LimitStore, Logger } from "./ports.ts";
import type { Recordings } from "./sealed/recording.ts";
import { type Observer, stagesOf } from "./calls/observers.ts";
import type { ListeningServer, Mounted, RunningServer, Runtime } from "./runtime.ts";
import type { SealOptions } from "./sealed/seal.ts";
import type { SharedStores, Stores } from "./sharing/stores.ts";
import type { JwtIssuer, TokenEndpointOptions } from "./identity/tokens.ts";

/** The rooms that compile schemas. */
export const LOADERS: CompilerLoaders = {
  jsonSchema: async () => (await import("../validation/json-schema.ts")).compileJsonSchema,
  zod: async () => {
    try {
      return (await import("../validation/zod.ts")).compileZod;
    } catch {
      // The schemas come from a zod that is not this project's: they validate as they are.
      return undefined;
    }
  },
};

/**
 * Adds to `observers` who makes spans of calls, where the program has OpenTelemetry set up for that: around the others, so that what
 * they do belongs to the span.
 */
export async function addTracing({ tracing }: MCPServerOptions, observers: Observer[]): Promise<void> {
  if (tracing === false || stagesOf(observers)) return;
  const { openTelemetry, tracerIn } = await import("../observe/opentelemetry.ts");
  const otel = await openTelemetry();
  const tracer = otel && tracerIn(otel);
  if (otel && tracer) observers.unshift((await import("../observe/trace.ts")).spansOfCalls(otel, tracer));
  if (tracer || tracing === undefined) return;
  throw new ConfigurationError(
    otel
      ? 'tracing is true, and no tracer provider is registered: set OpenTelemetry up before the server starts, as with node --import ./telemetry.js, or leave out "tracing".'
      : 'tracing is true, and there is no "@opentelemetry/api": run npm install @opentelemetry/api, or leave out "tracing".',
  );
}

/** Writes where nobody was given to write to: on stderr. */
export async function standardLogger(): Promise<Logger> {
  return (await import("../observe/log.ts")).createLogger();
}

/** What stands around components that declare what of theirs is kept. */
export async function cachingOf(
  { name, version }: MCPServerOptions,
  stores: Stores,
  middleware: readonly Middleware[],
  timeout: number,
  logger: Logger,
): Promise<HeartOptions["around"]> {
  const { declaredCaching } = await import("../cache/declared.ts");
  const { memoryCache, memoryIdempotencyStore } = await import("../cache/memory.ts");
  const store = stores.cache ?? memoryCache();
  const records = stores.idempotency ?? memoryIdempotencyStore();
  return declaredCaching({ name, version, store, records, logger, middleware, timeout });
}

/** The layers of the limits that components declare. */
export async function declaredLayers(): Promise<SealOptions["declared"]> {
  return (await import("../middleware/declared.ts")).declaredLayers;
}

/** Counts calls against limits in this process. */
export async function memoryLimits(): Promise<LimitStore> {
  return (await import("../limits/memory.ts")).memoryLimitStore();
}

/** Everything that is served beside the MCP endpoint and its health. */
export async function routesOf(
  authentications: readonly Authentication[],
  tokens: readonly (readonly [JwtIssuer, TokenEndpointOptions])[],
  metrics: Metrics | undefined,
): Promise<readonly Route[]> {
  const endpoint = tokens.length > 0 ? (await import("../auth/token-endpoint.ts")).tokenEndpoint : undefined;
  return [
    ...authentications.flatMap(({ routes }) => routes),
    ...tokens.flatMap((given) => endpoint?.(...given) ?? []),
    ...(metrics ? metricsRoutes(metrics) : []),
  ];
}

/** Measures a server. */
export async function metricsOf(options: MetricsOptions, server: Measured): Promise<Metrics> {
  return (await import("../observe/metrics.ts")).serverMetrics(options, server);
}

/** Begins to measure, and serves the metrics on their own port where they have one. Gives what ends both. */
export async function startMetrics(metrics: Metrics, logger: Logger): Promise<() => Promise<void>> {
  const close =
    metrics.options.port === undefined
      ? undefined
      : await (await import("../transport/http/metrics-port.ts")).openMetricsPort(metrics, logger);
  metrics.start();
  return async () => {
    metrics.stop();
    await close?.();
  };
}

/** A server that is about to serve. */
interface Starting {
  readonly prepare: () => Promise<Runtime>;
  /** Has what calls share kept in `backend`, unless the server has one. */
  readonly share: (backend: Backend) => void;
  readonly recordings: Recordings;
}

/** Serves over HTTP or stdio: by this process, or by workers that it watches over, of which this may be one. */
export async function serving(
  { prepare, share, recordings }: Starting,
  options: RunHttpOptions | RunStdioOptions,
): Promise<ListeningServer | RunningServer> {
  if (options.transport === "stdio")
    return (await import("../transport/stdio.ts")).serveStdio(await prepare(), options);
  if ((options.processes ?? 1) === 1)
    return (await import("../transport/http/listen.ts")).listen(await prepare(), options);
  const worker = (await import("../transport/processes/worker.ts")).thisWorker();
  if (worker) {
    share(worker.backend);
    return worker.listen(await prepare(), options);
  }
  recordings.leave();
  const { supervise } = await import("../transport/processes/supervise.ts");
  return supervise(await prepare(), options, await storesInMemory());
}

/** Serves within another's HTTP server. */
export async function mounted(runtime: Runtime): Promise<Mounted> {
  return (await import("../transport/http/mount.ts")).mount(runtime);
}

/** Stores in this process, for others that it watches over. */
async function storesInMemory(): Promise<SharedStores> {
  const { memoryCache, memoryIdempotencyStore } = await import("../cache/memory.ts");
  return {
    limits: await memoryLimits(),
    places: memoryPlaceStore(),
    circuits: memoryCircuitStore(),
    cache: memoryCache(),
    idempotency: memoryIdempotencyStore(),
    eventBus: memoryEventBus(),
  };
}
