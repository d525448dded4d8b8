/** JSON-RPC 2.0 messages as MCP uses them, and the errors that the protocol itself gives. */

import { isObject } from "../core/values/json.ts";

export type RequestId = string | number;

export interface RpcRequest {
  readonly id: RequestId;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>> | undefined;
}

export interface RpcNotification {
  readonly id?: undefined;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>> | undefined;
}

/** A JSON-RPC error object. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** Codes of JSON-RPC 2.0 and of the specification ("Error Codes"). */
export const RPC = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** 2025-era only. */
  resourceNotFound: -32002,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const;

export type Message =
  | { readonly request: RpcRequest }
  | { readonly notification: RpcNotification }
  | { readonly id: RequestId | undefined; readonly problem: string };

/** Reads one message. What is none is told in words, with its id where it has a readable one. */
export function readMessage(value: unknown): Message {
  if (!isObject(value)) return { id: undefined, problem: "A message is a JSON object." };
  const { jsonrpc, id, method, params } = value;
  const readable = isRequestId(id) ? id : undefined;
  const bad = (problem: string) => ({ id: readable, problem });
  if (jsonrpc !== "2.0") return bad('"jsonrpc" must be "2.0".');
  if (typeof method !== "string") {
    return bad(
      "result" in value || "error" in value
        ? "Responses are not accepted here: send requests."
        : '"method" must be a string.',
    );
  }
  if (params !== undefined && !isObject(params)) return bad('"params" must be an object.');
  if (!("id" in value)) return { notification: { method, params } };
  if (readable === undefined) return bad('"id" must be a string or an integer.');
  return { request: { id: readable, method, params } };
}

function isRequestId(id: unknown): id is RequestId {
  return typeof id === "string" || Number.isSafeInteger(id);
}
