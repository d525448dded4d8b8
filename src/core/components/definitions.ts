/** Tools, resources and prompts as the core knows them, and the checks of registration. */

import { type Auditable, auditable } from "./auditable.ts";
import { type CacheHint, checkHint } from "../results/cache-hint.ts";
import { type DeclaredCaching, declaredCaching } from "./caching.ts";
import { type Completer, checkCompleters } from "./completers.ts";
import {
  type ComponentOptions,
  type PromptOptions,
  type ResourceOptions,
  type ToolOptions,
  UNKNOWN_ARGUMENTS,
  type UnknownArguments,
} from "./components.ts";
import type { Middleware } from "../calls/compose.ts";
import { checkAnnotations } from "../results/content.ts";
import type { RequestContext } from "../calls/context.ts";
import { type Dependencies, checkInjectable } from "../dependencies/dependencies.ts";
import { timeLimit } from "../options/duration.ts";
import { ConfigurationError } from "../errors.ts";
import { type Names, checkChoice, checkKnown } from "../options/known-options.ts";
import { type DeclaredLimits, declaredLimits } from "./limits.ts";
import { checkMetadata } from "./metadata.ts";
import { type ParamHeader, paramHeaders } from "./param-headers.ts";
import { type Access, accessOf } from "../access/policy.ts";
import type { JsonSchema } from "../ports.ts";
import { type Schema, advertised, asObjectSchema, closed } from "../schemas/schema.ts";
import { type ToolAnnotations, checkToolAnnotations } from "./tool-annotations.ts";
import { type UriTemplate, compileTemplate, isTemplate, isUriText } from "../schemas/uri-template.ts";

/** A handler once its types have done their work. */
export type Handler = (args: never, ctx: RequestContext<never>) => unknown;

interface Definition extends DeclaredLimits, DeclaredCaching {
  /** Its place in the order of registration: the order of lists. */
  readonly order: number;
  readonly tags: readonly string[];
  readonly timeout: number | undefined;
  readonly access: Access;
  /** The layers of the routers around it, the outermost first. */
  readonly layers: readonly Middleware[];
  readonly inject: Dependencies;
  /** What the audit log may show of the arguments, where anything. */
  readonly auditable?: Auditable;
  readonly handler: Handler;
  enabled: boolean;
}

export interface ToolDefinition extends Definition {
  readonly kind: "tool";
  readonly key: string;
  /** As clients see it in the list. */
  readonly item: {
    readonly name: string;
    readonly inputSchema: JsonSchema;
    readonly outputSchema?: JsonSchema;
    readonly annotations?: ToolAnnotations;
  };
  readonly input: Schema | undefined;
  readonly output: Schema | undefined;
  readonly unknownArguments: UnknownArguments;
  readonly paramHeaders: readonly ParamHeader[];
}

export interface ResourceDefinition extends Definition {
  readonly kind: "resource";
  /** The URI, or the template. */
  readonly key: string;
  readonly item: { readonly name: string };
  readonly mimeType: string | undefined;
  readonly template: UriTemplate | undefined;
  readonly cacheHint: CacheHint | undefined;
  readonly completers: Readonly<Record<string, Completer | undefined>>;
}

export interface PromptDefinition extends Definition {
  readonly kind: "prompt";
  readonly key: string;
  /** Describes the arguments; clients see them as a list. */
  readonly inputSchema: JsonSchema;
  readonly item: { readonly name: string; readonly description: string };
  readonly input: Schema | undefined;
  readonly completers: Readonly<Record<string, Completer | undefined>>;
}

export type ComponentDefinition = ToolDefinition | ResourceDefinition | PromptDefinition;

