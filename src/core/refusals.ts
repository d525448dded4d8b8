/** Refusals that the framework itself speaks, in one voice. */

import { MCPError, refusal } from "./errors.ts";

const UNKNOWN = {
  tool: { code: "TOOL_NOT_FOUND", message: "Unknown tool", look: "tools/list" },
  prompt: { code: "PROMPT_NOT_FOUND", message: "Prompt not found", look: "prompts/list" },
  resource: {
    code: "RESOURCE_NOT_FOUND",
    message: "Resource not found",
    look: "resources/list or resources/templates/list",
  },
} as const;

/** How much of a name that a caller sent is repeated to it. */
const LONGEST_NAME = 256;

/** Nothing of that name is available: the same answer whether it does not exist or is hidden. */
export function notFound(kind: keyof typeof UNKNOWN, name: string): MCPError {
  const { code, message, look } = UNKNOWN[kind];
  const suggestion = `Ask ${look} for what there is.`;
  return refusal(() => new MCPError(`${message}: ${shortened(name)}`, { code, suggestion }));
}

/** A name as it is repeated to whoever sent it. */
export function shortened(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}

/** Handlers that heed their signal end with an error of whatever kind: that is no fault of the server's. */
export function cancelled(cause: unknown): MCPError {
  return new MCPError("The call was cancelled before it finished.", { code: "CANCELLED", cause });
}

/** Of a store that holds what this server has not written: that does not pass by itself. */
export function unreadableStore(cause: unknown): MCPError {
  return refusal(
    () =>
      new MCPError("The server's store holds something that cannot be read", {
        code: "BACKEND_UNAVAILABLE",
        retryable: false,
        suggestion: "Nothing was done. Tell the server's operator: its log says what to do.",
        cause,
      }),
  );
}
