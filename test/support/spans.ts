/** Spans as a test reads them: made by the real SDK, and kept. */

import { SpanKind, SpanStatusCode, type TextMapPropagator } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";

export interface Seen {
  readonly name: string;
  readonly kind: string;
  readonly scope: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly links: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  /** `ERROR` and its description, where that is its status. */
  readonly error: string | undefined;
  readonly durationMs: number;
  readonly events: readonly { readonly name: string; readonly attributes: object }[];
}

export interface SpanRecorder {
  /** The spans that have ended, in that order; forgets them. */
  take(): readonly Seen[];
  /** Waits until a span of this name has ended, and takes all. */
  taken(name: string): Promise<readonly Seen[]>;
}

/** Registers a provider for this test file, whose spans are kept. */
export function recordSpans(sampler?: Sampler, propagator?: TextMapPropagator): SpanRecorder {
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  new NodeTracerProvider({ spanProcessors, ...(sampler && { sampler }) }).register(
    propagator && { propagator },
  );
  const take = () => {
    const spans = exporter.getFinishedSpans().map(seen);
    exporter.reset();
    return spans;
  };
  return {
    take,
    async taken(name) {
      const deadline = performance.now() + 10_000;
      while (!exporter.getFinishedSpans().some((span) => span.name === name)) {
        if (performance.now() > deadline) throw new Error(`No span "${name}" has ended.`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return take();
    },
  };
}

/** The one span of that name. */
export function only(spans: readonly Seen[], name: string): Seen {
  const found = spans.filter((span) => span.name === name);
  const [span] = found;
  if (!span || found.length > 1)
    throw new Error(
      `There are ${found.length} spans "${name}" among: ${spans.map((each) => each.name).join(", ")}.`,
    );
  return span;
}

function seen(span: ReadableSpan): Seen {
  const { traceId, spanId } = span.spanContext();
  const { code, message } = span.status;
  return {
    name: span.name,
    kind: SpanKind[span.kind],
    scope: span.instrumentationScope.name,
    traceId,
    spanId,
    parentId: span.parentSpanContext?.spanId,
    links: span.links.map(({ context }) => context.spanId),
    attributes: span.attributes,
    error: code === SpanStatusCode.ERROR ? (message ?? "") : undefined,
    durationMs: span.duration[0] * 1e3 + span.duration[1] / 1e6,
    events: span.events.map(({ name, attributes = {} }) => ({ name, attributes })),
  };
}
