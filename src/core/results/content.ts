/** Content blocks: what a result is made of on the wire, and the helpers that build them. */

import { base64, isBase64 } from "../values/base64.ts";
import { ConfigurationError } from "../errors.ts";
import { shown } from "../options/known-options.ts";
import { asUriText } from "../schemas/uri-template.ts";

/** Marks blocks that a helper made, so that a plain object that looks like one stays plain data. */
const BLOCK: unique symbol = Symbol.for("gantry-mcp.content-block");

/** For whom a block is meant and how much it matters (specification, "Annotations"). */
export interface ContentAnnotations {
  readonly audience?: readonly ("user" | "assistant")[];
  /** From 0 (optional) to 1 (required). */
  readonly priority?: number;
  /** An ISO 8601 time, as `toISOString()` of a date gives it. */
  readonly lastModified?: string;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Throws a {@link ConfigurationError} where clients would refuse the annotations, and with them the whole answer. */
export function checkAnnotations(what: string, annotations: ContentAnnotations | undefined): void {
  if (annotations === undefined) return;
  const { audience, priority, lastModified } = annotations;
  if (priority !== undefined && !(priority >= 0 && priority <= 1))
    throw new ConfigurationError(`${what}.priority is ${shown(priority)}: write a number from 0 to 1.`);
  const isAudience = (one: unknown) => one === "user" || one === "assistant";
  if (audience !== undefined && !(Array.isArray(audience) && audience.every(isAudience)))
    throw new ConfigurationError(`${what}.audience is not valid: write an array of "user" and "assistant".`);
  const isTime = (time: string) => TIME.test(time) && !Number.isNaN(Date.parse(time));
  if (lastModified !== undefined && !isTime(lastModified)) {
    throw new ConfigurationError(
      `${what}.lastModified is ${shown(lastModified)}: write a time such as "2026-11-01T12:00:00Z", as toISOString() gives it.`,
    );
  }
}

/** A picture that a client may show (specification, "icons"). */
export interface Icon {
  /** An `https:` or `data:` URI. */
  readonly src: string;
  readonly mimeType?: string;
  readonly sizes?: readonly string[];
  readonly theme?: "light" | "dark";
}

/** What every block may carry. */
export interface ContentOptions {
  readonly annotations?: ContentAnnotations;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

export interface TextContent extends ContentOptions {
  readonly type: "text";
  readonly text: string;
}

export interface ImageContent extends ContentOptions {
  readonly type: "image";
  readonly data: string;
  readonly mimeType: string;
}

export interface AudioContent extends ContentOptions {
  readonly type: "audio";
  readonly data: string;
  readonly mimeType: string;
}

export interface ResourceLink extends ContentOptions {
  readonly type: "resource_link";
  readonly uri: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
  readonly size?: number;
  readonly icons?: readonly Icon[];
}

/** The contents of a resource, as text or as base64. */
export type ResourceContents = {
  readonly uri: string;
  readonly mimeType?: string;
  readonly _meta?: Readonly<Record<string, unknown>>;
} & ({ readonly text: string } | { readonly blob: string });

export interface EmbeddedResource extends ContentOptions {
  readonly type: "resource";
  readonly resource: ResourceContents;
}

export type ContentBlock = TextContent | ImageContent | AudioContent | ResourceLink | EmbeddedResource;

/** Whether a helper of this module made `value`. */
export function isContentBlock(value: unknown): value is ContentBlock {
  return typeof value === "object" && value !== null && BLOCK in value;
}

function block<B extends ContentBlock>(fields: B): B {
  checkAnnotations("annotations", fields.annotations);
  Object.defineProperty(fields, BLOCK, { value: true });
  return fields;
}

/** Clients refuse a whole result for data that is no base64 (specification, "Image Content"). */
function asBase64(data: Uint8Array | string, what: string): string {
  if (typeof data !== "string") return base64(data);
  if (!isBase64(data))
    throw new ConfigurationError(
      `${what}: the data is not base64. Write bytes, or base64 text without a "data:" prefix and line breaks.`,
    );
  return data;
}

/**
 * A block of text.
 *
 * @example
 * ```ts
 * return [text("Two charts:"), image(png, "image/png")];
 * ```
 */
export function text(value: string, options: ContentOptions = {}): TextContent {
  return block({ type: "text", text: value, ...options });
}

/** An image: its bytes (or base64 text) and its media type. Throws a {@link ConfigurationError} for other text. */
export function image(
  data: Uint8Array | string,
  mimeType: string,
  options: ContentOptions = {},
): ImageContent {
  return block({ type: "image", data: asBase64(data, "image()"), mimeType, ...options });
}

/** A sound: its bytes (or base64 text) and its media type. Throws a {@link ConfigurationError} for other text. */
export function audio(
  data: Uint8Array | string,
  mimeType: string,
  options: ContentOptions = {},
): AudioContent {
  return block({ type: "audio", data: asBase64(data, "audio()"), mimeType, ...options });
}

/** A pointer to a resource that the client may read. */
export function link(resource: Omit<ResourceLink, "type">): ResourceLink {
  return block({ type: "resource_link", ...resource, uri: asUriText(resource.uri) });
}

/**
 * A resource's contents: within a tool's result or a prompt, or what a resource's handler returns.
 *
 * @param resource - Text, or bytes; `_meta` of its own belongs to the contents.
 * @param options - What the block carries. Where a resource is read there is no block, and these stay behind.
 */
export function embed(
  resource: {
    readonly uri: string;
    readonly mimeType?: string;
    readonly _meta?: Readonly<Record<string, unknown>>;
  } & ({ readonly text: string } | { readonly blob: Uint8Array | string }),
  options: ContentOptions = {},
): EmbeddedResource {
  const { uri, mimeType, _meta } = resource;
  const about = { uri: asUriText(uri), ...(mimeType !== undefined && { mimeType }), ...(_meta && { _meta }) };
  const contents =
    "text" in resource
      ? { ...about, text: resource.text }
      : { ...about, blob: asBase64(resource.blob, "embed()") };
  return block({ type: "resource", resource: contents, ...options });
}
