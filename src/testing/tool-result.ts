/** What came of a tool call, and the value in it. */

import type { ContentBlock } from "../core/results/content.ts";
import type { ErrorBody } from "../core/errors.ts";
import { ToolCallError } from "./errors.ts";

/** The full result of a tool call. */
export interface TestToolResult {
  readonly content: readonly ContentBlock[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** Structured content, else the text's JSON, else the text. Throws a {@link ToolCallError} where the call failed. */
export function valueOf(result: TestToolResult): unknown {
  const value = contentOf(result);
  if (result.isError) throw new ToolCallError(errorBody(value));
  return value;
}

function contentOf({ content, structuredContent }: TestToolResult): unknown {
  if (structuredContent !== undefined) return structuredContent;
  const [first] = content;
  if (content.length !== 1 || first?.type !== "text") return content;
  try {
    return JSON.parse(first.text);
  } catch {
    return first.text;
  }
}

function errorBody(value: unknown): Partial<ErrorBody> & { readonly message: string } {
  const error =
    typeof value === "object" && value !== null && "error" in value ? (value.error as ErrorBody) : undefined;
  return error ?? { message: typeof value === "string" ? value : JSON.stringify(value) };
}