const COMMON: Names<ComponentOptions> = {
  description: true,
  title: true,
  icons: true,
  tags: true,
  timeout: true,
  rateLimit: true,
  concurrency: true,
  cache: true,
  auth: true,
  public: true,
  roles: true,
  scopes: true,
  tenant: true,
  guards: true,
  inject: true,
  audit: true,
  _meta: true,
};
const TOOL: Names<ToolOptions<unknown, unknown>> = {
  ...COMMON,
  input: true,
  output: true,
  annotations: true,
  unknownArguments: true,
  invalidates: true,
  idempotent: true,
};
const RESOURCE: Names<ResourceOptions<string>> = {
  ...COMMON,
  name: true,
  mimeType: true,
  size: true,
  cacheHint: true,
  annotations: true,
  complete: true,
};
const PROMPT: Names<PromptOptions<undefined>> = { ...COMMON, input: true, complete: true };

/** A component's schemas, each with the words that errors about it begin with. */
export function schemasOf(definition: ComponentDefinition): readonly { what: string; schema: Schema }[] {
  if (definition.kind === "resource") return [];
  const what = `${definition.kind === "tool" ? "Tool" : "Prompt"} "${definition.key}"`;
  const output = definition.kind === "tool" ? definition.output : undefined;
  return [
    ...(definition.input ? [{ what: `${what}: input`, schema: definition.input }] : []),
    ...(output ? [{ what: `${what}: output`, schema: output }] : []),
  ];
}

/** A tool's definition, checked. Throws a {@link ConfigurationError} that says what to write. */
export function defineTool(
  order: number,
  name: string,
  options: ToolOptions<Schema | undefined, Schema | undefined>,
  handler: Handler,
  serverDefault: UnknownArguments,
): ToolDefinition {
  const what = `Tool "${name}"`;
  checkName(what, name);
  checkOptions(what, options, TOOL, handler);
  checkToolAnnotations(`${what}: annotations`, options.annotations);
  checkChoice(`${what}: unknownArguments`, options.unknownArguments, UNKNOWN_ARGUMENTS);
  const { title, icons, annotations, _meta, input, output, unknownArguments = serverDefault } = options;
  const described =
    input !== undefined
      ? asObjectSchema(advertised(input, "input", `${what}: input`), `${what}: input`)
      : { type: "object", properties: {} };
  const inputSchema = unknownArguments === "refuse" ? closed(described) : described;
  return {
    ...common(what, order, options, handler),
    kind: "tool",
    key: name,
    input,
    output,
    unknownArguments,
    paramHeaders: paramHeaders(inputSchema, `${what}: input`),
    ...auditable(what, options, inputSchema),
    item: {
      name,
      ...defined({ title }),
      description: options.description,
      inputSchema,
      ...(output !== undefined && { outputSchema: advertised(output, "output", `${what}: output`) }),
      ...defined({ annotations, icons, _meta }),
    } as ToolDefinition["item"],
  };
}

/** A resource's or a template's definition, checked. */
export function defineResource(
  order: number,
  uri: string,
  options: ResourceOptions<string>,
  handler: Handler,
): ResourceDefinition {
  const what = `Resource "${uri}"`;
  checkOptions(what, options, RESOURCE, handler);
  if (typeof options.name !== "string" || options.name === "")
    throw new ConfigurationError(`${what} has no name. Write { name: "app_config", … }.`);
  const template = typeof uri === "string" && isTemplate(uri) ? compileTemplate(uri) : undefined;
  if (!template) checkUri(what, uri);
  else if (options.size !== undefined)
    throw new ConfigurationError(`${what} is a template, which has no size. Leave "size" out.`);
  checkHint(`${what}: cacheHint`, options.cacheHint);
  checkAnnotations(`${what}: annotations`, options.annotations);
  const { name, title, mimeType, size, annotations, icons, _meta, complete = {} } = options;
  checkCompleters(what, complete, "a variable of its URI", template?.names);
  const about = defined({ title, description: options.description, mimeType, annotations, icons, _meta });
  return {
    ...common(what, order, options, handler),
    kind: "resource",
    key: uri,
    mimeType,
    template,
    cacheHint: options.cacheHint,
    completers: complete,
    ...auditable(what, options, {
      properties: Object.fromEntries((template?.names ?? []).map((each) => [each, {}])),
    }),
    item: { ...(template ? { uriTemplate: uri } : { uri, ...defined({ size }) }), name, ...about },
  };
}

