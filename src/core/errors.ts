/** Everything that can go wrong, as one class hierarchy with stable codes. */

import { toJsonData } from "./values/json.ts";

export interface CodeEntry {
  /** When the code is used; `docs/errors.md` is generated from these lines. */
  readonly when: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
}

/** A code of the catalogue. */
export type ErrorCode =
  | "VALIDATION_ERROR"
  | "TOOL_NOT_FOUND"
  | "RESOURCE_NOT_FOUND"
  | "PROMPT_NOT_FOUND"
  | "AUTHENTICATION_ERROR"
  | "ACCESS_DENIED"
  | "RATE_LIMIT_EXCEEDED"
  | "CONCURRENCY_LIMIT_EXCEEDED"
  | "TIMEOUT"
  | "CIRCUIT_OPEN"
  | "BACKEND_UNAVAILABLE"
  | "CANCELLED"
  | "TOOL_ERROR"
  | "RESOURCE_ERROR"
  | "PROMPT_ERROR"
  | "INTERNAL_ERROR"
  | "CLIENT_CAPABILITY_REQUIRED"
  | "INPUT_INVALID"
  | "IDEMPOTENCY_KEY_REUSED"
  | "RESULT_NOT_KEPT"
  | "UNKNOWN_JOB_TYPE"
  | "INVALID_JOB_ARGUMENTS"
  | "JOB_NOT_FOUND"
  | "QUEUE_FULL"
  | "AUDIT_UNAVAILABLE";

/** The catalogue of codes. A code never changes its meaning. */
export const ERROR_CODES: Readonly<Record<ErrorCode, CodeEntry>> = {
  VALIDATION_ERROR: {
    when: "The arguments do not fit the schema; `details.field_errors` names each field.",
    retryable: false,
  },
  TOOL_NOT_FOUND: { when: "No tool of that name is available to the caller.", retryable: false },
  RESOURCE_NOT_FOUND: { when: "No resource at that URI is available to the caller.", retryable: false },
  PROMPT_NOT_FOUND: { when: "No prompt of that name is available to the caller.", retryable: false },
  AUTHENTICATION_ERROR: { when: "The caller could not be identified.", retryable: false },
  ACCESS_DENIED: { when: "The caller is known and may not do this.", retryable: false },
  RATE_LIMIT_EXCEEDED: {
    when: "Too many calls; `details.retry_after_seconds` says when to try again.",
    retryable: true,
  },
  CONCURRENCY_LIMIT_EXCEEDED: {
    when: "Too many calls at the same time; try again shortly.",
    retryable: true,
  },
  TIMEOUT: { when: "The call did not finish within its time limit.", retryable: true },
  CIRCUIT_OPEN: { when: "The operation failed repeatedly and is paused for a while.", retryable: true },
  BACKEND_UNAVAILABLE: {
    when: "The store that the server's processes share cannot be reached; try again shortly.",
    retryable: true,
  },
  CANCELLED: { when: "The caller or a shutdown ended the call before it finished.", retryable: true },
  TOOL_ERROR: { when: "The tool refused, with a message meant for the caller.", retryable: false },
  RESOURCE_ERROR: { when: "The resource refused, with a message meant for the caller.", retryable: false },
  PROMPT_ERROR: { when: "The prompt refused, with a message meant for the caller.", retryable: false },
  INTERNAL_ERROR: {
    when: "Something unexpected; the cause is in the server's log under the request id.",
    retryable: false,
  },
  CLIENT_CAPABILITY_REQUIRED: {
    when: "The call needs something of the client that it did not declare; `details.requiredCapabilities` names it.",
    retryable: false,
  },
  IDEMPOTENCY_KEY_REUSED: {
    when: "The client's idempotency key was used before, with other arguments.",
    retryable: false,
  },
  RESULT_NOT_KEPT: {
    when: "The idempotent call was carried out before; its result is too large to have been kept, and the call is not run again.",
    retryable: false,
  },
  INPUT_INVALID: { when: "What the client answered to a question does not fit it.", retryable: true },
  UNKNOWN_JOB_TYPE: { when: "No job of that type is registered.", retryable: false },
  INVALID_JOB_ARGUMENTS: { when: "The arguments do not fit the job's schema.", retryable: false },
  JOB_NOT_FOUND: { when: "The caller has no job of that id.", retryable: false },
  QUEUE_FULL: { when: "The queue takes no more jobs for now.", retryable: true },
  AUDIT_UNAVAILABLE: {
    when: "The call cannot be recorded in the audit log for now, and was not run; or it ran, and `retryable` is false.",
    retryable: true,
  },
};

/** What an {@link MCPError} may carry besides its message. */
export interface MCPErrorOptions {
  /** A code of the catalogue, or one of your own. Default: the class's. */
  readonly code?: ErrorCode | (string & {});
  /** Whether the same call may succeed later. Default: what the catalogue says of the code, else `false`. */
  readonly retryable?: boolean;
  /** What the caller can do about it. */
  readonly suggestion?: string;
  /** Facts for the caller, as plain JSON. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** What led to it. Logged, never sent. */
  readonly cause?: unknown;
}

