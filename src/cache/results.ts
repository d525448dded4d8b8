/** Results as texts that can be kept, and back: whoever is given one has it to itself. */

import type { ComponentDefinition } from "../core/components/definitions.ts";
import { toJsonData } from "../core/values/json.ts";
import { PromptResult, ResourceResult, ToolResult } from "../core/results/result.ts";

type Metadata = Readonly<Record<string, unknown>>;

/** A result and its metadata as text; `undefined` for what is no success. */
export function packed(result: unknown, metadata: Metadata): string | undefined {
  const fits =
    result instanceof ToolResult
      ? !result.isError
      : result instanceof ResourceResult || result instanceof PromptResult;
  return fits ? JSON.stringify([result, toJsonData(metadata)]) : undefined;
}

type Kept = ToolResult & ResourceResult & PromptResult;

/** A result of this kind, and its metadata. */
export function unpacked(
  text: string,
  kind: ComponentDefinition["kind"],
): { readonly result: object; readonly metadata: Metadata } {
  const [kept, metadata] = JSON.parse(text) as [Kept, Metadata];
  return { result: revived(kept, kind), metadata };
}

function revived(kept: Kept, kind: ComponentDefinition["kind"]): object {
  switch (kind) {
    case "tool":
      return new ToolResult(kept.content, { structuredContent: kept.structuredContent });
    case "resource":
      return new ResourceResult(kept.contents);
    case "prompt":
      return new PromptResult(kept.messages, kept.description);
  }
}
