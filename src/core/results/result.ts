/** What a handler returned → what goes on the wire. This file alone decides. */

import { base64 } from "../values/base64.ts";
import { NOT_CACHEABLE } from "./cache-hint.ts";
import {
  type ContentBlock,
  type EmbeddedResource,
  type ResourceContents,
  isContentBlock,
  text,
} from "./content.ts";
import { isObject, toJsonData, toJsonText } from "../values/json.ts";
import { asUriText } from "../schemas/uri-template.ts";

/** The result of a tool call (specification, "CallToolResult"). */
export class ToolResult {
  readonly content: readonly ContentBlock[];
  readonly structuredContent?: unknown;
  readonly isError?: true;

  readonly #structuredText: string | undefined;

  /** @param structuredText - The structured content as JSON, where it is written already. */
  constructor(
    content: readonly ContentBlock[],
    more: { readonly structuredContent?: unknown; readonly isError?: true } = {},
    structuredText?: string,
  ) {
    this.content = content;
    this.#structuredText = structuredText;
    if (more.structuredContent !== undefined) this.structuredContent = more.structuredContent;
    if (more.isError) this.isError = true;
  }

  /** The result as JSON, as it was made: what was written once is not written again. @internal */
  asMade(): string {
    if (this.#structuredText === undefined) return JSON.stringify(this);
    return `{"content":${JSON.stringify(this.content)},"structuredContent":${this.#structuredText}}`;
  }
}

/**
 * What a tool, a resource or a prompt returns with facts about it that are not for the client: middleware finds them as
 * `ctx.metadata` once `next()` has resolved.
 *
 * @example
 * ```ts
 * return new ToolResponse({ order_id: order.id, status: "created" }, { metadata: { action: "order.create", actor: client.clientId } });
 * ```
 */
export class ToolResponse<T = unknown> {
  /** What the client gets: anything that a handler may return. */
  readonly content: T;
  readonly #metadata: Readonly<Record<string, unknown>>;

  /** @param options.metadata - Facts by name. Never sent to the client. Default: none. */
  constructor(content: T, options: { readonly metadata?: Readonly<Record<string, unknown>> } = {}) {
    this.content = content;
    this.#metadata = options.metadata ?? {};
  }

  get metadata(): Readonly<Record<string, unknown>> {
    return this.#metadata;
  }
}

/** A value, as it is or with metadata. */
export type Answered<T> = T | ToolResponse<T>;

/** The result of reading a resource (specification, "ReadResourceResult"). */
export class ResourceResult {
  readonly contents: readonly ResourceContents[];
  readonly #hint: string;

  constructor(contents: readonly ResourceContents[], hint: string = NOT_CACHEABLE) {
    this.contents = contents;
    this.#hint = hint;
  }

