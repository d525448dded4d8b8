/** Spans of calls: one for each operation, and one within it for each of its parts. */

import { type Pass, type PassiveLayer, type PassingLayer, Refused, pass } from "../core/calls/compose.ts";
import { type RequestContext, envelopeOf, traceAs } from "../core/calls/context.ts";
import { toldOf } from "../core/sealed/dispatch.ts";
import { MCPError } from "../core/errors.ts";
import { InputRequired, Suspension } from "../core/dialogue/inquiry.ts";
import { shown } from "../core/options/known-options.ts";
import { either } from "../core/values/promises.ts";
import { shortened } from "../core/refusals.ts";
import { ToolResult } from "../core/results/result.ts";
import type { CallEvent, Observer } from "../core/calls/observers.ts";
import type { Stage, Stages } from "../core/calls/stages.ts";
import { whenAnswered, witnessed } from "../core/calls/time-limit.ts";
import { TOOL_ERROR, methodOf, statusCodeOf, transportOf } from "./conventions.ts";
import type {
  Attributes,
  Context,
  Link,
  OpenTelemetry,
  Span,
  TextMapGetter,
  Tracer,
} from "./opentelemetry.ts";

/** Longer values are no context of a trace: that is as much as W3C Baggage allows, the longest of them. */
const LONGEST_VALUE = 8_192;

type Texts = (name: string) => unknown;

/** What names a trace, among texts that callers send. */
const TEXTS: TextMapGetter<Texts> = {
  keys: () => [],
  get: (texts, key) => {
    const value = texts(key);
    return typeof value === "string" && value.length <= LONGEST_VALUE ? value : undefined;
  },
};

/** Makes a span of each call, around all layers, as a part of the caller's trace. */
export function spansOfCalls(otel: OpenTelemetry, tracer: Tracer): Observer {
  const spans = new Spans(otel, tracer);
  const enter: Pass = (ctx, rest) => spans.call(ctx, rest);
  const layer: PassiveLayer & PassingLayer = { name: "tracing", passive: true, handle: enter, [pass]: enter };
  return { layer, onCallEvent: (_ctx, event) => spans.event(event), stages: spans };
}

class Spans implements Stages {
  readonly #otel: OpenTelemetry;
  readonly #tracer: Tracer;
  /** The names under which callers say to what trace a call belongs, by the propagator that is registered. */
  readonly #fields: readonly string[];

  constructor(otel: OpenTelemetry, tracer: Tracer) {
    this.#otel = otel;
    this.#tracer = tracer;
    this.#fields = otel.propagation.fields();
  }

