/** A receiver of OTLP over HTTP, as JSON (opentelemetry-proto, "OTLP/HTTP"): what a program exports, as it arrives. */

import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { SpanKind } from "@opentelemetry/api";

/** A span that has arrived. */
export interface ArrivedSpan {
  /** `service.name` of whoever sent it. */
  readonly service: string;
  /** The name of its instrumentation scope. */
  readonly scope: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly error: boolean;
}

/** A data point of a metric that has arrived. */
export interface ArrivedPoint {
  readonly service: string;
  readonly scope: string;
  readonly name: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The value, or how many values a histogram holds. */
  readonly value: number;
}

type Attributes = readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
type Raw = Readonly<Record<string, unknown>>;

interface RawSpan extends Raw {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Attributes;
  readonly status?: { readonly code?: number };
}

interface Points {
  readonly dataPoints: readonly (Raw & { readonly attributes: Attributes })[];
}

interface RawMetric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: Points;
  readonly gauge?: Points;
  readonly histogram?: Points;
}

export class OtlpReceiver {
  readonly spans: ArrivedSpan[] = [];
  readonly points: ArrivedPoint[] = [];
  readonly #server: Server;

  static async start(): Promise<OtlpReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new OtlpReceiver(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => void this.#take(request, response));
  }

  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The spans of a trace, once so many have arrived. */
  async trace(traceId: string, count: number): Promise<readonly ArrivedSpan[]> {
    const arrived = () => this.spans.filter((span) => span.traceId === traceId);
    await until(
      () => arrived().length >= count,
      () =>
        `${count} spans; there are: ${arrived()
          .map(({ service, name }) => `${service}: ${name}`)
          .join(", ")}`,
    );
    return arrived();
  }

  /** The points of a metric, once some fit. */
  async metric(name: string, fits: (point: ArrivedPoint) => boolean): Promise<readonly ArrivedPoint[]> {
    const arrived = () => this.points.filter((point) => point.name === name && fits(point));
    await until(
      () => arrived().length > 0,
      () => `${name}; there are: ${[...new Set(this.points.map((point) => point.name))].join(", ")}`,
    );
    return arrived();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await json(request)) as Raw;
    if (request.url === "/v1/traces") this.#takeSpans(body);
    if (request.url === "/v1/metrics") this.#takePoints(body);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }

  #takeSpans(body: Raw): void {
    for (const { service, scope, item } of scoped(body, "resourceSpans", "scopeSpans", "spans")) {
      const { traceId, spanId, parentSpanId, name, kind, attributes, status } = item as unknown as RawSpan;
      this.spans.push({
        service,
        scope,
        traceId,
        spanId,
        parentId: parentSpanId === undefined || parentSpanId === "" ? undefined : parentSpanId,
        name,
        // OTLP counts from 1, where the API counts from 0.
        kind: SpanKind[kind - 1] ?? String(kind),
        attributes: plain(attributes),
        error: status?.code === 2,
      });
    }
  }

  #takePoints(body: Raw): void {
    for (const { service, scope, item } of scoped(body, "resourceMetrics", "scopeMetrics", "metrics")) {
      const { name, unit, sum, gauge, histogram } = item as unknown as RawMetric;
      for (const point of (sum ?? gauge ?? histogram)?.dataPoints ?? []) {
        const value = Number(point["count"] ?? point["asDouble"] ?? point["asInt"]);
        this.points.push({ service, scope, name, unit, attributes: plain(point.attributes), value });
      }
    }
  }
}

/** What stands in the nested lists of an export, with who sent it. */
function scoped(body: Raw, resources: string, scopes: string, items: string) {
  return (body[resources] as readonly Raw[]).flatMap((each) => {
    const { attributes } = each["resource"] as { readonly attributes: Attributes };
    const service = String(plain(attributes)["service.name"]);
    return (each[scopes] as readonly Raw[]).flatMap((one) => {
      const scope = (one["scope"] as { readonly name: string }).name;
      return (one[items] as readonly Raw[]).map((item) => ({ service, scope, item }));
    });
  });
}

function plain(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

async function until(done: () => boolean, missing: () => string): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!done()) {
    if (performance.now() > deadline) throw new Error(`What should arrive has not: ${missing()}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
