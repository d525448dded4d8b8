/** The trace that a request belongs to (W3C Trace Context). */

/** Where a request stands in a trace. */
export interface TraceContext {
  /**
   * Sent on to other services, it makes their work part of the trace: as it came, or, where this server traces its
   * calls, with the span of this call.
   */
  readonly traceparent: string;
  /** What tracing systems added for each other, as it came. */
  readonly tracestate?: string;
  /** The trace, as 32 hexadecimal digits. */
  readonly traceId: string;
  /** The step that made the request, as 16 hexadecimal digits; where the trace begins here there is none. */
  readonly parentId?: string;
  /** The span of this call, as 16 hexadecimal digits, where this server traces its calls. */
  readonly spanId?: string;
  /** Whether the trace is recorded. */
  readonly sampled: boolean;
}

/** Version, trace, parent and flags; a later version may have more behind a dash (section 3.2.2). */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** The most that is passed on of `tracestate`, in characters (section 3.3.1.5). */
const LONGEST_STATE = 512;

/** Members of a list, `key=value` in visible ASCII (section 3.3.1). */
const TRACESTATE = /^[\t\x20-\x7e]+$/;

/**
 * The trace that `_meta` names (2026-07-28, "Trace Context"), which comes from whoever calls, or else the headers,
 * which may be a proxy's. What has not the form it must have is passed over.
 */
export function traceOf(
  meta: Readonly<Record<string, unknown>> | undefined,
  header: (name: string) => string | undefined,
): TraceContext | undefined {
  return (
    parsed(meta?.["traceparent"], meta?.["tracestate"]) ?? parsed(header("traceparent"), header("tracestate"))
  );
}

/** What the log tells of a trace. */
export function traceFields(trace: TraceContext | undefined): {
  readonly traceId?: string;
  readonly spanId?: string;
} {
  if (!trace) return {};
  const { traceId, spanId } = trace;
  return spanId === undefined ? { traceId } : { traceId, spanId };
}

function parsed(traceparent: unknown, tracestate: unknown): TraceContext | undefined {
  const match =
    typeof traceparent === "string" && traceparent.length <= LONGEST_STATE && TRACEPARENT.exec(traceparent);
  if (!match) return undefined;
  const [, version, traceId = "", parentId = "", flags = "", more] = match;
  if (version === "00" && more !== undefined) return undefined;
  const isState =
    typeof tracestate === "string" && tracestate.length <= LONGEST_STATE && TRACESTATE.test(tracestate);
  return {
    traceparent,
    ...(isState && { tracestate }),
    traceId,
    parentId,
    sampled: (Number.parseInt(flags, 16) & 1) === 1,
  };
}
