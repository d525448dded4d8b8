import {
  ConfigurationError,
  ERROR_CODES,
  MCPError,
  PromptError,
  ResourceError,
  ToolError,
  ValidationError,
} from "gantry-mcp";
import { describe, expect, test } from "vitest";
import { internalError } from "../../../src/core/errors.ts";

describe("the catalogue", () => {
  test("holds these codes, of which these may succeed later", () => {
    const retryable = Object.entries(ERROR_CODES).flatMap(([code, entry]) => (entry.retryable ? [code] : []));
    expect(Object.keys(ERROR_CODES).toSorted()).toEqual([
      "ACCESS_DENIED",
      "AUDIT_UNAVAILABLE",
      "AUTHENTICATION_ERROR",
      "BACKEND_UNAVAILABLE",
      "CANCELLED",
      "CIRCUIT_OPEN",
      "CLIENT_CAPABILITY_REQUIRED",
      "CONCURRENCY_LIMIT_EXCEEDED",
      "IDEMPOTENCY_KEY_REUSED",
      "INPUT_INVALID",
      "INTERNAL_ERROR",
      "INVALID_JOB_ARGUMENTS",
      "JOB_NOT_FOUND",
      "PROMPT_ERROR",
      "PROMPT_NOT_FOUND",
      "QUEUE_FULL",
      "RATE_LIMIT_EXCEEDED",
      "RESOURCE_ERROR",
      "RESOURCE_NOT_FOUND",
      "RESULT_NOT_KEPT",
      "TIMEOUT",
      "TOOL_ERROR",
      "TOOL_NOT_FOUND",
      "UNKNOWN_JOB_TYPE",
      "VALIDATION_ERROR",
    ]);
    expect(retryable.toSorted()).toEqual([
      "AUDIT_UNAVAILABLE",
      "BACKEND_UNAVAILABLE",
      "CANCELLED",
      "CIRCUIT_OPEN",
      "CONCURRENCY_LIMIT_EXCEEDED",
      "INPUT_INVALID",
      "QUEUE_FULL",
      "RATE_LIMIT_EXCEEDED",
      "TIMEOUT",
    ]);
  });

  test("says of each code in a sentence when it is used", () => {
    for (const { when } of Object.values(ERROR_CODES)) expect(when).toMatch(/^[A-Z].{10,}\.$/);
  });
});

describe("errors", () => {
  test.each([
    [new MCPError("m"), "MCPError", "INTERNAL_ERROR"],
    [new ToolError("m"), "ToolError", "TOOL_ERROR"],
    [new ResourceError("m"), "ResourceError", "RESOURCE_ERROR"],
    [new PromptError("m"), "PromptError", "PROMPT_ERROR"],
    [new ValidationError({ a: "b" }), "ValidationError", "VALIDATION_ERROR"],
  ])("%s has its name and code", (error, name, code) => {
    expect(error).toBeInstanceOf(MCPError);
    expect(error).toBeInstanceOf(Error);
    expect({ name: error.name, code: error.code }).toEqual({ name, code });
  });

  test("take their retryability from the catalogue unless told otherwise", () => {
    expect(new MCPError("m", { code: "TIMEOUT" }).retryable).toBe(true);
    expect(new MCPError("m", { code: "TIMEOUT", retryable: false }).retryable).toBe(false);
    expect(new ToolError("m", { code: "RATE_LIMIT_EXCEEDED" }).retryable).toBe(true);
    expect(new MCPError("m", { code: "MINE" }).retryable).toBe(false);
    expect(new MCPError("m", { code: "toString" }).retryable).toBe(false);
  });

  test("show callers what is meant for them, and no more", () => {
    const error = new ToolError("m", {
      suggestion: "s",
      details: { a: 1 },
      cause: new Error("secret"),
    });
    expect(error.toBody("id-1")).toEqual({
      code: "TOOL_ERROR",
      message: "m",
      retryable: false,
      suggestion: "s",
      details: { a: 1 },
      requestId: "id-1",
    });
    expect(new ToolError("m").toBody("id-1")).toEqual({
      code: "TOOL_ERROR",
      message: "m",
      retryable: false,
      requestId: "id-1",
    });
    expect((error.cause as Error).message).toBe("secret");
  });

  test("of validation name each field", () => {
    const error = new ValidationError({ "task.due": "must lie in the future", "": "is wrong as a whole" });
    expect(error.message).toBe("Invalid input: task.due: must lie in the future; is wrong as a whole");
    expect(error.details).toEqual({ field_errors: error.fieldErrors });
  });

  test("that are unexpected show nothing of their cause", () => {
    const error = internalError(new Error("secret"));
    expect(JSON.stringify(error.toBody("id"))).not.toContain("secret");
    expect(error.toBody("id")).toEqual({
      code: "INTERNAL_ERROR",
      message: "An internal error occurred.",
      retryable: false,
      requestId: "id",
    });
  });

  test("of the set-up list every problem", () => {
    expect(new ConfigurationError("one").message).toBe("one");
    const two = new ConfigurationError(["one", "two"]);
    expect(two.message).toBe("2 problems:\n  - one\n  - two");
    expect(two.problems).toEqual(["one", "two"]);
    expect(two).not.toBeInstanceOf(MCPError);
  });
});
