/** Arguments for the line of a call in the log, where a layer writes them: without what their schema marks as sensitive. */

import type { ComponentDefinition } from "./definitions.ts";
import { type Middleware, type PassiveLayer, type Run, concerns } from "../calls/compose.ts";
import { note } from "../calls/context.ts";
import type { OperationKind } from "../calls/operation.ts";
import type { JsonSchema } from "../ports.ts";
import { sensitiveRedactor } from "../schemas/sensitive.ts";

/** A layer that writes down what calls are asked with. */
export interface ArgumentsLayer extends PassiveLayer {
  readonly logsArguments: boolean;
}

/** `run`, which says first what it is asked with, where a layer of these wants to know. */
export function loggingArguments<A>(
  run: Run<A>,
  layers: readonly Middleware[],
  kind: OperationKind,
  definition: ComponentDefinition,
): Run<A> {
  const schema = kind === "completion" ? undefined : schemaOf(definition);
  if (!schema || !layers.some((layer) => logsArguments(layer) && concerns(layer, kind))) return run;
  const redact = sensitiveRedactor(schema);
  return (ctx, args) => {
    note(ctx, { arguments: redact ? redact(args) : args });
    return run(ctx, args);
  };
}

/** What describes the arguments; those of resources stand in their URI. */
function schemaOf(definition: ComponentDefinition): JsonSchema | undefined {
  if (definition.kind === "tool") return definition.item.inputSchema;
  return definition.kind === "prompt" ? definition.inputSchema : undefined;
}

function logsArguments(layer: Middleware): boolean {
  return typeof layer === "object" && "logsArguments" in layer && layer.logsArguments === true;
}