/** The error object that callers see. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly suggestion?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly requestId: string;
}

/**
 * An error whose message is meant for the caller. Anything else that a handler throws is shown as
 * `INTERNAL_ERROR` with a request id and nothing more.
 *
 * @example
 * ```ts
 * throw new MCPError("The archive is being rebuilt", { code: "ARCHIVE_BUSY", retryable: true });
 * ```
 */
export class MCPError extends Error {
  override readonly name: string = "MCPError";
  readonly code: string;
  readonly retryable: boolean;
  readonly suggestion: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(message: string, options: MCPErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? "INTERNAL_ERROR";
    this.retryable =
      options.retryable ?? (ERROR_CODES as Partial<Record<string, CodeEntry>>)[this.code]?.retryable ?? false;
    this.suggestion = options.suggestion;
    this.details = options.details;
  }

  /** The error object for the caller of request `requestId`. */
  toBody(requestId: string): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.suggestion !== undefined && { suggestion: this.suggestion }),
      ...(this.details !== undefined && { details: toJsonData(this.details) as Record<string, unknown> }),
      requestId,
    };
  }
}

/**
 * A tool refuses, with a message for the caller (code `TOOL_ERROR` unless given).
 *
 * @example
 * ```ts
 * throw new ToolError(`Task ${id} is already done`, { suggestion: "Reopen it first." });
 * ```
 */
export class ToolError extends MCPError {
  override readonly name = "ToolError";
  constructor(message: string, options: MCPErrorOptions = {}) {
    super(message, { code: "TOOL_ERROR", ...options });
  }
}

/** A resource refuses, with a message for the caller (code `RESOURCE_ERROR` unless given). */
export class ResourceError extends MCPError {
  override readonly name = "ResourceError";
  constructor(message: string, options: MCPErrorOptions = {}) {
    super(message, { code: "RESOURCE_ERROR", ...options });
  }
}

/** A prompt refuses, with a message for the caller (code `PROMPT_ERROR` unless given). */
export class PromptError extends MCPError {
  override readonly name = "PromptError";
  constructor(message: string, options: MCPErrorOptions = {}) {
    super(message, { code: "PROMPT_ERROR", ...options });
  }
}

/**
 * The caller's credentials are missing or do not hold (code `AUTHENTICATION_ERROR`). Over HTTP it is a 401 with
 * a challenge (RFC 6750, section 3).
 *
 * @example
 * ```ts
 * throw new AuthenticationError("Unknown ticket", { suggestion: "Ask for a new one." });
 * ```
 */
export class AuthenticationError extends MCPError {
  override readonly name = "AuthenticationError";
  constructor(message: string, options: Omit<MCPErrorOptions, "code"> = {}) {
    super(message, { ...options, code: "AUTHENTICATION_ERROR" });
  }
}

/**
 * Arguments do not fit. `fieldErrors` maps a field's path to what is wrong with it.
 *
 * @example
 * ```ts
 * throw new ValidationError({ "task.due": "must lie in the future" });
 * ```
 */
export class ValidationError extends MCPError {
  override readonly name = "ValidationError";
  readonly fieldErrors: Readonly<Record<string, string>>;

  constructor(
    fieldErrors: Readonly<Record<string, string>>,
    options: Omit<MCPErrorOptions, "code" | "details"> = {},
  ) {
    const problems = Object.entries(fieldErrors).map(([path, problem]) =>
      path === "" ? problem : `${path}: ${problem}`,
    );
    super(`Invalid input: ${problems.join("; ")}`, {
      suggestion: "Check the parameter types and constraints in the tool description.",
      ...options,
      code: "VALIDATION_ERROR",
      details: { field_errors: fieldErrors },
    });
    this.fieldErrors = fieldErrors;
  }
}

/**
 * The server is set up wrongly: thrown at registration or start-up, to its developer, never to a caller.
 * `problems` says of each what is wrong and what to write instead.
 */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[]) {
    const list = typeof problems === "string" ? [problems] : problems;
    super(
      list.length === 1
        ? list[0]
        : `${list.length} problems:\n${list.map((problem) => `  - ${problem}`).join("\n")}`,
    );
    this.problems = list;
  }
}

/** The problems that `check` throws; none where it returns. */
export function problemsOf(check: () => void): readonly string[] {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

/**
 * Makes an error that is an answer and no fault: without a stack, which costs more than all the rest of a
 * refusal, and which nobody reads.
 */
export function refusal<E extends MCPError>(make: () => E): E {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** What a caller sees of anything unexpected. */
export function internalError(cause: unknown): MCPError {
  return new MCPError("An internal error occurred.", { code: "INTERNAL_ERROR", cause });
}
