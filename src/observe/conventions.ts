/**
 * What calls are called in telemetry: OpenTelemetry's semantic conventions for MCP (status "Development", repository
 * semantic-conventions-genai, docs/gen-ai/mcp.md).
 */

import { type RequestContext, envelopeOf } from "../core/calls/context.ts";
import type { MCPError } from "../core/errors.ts";

const LISTS: Readonly<Record<string, string>> = {
  tools: "tools/list",
  resources: "resources/list",
  templates: "resources/templates/list",
  prompts: "prompts/list",
};

/** `mcp.method.name`. */
export function methodOf(ctx: RequestContext): string {
  const { kind, name } = ctx.operation;
  switch (kind) {
    case "tool":
      return "tools/call";
    case "prompt":
      return "prompts/get";
    case "resource":
      return "resources/read";
    case "completion":
      return "completion/complete";
    case "list":
      return LISTS[name] ?? name;
    case "discover":
      return "server/discover";
    case "subscription":
      return envelopeOf(ctx).method ?? "subscriptions/listen";
  }
}

/** `error.type` where the result of a tool says that it failed. */
export const TOOL_ERROR = "tool_error";

/** `rpc.response.status_code` of a call that failed with `error`, as its caller is told it; nothing where a result tells of it. */
export function statusCodeOf(ctx: RequestContext, error: MCPError): string | undefined {
  const code = envelopeOf(ctx).wire?.codeOf(ctx.operation.kind, error);
  return code === undefined ? undefined : String(code);
}

/** `network.transport`. */
export function transportOf(ctx: RequestContext): "tcp" | "pipe" {
  return envelopeOf(ctx).wire?.transport === "stdio" ? "pipe" : "tcp";
}
