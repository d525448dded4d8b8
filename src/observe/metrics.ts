/** All metrics of a server together. */

import type { Measured, Metrics, MetricsOptions, TransportCounts } from "../core/operations/metrics.ts";
import { countingCalls } from "./calls.ts";
import { exporting, recordingDurations } from "./exporting.ts";
import { meterIn, openTelemetry } from "./opentelemetry.ts";
import { measuringProcess } from "./process.ts";
import { Registry } from "./registry.ts";

/** So many series with labels there may be. */
const MOST_SERIES = 10_000;

/** For how long it is not asked again whether what the server needs is there, in milliseconds. */
const PROBES_FRESH = 1_000;

/** Makes the metrics of a server, and shows them to OpenTelemetry too where a provider of meters is registered. */
export async function serverMetrics(options: MetricsOptions, server: Measured): Promise<Metrics> {
  const registry = new Registry(MOST_SERIES);
  const otel = await openTelemetry();
  const meter = otel && meterIn(otel);
  if (!meter && options.path === false)
    server.logger.warn(
      {},
      "Nobody is told the metrics: no OpenTelemetry provider of meters is registered, and there is no path. Register one before the server starts, as with node --import ./telemetry.js, or leave out path: false",
    );
  const observer = countingCalls(registry, meter && recordingDurations(meter));
  const transports: (() => TransportCounts)[] = [];
  measuringTransports(registry, transports);
  const { look, rest } = measuringHealth(registry, server);
  const measured = measuringProcess(registry);
  registry
    .gauge("gantry_build_info", "What runs.", "name", "version", "node_version")
    .with(server.name, server.version, process.version).value = 1;
  const dropped = registry
    .counter(
      "gantry_metrics_dropped_total",
      "How often what was counted had no room for a series of its own.",
    )
    .with();
  registry.onRead(() => {
    dropped.value = registry.dropped;
  });
  const refresh = async () => {
    await look();
    registry.read();
  };
  if (meter) exporting(meter, registry, refresh);
  let page = async () => {
    await refresh();
    return registry.text();
  };
  return {
    options,
    observer,
    page: () => page(),
    gather(together) {
      page = together(page);
    },
    read: (counts) => void transports.push(counts),
    start: measured.start,
    stop: () => {
      rest();
      measured.stop();
    },
  };
}

function measuringTransports(registry: Registry, transports: readonly (() => TransportCounts)[]): void {
  const streams = registry.gauge("gantry_streams_open", "Event streams that are open.").with();
  const cut = registry.counter(
    "gantry_streams_cut_total",
    "Event streams that were cut because their reader did not keep up: overflowing, or stalled.",
    "reason",
  );
  const sessions = registry.gauge("gantry_sessions_open", "Sessions of 2025-era clients.").with();
  const errors = registry.counter(
    "gantry_http_errors_total",
    "Requests of the MCP endpoint that were answered with an HTTP status from 400 on, by status, or would have been in 2026-07-28.",
    "status",
  );
  // What begins at 0 shows its first burst too.
  for (const status of [400, 403, 404, 405, 413, 415, 429, 503]) errors.with(String(status));
  const sum = (of: (counts: TransportCounts) => number) =>
    transports.reduce((all, counts) => all + of(counts()), 0);
  registry.onRead(() => {
    streams.value = sum((counts) => counts.streams);
    cut.with("overflowing").value = sum((counts) => counts.cut.overflowing);
    cut.with("stalled").value = sum((counts) => counts.cut.stalled);
    sessions.value = sum((counts) => counts.sessions);
    const statuses = new Set(transports.flatMap((counts) => [...counts().errors.keys()]));
    for (const status of statuses)
      errors.with(String(status)).value = sum((counts) => counts.errors.get(status) ?? 0);
  });
}

/** Gives what asks the probes, to be waited for before the registry is read, and what no longer asks them. */
function measuringHealth(
  registry: Registry,
  { lifecycle, background, logger }: Measured,
): { readonly look: () => Promise<void>; readonly rest: () => void } {
  const ready = registry
    .gauge("gantry_ready", "Whether the server is ready: started, not draining, and every probe passes.")
    .with();
  const probes = registry.gauge("gantry_probe_up", "Whether a readiness probe passes.", "probe");
  const tasks = registry.gauge("gantry_background_calls", "Calls with background work under way.").with();
  registry.onRead(() => {
    tasks.value = background.size;
  });
  let asked: Promise<void> | undefined;
  let fresh = -Infinity;
  const ask = async () => {
    const { ready: isReady, checks } = await lifecycle.readiness(logger);
    ready.value = Number(isReady);
    for (const [name, state] of Object.entries(checks)) probes.with(name).value = Number(state === "ok");
    fresh = performance.now() + PROBES_FRESH;
    asked = undefined;
  };
  return {
    look: async () => {
      if (performance.now() >= fresh) await (asked ??= ask());
    },
    // What has ended has closed what probes ask.
    rest: () => {
      ready.value = 0;
      fresh = Infinity;
    },
  };
}
