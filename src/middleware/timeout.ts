/** How long operations may take that set no limit of their own. */

import { type Duration, timeLimit } from "../core/options/duration.ts";
import { ConfigurationError } from "../core/errors.ts";
import { type Names, checkKnown, shown } from "../core/options/known-options.ts";
import { type TimeLimitLayer, timeLimitLayer } from "../core/calls/time-limit.ts";

export interface TimeoutOptions {
  /** How long an operation may take whose component sets no `timeout`. */
  readonly default: Duration;
}

const OPTIONS: Names<TimeoutOptions> = { default: true };

/**
 * Gives the operations that it is around so much time, in place of the server's `timeout`; where several layers do, the
 * innermost counts, and a component's own `timeout` before all of them. The time is that of the whole onion, wherever the layer
 * stands: then the call's signal fires, and its caller is told `TIMEOUT`.
 *
 * @throws {@link ConfigurationError} where `default` is no duration.
 * @example
 * ```ts
 * server.use(timeout({ default: "30s" }));
 * reports.use(timeout({ default: "5m" })); // a router's components
 * ```
 */
export function timeout(options: TimeoutOptions): TimeLimitLayer {
  if (typeof options !== "object" || options === null || options.default === undefined)
    throw new ConfigurationError(`timeout() got ${shown(options)}: write timeout({ default: "30s" }).`);
  checkKnown("timeout()", options, OPTIONS);
  return timeLimitLayer(timeLimit(options.default, "timeout(): default"));
}
