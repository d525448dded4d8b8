/** What the process itself takes, under the names that dashboards for Node know. */

import { readFileSync, readdirSync } from "node:fs";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { Registry } from "./registry.ts";

/** How often the delay of the event loop is measured, and for how long it is kept apart; in milliseconds. */
const RESOLUTION = 20;
const PERIOD = 15_000;

/** Measures the process into `registry` whenever that is read. Gives what begins to watch the event loop, and ends that. */
export function measuringProcess(registry: Registry): {
  readonly start: () => void;
  readonly stop: () => void;
} {
  const gauge = (name: string, help: string) => registry.gauge(name, help).with();
  const counter = (name: string, help: string) => registry.counter(name, help).with();
  const cpu = counter("process_cpu_seconds_total", "User and system CPU time, in seconds.");
  const resident = gauge("process_resident_memory_bytes", "Resident memory, in bytes.");
  const heapUsed = gauge("nodejs_heap_size_used_bytes", "Heap of V8 that is in use, in bytes.");
  const heapTotal = gauge("nodejs_heap_size_total_bytes", "Heap of V8, in bytes.");
  const external = gauge("nodejs_external_memory_bytes", "Memory outside of the heap, in bytes.");
  const started = gauge("process_start_time_seconds", "When the process started, in seconds since 1970.");
  started.value = Date.now() / 1_000 - process.uptime();
  registry.onRead(() => {
    const { user, system } = process.cpuUsage();
    cpu.value = (user + system) / 1e6;
    const memory = process.memoryUsage();
    resident.value = memory.rss;
    heapUsed.value = memory.heapUsed;
    heapTotal.value = memory.heapTotal;
    external.value = memory.external;
  });
  measuringDescriptors(registry);
  return watchingEventLoop(registry);
}

/** Descriptors, where the system lists them as files. */
function measuringDescriptors(registry: Registry): void {
  const most = descriptorLimit();
  if (most === undefined) return;
  registry.gauge("process_max_fds", "How many file descriptors the process may have open.").with().value =
    most;
  const open = registry.gauge("process_open_fds", "Open file descriptors.").with();
  registry.onRead(() => {
    // The one by which they are listed is among them.
    open.value = readdirSync("/proc/self/fd").length - 1;
  });
}

function descriptorLimit(): number | undefined {
  try {
    const [, limit] =
      /^Max open files +(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return limit === "unlimited" ? Infinity : Number(limit);
  } catch {
    return undefined;
  }
}

function watchingEventLoop(registry: Registry): { readonly start: () => void; readonly stop: () => void } {
  const about = "of how late the event loop was in the last 15 to 30 seconds, in seconds.";
  const gauge = (of: string, what: string) =>
    registry.gauge(`nodejs_eventloop_lag_${of}_seconds`, `${what} ${about}`).with();
  const p50 = gauge("p50", "Median");
  const p99 = gauge("p99", "99th percentile");
  const most = gauge("max", "Maximum");
  const busy = registry
    .counter(
      "nodejs_eventloop_busy_seconds_total",
      "How long the event loop did not wait for anything, in seconds.",
    )
    .with();
  let delay: IntervalHistogram | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  let last = [0, 0, 0];
  const now = () => {
    if (!delay || delay.count === 0) return [0, 0, 0];
    // What is recorded is the time between two looks: what is above their distance is the delay.
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION / 1_000);
    return [late(delay.percentile(50)), late(delay.percentile(99)), late(delay.max)];
  };
  registry.onRead(() => {
    const current = now();
    [p50, p99, most].forEach((series, index) => {
      series.value = Math.max(current[index] as number, last[index] as number);
    });
    busy.value = performance.eventLoopUtilization().active / 1_000;
  });
  return {
    start() {
      if (delay) return;
      delay = monitorEventLoopDelay({ resolution: RESOLUTION });
      delay.enable();
      timer = setInterval(() => {
        last = now();
        delay?.reset();
      }, PERIOD).unref();
    },
    stop() {
      delay?.disable();
      clearInterval(timer);
    },
  };
}