/** A prompt's definition, checked. */
export function definePrompt(
  order: number,
  name: string,
  options: PromptOptions<Schema | undefined>,
  handler: Handler,
): PromptDefinition {
  const what = `Prompt "${name}"`;
  checkName(what, name);
  checkOptions(what, options, PROMPT, handler);
  const { title, icons, _meta, input } = options;
  const json =
    input !== undefined ? asObjectSchema(advertised(input, "input", `${what}: input`), `${what}: input`) : {};
  const properties = (json["properties"] ?? {}) as Record<
    string,
    { title?: string; description?: string; enum?: unknown[] }
  >;
  const required = (json["required"] ?? []) as readonly string[];
  const complete = (options.complete ?? {}) as Record<string, Completer>;
  checkCompleters(what, complete, "an argument of its input", Object.keys(properties));
  const enums = Object.entries(properties).flatMap(([key, { enum: values }]) =>
    values ? [[key, values.map(String)] as const] : [],
  );
  return {
    ...common(what, order, options, handler),
    kind: "prompt",
    key: name,
    inputSchema: json,
    input,
    completers: { ...Object.fromEntries(enums), ...complete },
    ...auditable(what, options, json),
    item: {
      name,
      ...defined({ title }),
      description: options.description,
      arguments: Object.entries(properties).map(([key, property]) => ({
        name: key,
        ...defined({ title: property.title, description: property.description }),
        required: required.includes(key),
      })),
      ...defined({ icons, _meta }),
    } as PromptDefinition["item"],
  };
}

function common(what: string, order: number, options: ComponentOptions<never>, handler: Handler): Definition {
  if (typeof options.description !== "string" || options.description.trim() === "") {
    throw new ConfigurationError(
      `${what} has no description. Say in a sentence what it is for: models choose by it.`,
    );
  }
  checkMetadata(what, options);
  const timeout = options.timeout === undefined ? undefined : timeLimit(options.timeout, `${what}: timeout`);
  const { tags = [], inject = {} } = options;
  checkInjectable(what, inject);
  const access = accessOf(what, options);
  return {
    order,
    tags,
    timeout,
    access,
    ...declaredLimits(what, options),
    ...declaredCaching(what, options),
    layers: [],
    inject: { ...inject },
    handler,
    enabled: true,
  };
}

/** Names as the specification would have them ("Tool Names"): what every client can carry. */
function checkName(what: string, name: string): void {
  if (typeof name !== "string" || !/^[A-Za-z0-9_.-]{1,128}$/.test(name)) {
    throw new ConfigurationError(`${what} has a bad name. Use 1 to 128 letters, digits, "_", "-" and ".".`);
  }
}

function checkOptions(
  what: string,
  options: unknown,
  known: Readonly<Record<string, true>>,
  handler: unknown,
): void {
  if (typeof options !== "object" || options === null)
    throw new ConfigurationError(`${what} has no options. Write { description: "…" } before the handler.`);
  checkKnown(what, options, known);
  if (typeof handler !== "function")
    throw new ConfigurationError(`${what} has no handler. Pass a function as the last argument.`);
}

function checkUri(what: string, uri: string): void {
  if (
    typeof uri !== "string" ||
    !/^[A-Za-z][A-Za-z0-9+.-]*:./.test(uri) ||
    !isUriText(uri) ||
    !URL.canParse(uri)
  ) {
    throw new ConfigurationError(
      `${what} is not an absolute URI. Write one with a scheme, such as "config://app".`,
    );
  }
}

/** `fields` without those that are undefined. */
function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
