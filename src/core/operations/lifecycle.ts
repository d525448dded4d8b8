/** Starting and stopping: hooks run once each way, and probes tell whether the server can do its work. */

import type { Logger } from "../ports.ts";

/** Work to do when the server starts or stops. */
export type Hook = () => unknown;

/** Tells whether something the server needs is there: returns or resolves, or throws. */
export type Probe = () => unknown;

/** How long a probe may take before it counts as failed, in milliseconds. */
const PROBE_LIMIT = 2_000;

export class Lifecycle {
  readonly #startup: Hook[] = [];
  readonly #shutdown: ((logger: Logger) => unknown)[] = [];
  readonly #afterCalls: ((logger: Logger) => unknown)[] = [];
  readonly #parts: Lifecycle[] = [];
  readonly #probes = new Map<string, Probe>();
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #hasStarted = false;
  #ready = false;
  #draining = false;
  #closed = false;
  /** Ends the waiting of those who have asked whether the server is ready. */
  readonly #waiting = new Set<() => void>();

  onStartup(hook: Hook): void {
    this.#startup.push(hook);
  }

  onShutdown(hook: Hook): void {
    this.#shutdown.push(() => hook());
  }

  /** Runs `open` before all start-up hooks, and `close` after all shutdown hooks. */
  around(open: Hook, close: Hook): void {
    this.#startup.unshift(open);
    this.#shutdown.unshift(() => close());
  }

  /** Runs when no call is under way any more, before the shutdown hooks end what it may need. */
  afterCalls(hook: (logger: Logger) => unknown): void {
    this.#afterCalls.push(hook);
  }

  addProbe(name: string, probe: Probe): void {
    this.#probes.set(name, probe);
  }

  hasProbe(name: string): boolean {
    return this.#probes.has(name);
  }

  /** Takes over the hooks and probes of a server that is mounted, those of now and of later. */
  adopt(part: Lifecycle): void {
    this.#startup.push(() => part.start());
    this.#shutdown.push((logger) => part.stop(logger));
    this.#parts.push(part);
  }

  /** Runs the start-up hooks in order, once. The first that fails stops the start; so does {@link stop}. */
  start(): Promise<void> {
    this.#started ??= (async () => {
      for (const hook of this.#startup) if (!this.#closed) await hook();
      this.#ready = this.#hasStarted = !this.#closed;
    })();
    return this.#started;
  }

  /** From now on the server says that it is not ready, to those too who have asked before; what is under way goes on. */
  drain(): void {
    this.#ready = false;
    this.#draining = true;
    for (const end of this.#waiting) end();
  }

  /** From now on nothing new is taken, and the server does not start again. */
  close(): void {
    this.drain();
    this.#closed = true;
  }

  /** Whether the start-up hooks have run. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Runs the shutdown hooks in reverse order, once. One that fails is logged and does not stop the others. */
  stop(logger: Logger): Promise<void> {
    this.close();
    this.#stopped ??= (async () => {
      // A hook that is still starting something is not overtaken by the one that ends it.
      await this.#started?.catch(() => {});
      for (const hook of [...this.#afterCalls, ...this.#shutdown.toReversed()]) {
        try {
          await hook(logger);
        } catch (error) {
          logger.error({ err: error }, "A shutdown hook failed");
        }
      }
    })();
    return this.#stopped;
  }

  #allProbes(): readonly (readonly [string, Probe])[] {
    return [...this.#probes, ...this.#parts.flatMap((part) => part.#allProbes())];
  }

  /**
   * Whether the server is started, not draining, and every probe passes; and which probes do. While it drains none is waited for: one
   * may take longer than the notice by which those who send requests are to learn of it.
   */
  async readiness(
    logger: Logger,
  ): Promise<{ readonly ready: boolean; readonly checks: Record<string, "ok" | "failed"> }> {
    if (this.#draining) return { ready: false, checks: {} };
    let end = () => {};
    const drained = new Promise<undefined>((resolve) => {
      this.#waiting.add((end = () => resolve(undefined)));
    });
    const asked = Promise.all(this.#allProbes().map(([name, probe]) => passes(name, probe, logger)));
    const results = await Promise.race([asked, drained]);
    this.#waiting.delete(end);
    if (!results) return { ready: false, checks: {} };
    const states = new Map<string, "ok" | "failed">();
    // Servers that are mounted may have probes of one name.
    for (const { name, ok } of results)
      states.set(name, ok && states.get(name) !== "failed" ? "ok" : "failed");
    const checks = Object.fromEntries(states);
    return { ready: this.#ready && results.every(({ ok }) => ok), checks };
  }
}

/** Probes that failed when they were last asked: they are asked every second, and the log is to tell of a change. */
const failing = new WeakSet<Probe>();

async function passes(
  name: string,
  probe: Probe,
  logger: Logger,
): Promise<{ readonly name: string; readonly ok: boolean }> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${PROBE_LIMIT} ms`)), PROBE_LIMIT);
  });
  const failed = (error?: unknown) => {
    if (!failing.has(probe)) logger.warn({ probe: name, err: error }, "A readiness probe failed");
    failing.add(probe);
    return { name, ok: false };
  };
  try {
    const answer = await Promise.race([(async () => probe())(), limit]);
    if (answer === false) return failed();
    if (failing.delete(probe)) logger.info({ probe: name }, "A readiness probe passes again");
    return { name, ok: true };
  } catch (error) {
    return failed(error);
  } finally {
    clearTimeout(timer);
  }
}
