/** Whether a server is measured, from when its author asks for it until it ends. */

import { ConfigurationError } from "./errors.ts";
import type { Lifecycle } from "./operations/lifecycle.ts";
import { type Measured, type Metrics, type MetricsOptions, checkMetrics } from "./operations/metrics.ts";
import type { Logger } from "./ports.ts";
import { metricsOf, startMetrics } from "./rooms.ts";
import type { Observer } from "./calls/observers.ts";

export class Measuring {
  #options: MetricsOptions | undefined;
  #metrics: Metrics | undefined;
  #logger: Logger | undefined;

  /** Throws a {@link ConfigurationError} where the options cannot be served, or it was asked for before. */
  enable(options: MetricsOptions, lifecycle: Lifecycle): void {
    checkMetrics(options);
    if (this.#options) throw new ConfigurationError("enableMetrics() is called once for each server.");
    this.#options = options;
    let end: (() => Promise<void>) | undefined;
    lifecycle.around(
      async () => (end = await startMetrics(this.#metrics as Metrics, this.#logger as Logger)),
      () => end?.(),
    );
  }

  /** Throws where a server that is about to be mounted is measured by itself. */
  mustBeOff(): void {
    if (this.#options)
      throw new ConfigurationError(
        "mount(): the other server has enableMetrics(). Call it on the server that runs, which measures all that is mounted.",
      );
  }

  /** The metrics, made once, where they were asked for; then `observers` has who counts calls. */
  async of(server: Measured, observers: Observer[]): Promise<Metrics | undefined> {
    if (!this.#options || this.#metrics) return this.#metrics;
    this.#logger = server.logger;
    this.#metrics = await metricsOf(this.#options, server);
    observers.unshift(this.#metrics.observer);
    return this.#metrics;
  }
}