  call(ctx: RequestContext, rest: () => unknown): unknown {
    const { context, trace } = this.#otel;
    let span: Span;
    let active: Context;
    try {
      const { parent, links } = this.#parent(ctx);
      const { name, attributes } = named(ctx);
      span = this.#tracer.startSpan(name, { kind: this.#otel.SpanKind.SERVER, attributes, links }, parent);
      active = trace.setSpan(parent, span);
      this.#mark(ctx, parent, span);
      if (span.isRecording()) span.setAttributes(described(ctx));
    } catch {
      // Whatever is wrong with what records traces, it is no reason to refuse a call.
      return rest();
    }
    const end = (finish: () => void) => {
      if (span.isRecording()) safely(finish);
      safely(() => span.end());
    };
    return context.with(active, () =>
      witnessed(
        ctx,
        rest,
        (result) => end(() => this.#succeeded(span, result)),
        (error) => end(() => this.#failed(span, ctx, error)),
      ),
    );
  }

  within(stage: Stage, ctx: RequestContext, work: () => unknown): unknown {
    const { context, trace } = this.#otel;
    const parent = context.active();
    if (!trace.getSpan(parent)?.isRecording()) return work();
    return this.#part(stage, parent, work, ctx);
  }

  apart<T>(work: () => T): T {
    return this.#otel.context.with(this.#otel.ROOT_CONTEXT, work);
  }

  later(name: string, work: () => unknown): () => unknown {
    const parent = this.#otel.context.active();
    return () => this.#part(name === "" ? "background" : `background ${name}`, parent, work);
  }

  event(event: CallEvent): void {
    // That a limit did nothing says nothing.
    if (event.kind === "limit" && event.outcome === "allowed") return;
    const span = this.#otel.trace.getActiveSpan();
    if (!span?.isRecording()) return;
    const { kind, ...facts } = event;
    const told = Object.entries(facts).map(([name, value]) => [`gantry.${kind}.${name}`, value] as const);
    safely(() => span.addEvent(`gantry.${kind}`, Object.fromEntries(told)));
  }

  /** Does `work` in a span of its own within `parent`; within `ctx` not longer than until that is answered. */
  #part(name: string, parent: Context, work: () => unknown, ctx?: RequestContext): unknown {
    const { context, trace } = this.#otel;
    let span: Span;
    try {
      span = this.#tracer.startSpan(name, {}, parent);
    } catch {
      return context.with(parent, work);
    }
    let open = true;
    const end = (error?: unknown) => {
      if (!open) return;
      open = false;
      safely(() => {
        if (error !== undefined) span.setAttribute("error.type", typeOf(error));
        if (error !== undefined) span.setStatus({ code: this.#otel.SpanStatusCode.ERROR });
        span.end();
      });
    };
    if (ctx) whenAnswered(ctx, () => end(envelopeOf(ctx).cancellation.reason));
    return context.with(trace.setSpan(parent, span), () =>
      either(
        work,
        (result) => {
          end(result instanceof Refused ? result.error : undefined);
          return result;
        },
        (error) => {
          end(error instanceof Suspension ? undefined : error);
          throw error;
        },
      ),
    );
  }

  /**
   * The caller's context as `_meta` has it, with a link to that of the transport; else the transport's, which is the
   * span that is active already, or what the headers say ("Context propagation").
   */
  #parent(ctx: RequestContext): { readonly parent: Context; readonly links: Link[] } {
    const { context, propagation, trace } = this.#otel;
    const { meta, origin } = envelopeOf(ctx);
    const ambient = context.active();
    const isAmbient = trace.getSpan(ambient) !== undefined;
    const around =
      isAmbient || !origin
        ? ambient
        : propagation.extract(ambient, (name: string) => origin.header(name.toLowerCase()), TEXTS);
    if (!meta || !this.#fields.some((name) => typeof meta[name] === "string"))
      return { parent: around, links: NO_LINKS };
    const parent = propagation.extract(around, (name: string) => meta[name], TEXTS);
    const transport = trace.getSpanContext(around);
    const isOther = transport && trace.getSpanContext(parent)?.spanId !== transport.spanId;
    return { parent, links: isOther ? [{ context: transport }] : NO_LINKS };
  }

  #succeeded(span: Span, result: unknown): void {
    if (result instanceof InputRequired) span.addEvent(ASKED);
    if (!(result instanceof ToolResult) || !result.isError) return;
    span.setAttribute("error.type", TOOL_ERROR);
    span.setStatus({ code: this.#otel.SpanStatusCode.ERROR });
  }

  /** Clients see of an error what they are told; whoever reads traces, what happened. */
  #failed(span: Span, ctx: RequestContext, error: unknown): void {
    if (error instanceof Suspension) {
      span.addEvent(ASKED);
      return;
    }
    const told = toldOf(error, ctx);
    const code = statusCodeOf(ctx, told);
    span.setAttributes({
      "error.type": code ?? TOOL_ERROR,
      "gantry.error.code": told.code,
      "rpc.response.status_code": code,
    });
    // Messages of tools are results, and what results hold is no business of traces.
    const message = code === undefined ? {} : { message: told.message };
    span.setStatus({ code: this.#otel.SpanStatusCode.ERROR, ...message });
    const cause: unknown = error instanceof MCPError ? error.cause : error;
    if (cause !== undefined)
      span.recordException(cause instanceof Error ? cause : { name: typeof cause, message: shown(cause) });
  }

  /** Makes the span what handlers send on, and what the log names. */
  #mark(ctx: RequestContext, parent: Context, span: Span): void {
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    if (!this.#otel.trace.isSpanContextValid(span.spanContext())) return;
    const parentId = this.#otel.trace.getSpanContext(parent)?.spanId;
    const tracestate = traceState?.serialize();
    traceAs(ctx, {
      traceparent: `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, "0")}`,
      ...(tracestate !== undefined && tracestate !== "" && { tracestate }),
      traceId,
      ...(parentId !== undefined && { parentId }),
      spanId,
      sampled: (traceFlags & 1) === 1,
    });
  }
}

/** The event of a call that ends with questions for its client. */
const ASKED = "gantry.input_required";

const NO_LINKS: Link[] = [];

/** What the span of a call is found by, and what sampling may go by. */
function named(ctx: RequestContext): { readonly name: string; readonly attributes: Attributes } {
  const { kind, name, component } = ctx.operation;
  const method = methodOf(ctx);
  switch (kind) {
    case "tool":
      return {
        // A name that is not there is the caller's invention, and names of spans are to be few.
        name: component === undefined ? method : `${method} ${name}`,
        attributes: {
          "mcp.method.name": method,
          "gen_ai.operation.name": "execute_tool",
          "gen_ai.tool.name": shortened(name),
        },
      };
    case "prompt":
      return {
        name: component === undefined ? method : `${method} ${name}`,
        attributes: { "mcp.method.name": method, "gen_ai.prompt.name": shortened(name) },
      };
    case "resource":
      return { name: method, attributes: { "mcp.method.name": method, "mcp.resource.uri": shortened(name) } };
    default:
      return { name: method, attributes: { "mcp.method.name": method } };
  }
}

/** What else is told of a call that is recorded. */
function described(ctx: RequestContext): Attributes {
  const { requestId, rpcId, sessionId, protocolVersion, origin } = envelopeOf(ctx);
  const transport = transportOf(ctx);
  // What is not known is left out (specification of OpenTelemetry, "Attributes": undefined is no value).
  return {
    "mcp.protocol.version": protocolVersion,
    "network.transport": transport,
    "network.protocol.name": transport === "tcp" ? "http" : undefined,
    "jsonrpc.request.id": rpcId === undefined ? undefined : shortened(String(rpcId)),
    "mcp.session.id": sessionId,
    "client.address": origin?.address?.(),
    "gantry.request.id": requestId,
  };
}

/** `error.type` of a part of a call. */
function typeOf(error: unknown): string {
  if (error instanceof MCPError) return error.code;
  return error instanceof Error ? error.name : typeof error;
}

/** What fails while something is recorded concerns nobody. */
function safely(record: () => void): void {
  try {
    record();
  } catch {
    // There is nobody to tell.
  }
}
