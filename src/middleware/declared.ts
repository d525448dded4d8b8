/** The layers of what components declare: they stand innermost, so inside whatever finds out who calls. */

import type { ComponentDefinition } from "../core/components/definitions.ts";
import type { LimitingLayer } from "../core/components/limits.ts";
import { declaredConcurrency } from "./concurrency.ts";
import { declaredRateLimit } from "./rate-limit.ts";

const made = new WeakMap<ComponentDefinition, readonly LimitingLayer[]>();

/** Made once for each component: sealing it again forgets nothing. */
export function declaredLayers(definition: ComponentDefinition): readonly LimitingLayer[] {
  let layers = made.get(definition);
  if (!layers) made.set(definition, (layers = layersOf(definition)));
  return layers;
}

/** A call that is over its rate takes nobody's place. */
function layersOf({ kind, key, rateLimit, concurrency }: ComponentDefinition): readonly LimitingLayer[] {
  return [
    ...(rateLimit ? [declaredRateLimit(rateLimit, kind, key)] : []),
    ...(concurrency ? [declaredConcurrency(concurrency, kind, key)] : []),
  ];
}