  /** How the result may be cached, as members of the modern result. @internal */
  get cacheHint(): string {
    return this.#hint;
  }
}

/** One message of a prompt. */
export interface PromptMessage {
  readonly role: "user" | "assistant";
  readonly content: ContentBlock;
}

/** The result of getting a prompt (specification, "GetPromptResult"). */
export class PromptResult {
  readonly description?: string;
  readonly messages: readonly PromptMessage[];
  constructor(messages: readonly PromptMessage[], description?: string) {
    if (description !== undefined) this.description = description;
    this.messages = messages;
  }
}

/** A message in the user's voice. */
export function user(content: string | ContentBlock): PromptMessage {
  return { role: "user", content: asBlock(content) };
}

/** A message in the model's voice. */
export function assistant(content: string | ContentBlock): PromptMessage {
  return { role: "assistant", content: asBlock(content) };
}

/**
 * A tool's return value as a result: a string is one text block, a content block is itself, an array with
 * a block in it is mixed content, nothing is `OK`, any other value is one text block of compact JSON.
 */
export function toToolResult(value: unknown): ToolResult {
  if (value instanceof ToolResult) return value;
  return new ToolResult(toContent(value));
}

/** A validated output: its JSON as text for every client, and as structured content for those that read it. */
export function toStructuredResult(value: unknown): ToolResult {
  const data = toJsonData(value) ?? null;
  const json = JSON.stringify(data);
  return new ToolResult([{ type: "text", text: json }], { structuredContent: data }, json);
}

/** A resource's return value: text as it is, bytes as a blob, any other value as compact JSON. */
export function toResourceResult(
  value: unknown,
  uri: string,
  mimeType: string | undefined,
  hint?: string,
): ResourceResult {
  if (value instanceof ResourceResult) return value;
  const blocks: readonly unknown[] = Array.isArray(value) && value.length > 0 ? value : [value];
  if (blocks.every(isEmbedded))
    return new ResourceResult(
      blocks.map(({ resource }) => resource),
      hint,
    );
  return new ResourceResult([contentsOf(value, asUriText(uri), mimeType)], hint);
}

function contentsOf(value: unknown, uri: string, mimeType: string | undefined): ResourceContents {
  if (value instanceof Uint8Array)
    return { uri, mimeType: mimeType ?? "application/octet-stream", blob: base64(value) };
  if (typeof value === "string") return { uri, mimeType: mimeType ?? "text/plain", text: value };
  return { uri, mimeType: mimeType ?? "application/json", text: toJsonText(value ?? null) };
}

function isEmbedded(value: unknown): value is EmbeddedResource {
  return isContentBlock(value) && value.type === "resource";
}

/** A prompt's return value: text or a block is one user message, nothing an empty one; an array may mix those with messages. */
export function toPromptResult(value: unknown, description: string | undefined): PromptResult {
  if (value instanceof PromptResult) return value;
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return new PromptResult(
    items.map((item) =>
      isPromptMessage(item) ? { role: item.role, content: asBlock(item.content) } : user(asPromptText(item)),
    ),
    description,
  );
}

/**
 * What a layer answers: where it is a copy of a result, `{ ...(await next()), content }`, or one in the specification's
 * form, that result. What handlers return is never taken for one.
 */
export function asCopied(kind: "tool" | "resource" | "prompt", value: unknown): unknown {
  if (value instanceof ToolResponse) return value.content;
  if (!isObject(value) || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const { content, structuredContent, isError, contents, messages, description, ...others } = value;
  if (Object.keys(others).length > 0) return value;
  if (kind === "tool" && isListOf(content, isBlock)) {
    return new ToolResult(content, { structuredContent, ...(isError === true && { isError }) });
  }
  if (kind === "resource" && isListOf(contents, isContents)) return new ResourceResult(contents);
  if (kind === "prompt" && isListOf(messages, isPromptMessage)) {
    return toPromptResult(messages, typeof description === "string" ? description : undefined);
  }
  return value;
}

function isListOf<T>(value: unknown, is: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(is);
}

const BLOCK_TYPES: readonly unknown[] = ["text", "image", "audio", "resource_link", "resource"];

function isBlock(value: unknown): value is ContentBlock {
  return isObject(value) && BLOCK_TYPES.includes(value["type"]);
}

function isContents(value: unknown): value is ResourceContents {
  return isObject(value) && typeof value["uri"] === "string" && ("text" in value || "blob" in value);
}

function toContent(value: unknown): readonly ContentBlock[] {
  if (value === undefined || value === null) return [text("OK")];
  if (typeof value === "string") return [{ type: "text", text: value }];
  if (isContentBlock(value)) return [value];
  if (Array.isArray(value) && value.some(isContentBlock)) return value.flatMap(toContent);
  return [{ type: "text", text: toJsonText(value) }];
}

function asPromptText(value: unknown): string | ContentBlock {
  return typeof value === "string" || isContentBlock(value)
    ? value
    : value === undefined || value === null
      ? ""
      : toJsonText(value);
}

function asBlock(content: string | ContentBlock): ContentBlock {
  return typeof content === "string" ? text(content) : content;
}

function isPromptMessage(
  value: unknown,
): value is { role: "user" | "assistant"; content: string | ContentBlock } {
  if (typeof value !== "object" || value === null || !("role" in value) || !("content" in value))
    return false;
  const { role, content } = value;
  return (
    (role === "user" || role === "assistant") &&
    (typeof content === "string" || (typeof content === "object" && content !== null))
  );
}
