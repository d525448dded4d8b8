/** How a test sees what went wrong. */

import type { ErrorBody } from "../core/errors.ts";

/** A tool call failed: the error object that a model would read, as an exception. */
export class ToolCallError extends Error {
  override readonly name = "ToolCallError";
  readonly code: string;
  readonly body: Partial<ErrorBody>;

  constructor(body: Partial<ErrorBody> & { readonly message: string }) {
    super(body.message);
    this.code = body.code ?? "TOOL_ERROR";
    this.body = body;
  }
}

/** A request was answered by a JSON-RPC error, or refused by HTTP. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;
  readonly code: number | undefined;
  readonly data: unknown;

  constructor(
    status: number,
    error: { readonly code?: number; readonly message?: string; readonly data?: unknown },
  ) {
    super(error.message ?? `HTTP ${status}`);
    this.status = status;
    this.code = error.code;
    this.data = error.data;
  }
}
