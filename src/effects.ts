/** What calls change, as it is known when the server is sealed. */

import type { IdempotencyPlan } from "./caching.ts";
import type { ComponentDefinition } from "./components.ts";
import type { Middleware, PassiveLayer } from "./compose.ts";

/** A layer that lets calls of the tools that it is around have their effect once. */
export interface IdempotencyLayer extends PassiveLayer {
  readonly idempotency: IdempotencyPlan;
}

/**
 * How calls of a component have their effect once: as it says itself, else as the innermost layer around it says that does. What
 * changes nothing has nothing to do once.
 */
export function idempotencyOf(
  definition: ComponentDefinition,
  middleware: readonly Middleware[],
): IdempotencyPlan | undefined {
  const { kind, idempotent, cache } = definition;
  if (idempotent !== undefined) return idempotent || undefined;
  if (kind !== "tool" || cache || definition.item.annotations?.readOnlyHint) return undefined;
  const layer = [...middleware, ...definition.layers].findLast(isIdempotency);
  return layer?.idempotency;
}

function isIdempotency(layer: Middleware): layer is IdempotencyLayer {
  return typeof layer === "object" && "idempotency" in layer;
}
