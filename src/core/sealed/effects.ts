/** What calls change, as it is known when the server is sealed. */

import type { IdempotencyPlan } from "../components/caching.ts";
import type { ComponentDefinition } from "../components/definitions.ts";
import type { Middleware, PassiveLayer } from "../calls/compose.ts";
import { nearest } from "../options/nearest.ts";
import type { CacheStore, Logger } from "../ports.ts";

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

/** The tags by which functions keep results in stores that they were given. */
const keptUnder = new WeakMap<CacheStore, Set<string>>();

/** Lets it be known that results with these tags are kept in `store`. */
export function keepsUnder(store: CacheStore, tags: readonly string[]): void {
  const known = keptUnder.get(store) ?? new Set();
  for (const tag of tags) known.add(tag);
  keptUnder.set(store, known);
}

/** Looks for tags that tools invalidate and nothing that is kept has, which is how a misspelt one shows. */
export class InvalidatedTags {
  readonly #store: CacheStore | undefined;
  readonly #logger: Pick<Logger, "warn">;
  readonly #told = new Set<string>();

  /** @param store - The one that the author gave the server, if any. */
  constructor(store: CacheStore | undefined, logger: Pick<Logger, "warn">) {
    this.#store = store;
    this.#logger = logger;
  }

  /**
   * Logs a warning for each such tag, once. No error: what has the tag may be added later. Other processes may keep results in a store of
   * the author's, under tags that nobody here knows: then only a tag that is like a known one is told.
   */
  check(definitions: readonly ComponentDefinition[]): void {
    const own = this.#store && keptUnder.get(this.#store);
    const known = new Set([...definitions.flatMap(({ cache, tags }) => (cache ? tags : [])), ...(own ?? [])]);
    for (const { kind, key, invalidates } of definitions) {
      for (const tag of invalidates) {
        if (known.has(tag)) continue;
        const meant = nearest(tag, [...known]);
        const id = JSON.stringify([key, tag]);
        if ((this.#store && meant === undefined) || this.#told.has(id)) continue;
        this.#told.add(id);
        this.#logger.warn(
          { operation: kind, name: key, tag, ...(meant !== undefined && { meant }) },
          `Tool "${key}" invalidates "${tag}", and nothing that is kept has that tag${meant === undefined ? "" : `: did you mean "${meant}"?`}`,
        );
      }
    }
  }
}
