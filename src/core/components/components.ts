/** Tools, resources and prompts as their authors write them: options and handlers. */

import type { AuditedOptions } from "./auditable.ts";
import type { CacheHint } from "../results/cache-hint.ts";
import type { CachedOptions, ChangingOptions } from "./caching.ts";
import type { ClientContext } from "../calls/client.ts";
import type { Completers } from "./completers.ts";
import type { ContentAnnotations, Icon } from "../results/content.ts";
import type { RequestContext } from "../calls/context.ts";
import type { InjectOptions } from "../dependencies/dependencies.ts";
import type { Duration } from "../options/duration.ts";
import type { LimitOptions } from "./limits.ts";
import type { AccessOptions } from "../access/policy.ts";
import type { Answered } from "../results/result.ts";
import type { Parsed, Returned, Schema } from "../schemas/schema.ts";
import type { ToolAnnotations } from "./tool-annotations.ts";
import type { TemplateParams } from "../schemas/uri-template.ts";

/** Options that tools, resources and prompts share. */
export interface ComponentOptions<Args = unknown>
  extends AccessOptions<Args>, InjectOptions, LimitOptions, CachedOptions, AuditedOptions {
  /** What it is for, in words for a model. Required. */
  readonly description: string;
  /** A name for people. */
  readonly title?: string;
  readonly icons?: readonly Icon[];
  /** Labels to enable, disable and tell apart by; not sent to clients. */
  readonly tags?: readonly string[];
  /** How long a call may take before it ends as `TIMEOUT`. Default: the server's `timeout`, 30 s. */
  readonly timeout?: Duration;
  /** Metadata sent with the component in lists. */
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** What becomes of arguments that the schema does not name. */
export type UnknownArguments = (typeof UNKNOWN_ARGUMENTS)[number];
export const UNKNOWN_ARGUMENTS = ["follow-schema", "refuse"] as const;

export interface ToolOptions<S, O> extends ComponentOptions<Input<S>>, ChangingOptions {
  /** What the arguments look like. Without it the tool takes none. */
  readonly input?: S;
  /** What the result looks like: checked before it is sent, and sent as structured content. */
  readonly output?: O;
  readonly annotations?: ToolAnnotations;
  /** Default: the server's. `"refuse"` names the nearest known argument. */
  readonly unknownArguments?: UnknownArguments;
}

/** What a handler gets of its arguments. */
type Input<S> = S extends Schema ? Parsed<S> : Record<string, never>;

export type ToolHandler<S, O, C extends ClientContext = ClientContext, I = unknown> = (
  args: Input<S>,
  ctx: RequestContext<C> & I,
) => O extends Schema ? Answered<Returned<O>> | Promise<Answered<Returned<O>>> : unknown;

export interface ResourceOptions<Name extends string> extends ComponentOptions<
  Readonly<Record<Name, string>>
> {
  /** A programmatic name. */
  readonly name: string;
  /** Default: from what the handler returns (`text/plain`, `application/json`, `application/octet-stream`). */
  readonly mimeType?: string;
  /** The size in bytes, where it is known beforehand. Not for templates. */
  readonly size?: number;
  /** How long and for whom clients may keep what is read. Default: not at all, and privately where the handler takes the context. */
  readonly cacheHint?: CacheHint;
  readonly annotations?: ContentAnnotations;
  /** Offers values for the template's variables. */
  readonly complete?: Completers<Name>;
}

export type ResourceHandler<U extends string, C extends ClientContext = ClientContext, I = unknown> = (
  params: TemplateParams<U>,
  ctx: RequestContext<C> & I,
) => unknown;

export interface PromptOptions<S> extends ComponentOptions<Input<S>> {
  /** What the arguments look like. Clients send prompt arguments as strings. */
  readonly input?: S;
  /** Offers values for arguments; those of an enum are offered without it. */
  readonly complete?: Completers<keyof (S extends Schema ? Parsed<S> : object) & string>;
}

export type PromptHandler<S, C extends ClientContext = ClientContext, I = unknown> = (
  args: Input<S>,
  ctx: RequestContext<C> & I,
) => unknown;
