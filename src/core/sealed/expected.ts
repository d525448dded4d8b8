/** What may be told of a component's calls, known before the first: those who count begin with it. */

import { type Middleware, concerns } from "../calls/compose.ts";
import type { CallEvent } from "../calls/observers.ts";
import type { ComponentDefinition } from "../components/definitions.ts";
import { isLimiting } from "../components/limits.ts";
import { idempotencyOf } from "./effects.ts";

/** @param layers - Those around the component, of any kind of operation. */
export function expectedOf(
  definition: ComponentDefinition,
  layers: readonly Middleware[],
): readonly CallEvent[] {
  const { kind, key, cache } = definition;
  const limiting = layers.filter(isLimiting).filter((layer) => concerns(layer, kind));
  return [
    ...limiting.flatMap(({ limiting: { store, perTool, circuit = "" } }): readonly CallEvent[] => {
      if (store === "circuits")
        return [
          { kind: "circuit", circuit: perTool ? `${kind}:${key}` : circuit, state: "closed", recovery: 0 },
        ];
      const limit = store === "limits" ? "rate" : "concurrency";
      return [
        { kind: "limit", limit, outcome: "allowed" },
        { kind: "limit", limit, outcome: "refused" },
      ];
    }),
    ...(cache ? CACHED : []),
    ...(idempotencyOf(definition, layers) ? IDEMPOTENT : []),
  ];
}

const CACHED: readonly CallEvent[] = [
  { kind: "cache", outcome: "hit" },
  { kind: "cache", outcome: "miss" },
];
const IDEMPOTENT: readonly CallEvent[] = [
  { kind: "idempotency", outcome: "first" },
  { kind: "idempotency", outcome: "replayed" },
];
