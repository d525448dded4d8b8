/** What the log says of a call in its one line. */

import { type RequestContext, callFields, envelopeOf, identityOf, notesOf, originOf } from "./context.ts";
import { shortened } from "../refusals.ts";

/** What became of a call. */
export interface Ended {
  readonly outcome: "ok" | "failed" | "cancelled" | "asked";
  readonly code?: string;
}

/**
 * The fields of the line: all that is known of the call, and what its handler and its layers have added. The server's own logger knows
 * them by this class, and writes them together with those of other calls.
 */
export class CallLine {
  readonly requestId: string;
  readonly operation: string;
  readonly name: string;
  /** The template or the like, where that is not the name. */
  readonly component: string | undefined;
  readonly durationMs: number;
  readonly outcome: Ended["outcome"];
  readonly code: string | undefined;
  readonly clientId: string | undefined;
  readonly subject: string | undefined;
  readonly tenantId: string | undefined;
  readonly clientName: string | undefined;
  readonly clientVersion: string | undefined;
  readonly userAgent: string | undefined;
  readonly address: string | undefined;
  readonly protocolVersion: string;
  readonly transport: string | undefined;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly metadata: object | undefined;

  constructor(ctx: RequestContext, milliseconds: number, { outcome, code }: Ended) {
    const { requestId, operation, name, clientId, traceId, spanId } = callFields(ctx);
    const { component } = ctx.operation;
    const { protocolVersion, clientInfo, wire } = envelopeOf(ctx);
    const identity = identityOf(ctx);
    const { header, address } = originOf(ctx);
    this.requestId = requestId;
    this.operation = operation;
    this.name = name;
    this.component = component === ctx.operation.name ? undefined : component;
    this.durationMs = rounded(milliseconds);
    this.outcome = outcome;
    this.code = code;
    this.clientId = clientId;
    this.subject = identity?.subject;
    this.tenantId = identity?.tenantId;
    this.clientName = short(clientInfo?.name);
    this.clientVersion = short(clientInfo?.version);
    this.userAgent = short(header("user-agent"));
    this.address = address?.();
    this.protocolVersion = protocolVersion;
    this.transport = wire?.transport;
    this.traceId = traceId;
    this.spanId = spanId;
    this.metadata = Object.keys(ctx.metadata).length > 0 ? ctx.metadata : undefined;
    const notes = notesOf(ctx);
    if (notes) add(this as Record<string, unknown>, notes);
  }
}

/** What is known of a call stays. */
function add(fields: Record<string, unknown>, notes: Readonly<Record<string, unknown>>): void {
  for (const [noted, value] of Object.entries(notes)) fields[noted] ??= value;
}

/** What a caller says of itself, as far as a line has room for it. */
function short(text: unknown): string | undefined {
  return typeof text === "string" ? shortened(text) : undefined;
}

/** To a thousandth. */
export function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}
