/** The OpenTelemetry API, where the program has it: an optional peer, loaded when a server gets ready. */

import type * as Api from "@opentelemetry/api";

export type {
  Attributes,
  Context,
  Link,
  Meter,
  Observable,
  Span,
  TextMapGetter,
  Tracer,
} from "@opentelemetry/api";

export type OpenTelemetry = typeof Api;

/** The name under which what we tell is found: that of the instrumentation scope. */
const SCOPE = "gantry-mcp";

/** The API; `undefined` where it is not installed. */
export async function openTelemetry(): Promise<OpenTelemetry | undefined> {
  try {
    return await import("@opentelemetry/api");
  } catch {
    return undefined;
  }
}

/** What makes spans, where a provider of tracers is registered. */
export function tracerIn({ trace }: OpenTelemetry): Api.Tracer | undefined {
  const provider = trace.getTracerProvider();
  // The API's own provider stands for the one that is registered, and makes spans of nothing while there is none.
  const proxy = provider as Partial<Api.ProxyTracerProvider>;
  const isNone = proxy.getDelegateTracer !== undefined && proxy.getDelegateTracer(SCOPE) === undefined;
  return isNone ? undefined : provider.getTracer(SCOPE);
}

/** What makes instruments, where a provider of meters is registered. */
export function meterIn({ metrics, createNoopMeter }: OpenTelemetry): Api.Meter | undefined {
  const meter = metrics.getMeter(SCOPE);
  return meter === createNoopMeter() ? undefined : meter;
}
