/** Calls of many tools have their effect once. */

import { type IdempotencyOptions, idempotencyPlan } from "../core/components/caching.ts";
import { NO_KINDS, type PassiveLayer } from "../core/calls/compose.ts";
import type { IdempotencyLayer } from "../core/sealed/effects.ts";
import { ConfigurationError } from "../core/errors.ts";
import { shown } from "../core/options/known-options.ts";

/**
 * Makes the tools that it is around `idempotent`: a call that is sent again is given the result of the first, and waits for it
 * where it runs; the same key with other arguments is refused as `IDEMPOTENCY_KEY_REUSED`. Results are one caller's, and what fails
 * may be tried again. Clients name a call by the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), or by
 * `idempotencyKey` in `_meta`; calls without a name run, unless `key` is `"arguments"`.
 *
 * Left alone are tools with `readOnlyHint`, with a `cache`, and those that say `idempotent` themselves; so is what is no tool.
 * Wherever the layer stands, policy, limits, validation and guards decide for every call. Results are kept in the server's
 * `idempotency.store`.
 *
 * @param options.ttl - How long the result of the first call is given to others. Default: `"24h"`.
 * @param options.key - Whether calls without a name are the same where their arguments are. Default: `"client"`, they are not.
 * @throws {@link ConfigurationError} where options are wrong.
 * @example
 * ```ts
 * server.use(idempotency());                           // every tool that may change something
 * billing.use(idempotency({ key: "arguments", ttl: "10m" })); // a router's tools
 * ```
 */
export function idempotency(options: IdempotencyOptions = {}): PassiveLayer {
  if (typeof options !== "object" || options === null)
    throw new ConfigurationError(`idempotency() got ${shown(options)}: write idempotency({ ttl: "1h" }).`);
  const layer: IdempotencyLayer = {
    name: "idempotency",
    passive: true,
    idempotency: idempotencyPlan("idempotency()", options, "client"),
    // It is read when the server is sealed, and works behind validation: only there it is known which calls are the same.
    kinds: NO_KINDS,
    handle: (_ctx, next) => next(),
  };
  return layer;
}
