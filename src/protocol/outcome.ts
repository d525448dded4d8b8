/** What became of a call, as JSON-RPC: one table for both eras. */

import type { Ask } from "../core/calls/call.ts";
import type { Outcome } from "../core/sealed/dispatch.ts";
import type { MCPError } from "../core/errors.ts";
import { ClientCapabilityError, RequestStateError } from "../core/dialogue/inquiry.ts";
import { shortened } from "../core/refusals.ts";
import { ToolResult } from "../core/results/result.ts";
import type { Sealed } from "../core/sealed/sealed.ts";
import type { Reply } from "./exchange.ts";
import { RPC, type RpcError } from "./jsonrpc.ts";

export type Era = "modern" | "legacy";

/**
 * A failed tool call is a result that the model reads; everything else that fails is a JSON-RPC error. A
 * tool that is not there is one too (specification, "Tools › Error Handling"), and since 2026-07-28 a client
 * that would have to be asked and cannot be.
 */
export function isToolFailure(ask: Pick<Ask, "kind">, error: MCPError, era: Era): boolean {
  const isProtocols =
    error.code === "TOOL_NOT_FOUND" ||
    error instanceof RequestStateError ||
    (era === "modern" && lacksCapability(error));
  return ask.kind === "tool" && !isProtocols;
}

/** Whether a call failed for what its client does not declare: over HTTP the one failure that is no 200. */
export function lacksCapability(error: MCPError): error is ClientCapabilityError {
  return error instanceof ClientCapabilityError;
}

/** The result of a failed tool call: its one text block is the error object as compact JSON. */
export function toolFailure(error: MCPError, requestId: string): object {
  return { content: [{ type: "text", text: failureText(error, requestId) }], isError: true };
}

/** The same as JSON. */
export function toolFailureText(error: MCPError, requestId: string): string {
  const text = JSON.stringify(failureText(error, requestId));
  return `{"content":[{"type":"text","text":${text}}],"isError":true}`;
}

function failureText(error: MCPError, requestId: string): string {
  return JSON.stringify({ error: error.toBody(requestId) });
}

export function rpcError(error: MCPError, ask: Ask, requestId: string, era: Era): RpcError {
  const code = rpcCode(error, era);
  if (era === "modern" && lacksCapability(error)) {
    const { message, requiredCapabilities } = error;
    return { code, message, data: { requiredCapabilities } };
  }
  if (error instanceof RequestStateError) return { code, message: `Invalid params: ${error.message}` };
  const body = error.toBody(requestId);
  // Which resource was not found stands beside the error (specification, "Resources › Error Handling").
  const uri =
    error.code === "RESOURCE_NOT_FOUND" && ask.kind === "resource" ? shortened(ask.name) : undefined;
  return {
    code,
    message: error.message,
    data: uri === undefined ? body : { uri, ...body },
  };
}

/**
 * The HTTP status of a JSON-RPC error. Results of tool calls that failed stay 200, since clients give models no other to
 * read; `Retry-After` stands on both.
 */
export function statusOf({ code }: MCPError): number {
  if (code === "RATE_LIMIT_EXCEEDED") return 429;
  return UNAVAILABLE.has(code) ? 503 : 200;
}

/** A reply with what layers tell in headers, and when to try again (RFC 9110, section 10.2.3). */
export function withHeaders(reply: Reply, { error, headers }: Outcome): Reply {
  const seconds = error && secondsToWait(error);
  if (!headers && seconds === undefined) return reply;
  const retry = seconds === undefined ? undefined : { "retry-after": String(seconds) };
  return { ...reply, headers: { ...reply.headers, ...headers, ...retry } };
}

function secondsToWait({ code, details }: MCPError): number | undefined {
  if (!WAITABLE.has(code)) return undefined;
  const seconds = details?.["retry_after_seconds"];
  return typeof seconds === "number" && seconds >= 0 && Number.isFinite(seconds)
    ? Math.max(1, Math.ceil(seconds))
    : undefined;
}

const UNAVAILABLE: ReadonlySet<string> = new Set([
  "CONCURRENCY_LIMIT_EXCEEDED",
  "BACKEND_UNAVAILABLE",
  "AUDIT_UNAVAILABLE",
]);

const WAITABLE: ReadonlySet<string> = new Set([
  "RATE_LIMIT_EXCEEDED",
  "CONCURRENCY_LIMIT_EXCEEDED",
  "CIRCUIT_OPEN",
  "BACKEND_UNAVAILABLE",
  "AUDIT_UNAVAILABLE",
]);

/** The code of the JSON-RPC error that tells of `error`. */
export function rpcCode(error: MCPError, era: Era): number {
  if (era === "modern" && lacksCapability(error)) return RPC.missingCapability;
  if (error instanceof RequestStateError) return RPC.invalidParams;
  switch (error.code) {
    case "RESOURCE_NOT_FOUND":
      return era === "modern" ? RPC.invalidParams : RPC.resourceNotFound;
    case "VALIDATION_ERROR":
    case "TOOL_NOT_FOUND":
    case "PROMPT_NOT_FOUND":
      return RPC.invalidParams;
    default:
      return RPC.internalError;
  }
}

/** A result as JSON. */
export function resultText({ hasMiddleware }: Sealed, result: object): string {
  return result instanceof ToolResult && !hasMiddleware ? result.asMade() : JSON.stringify(result);
}
