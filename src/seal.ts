/** Sealing: everything that does not depend on a request, computed once. */

import { type CacheHint, hintJson } from "./cache-hint.ts";
import type {
  ComponentDefinition,
  PromptDefinition,
  ResourceDefinition,
  ToolDefinition,
} from "./components.ts";
import type { Middleware, Run } from "./compose.ts";
import type { Ask, ListKind, Operation } from "./context.ts";
import { MCPError } from "./errors.ts";
import { type HeartOptions, completionHeart, promptHeart, resourceHeart, toolHeart } from "./heart.ts";
import { List, type Page } from "./list.ts";
import type { ParamHeader } from "./param-headers.ts";
import { notFound } from "./refusals.ts";
import { timed } from "./time-limit.ts";
import type { UriTemplate } from "./uri-template.ts";

/** An operation made ready: who it is, and its composed onion. */
export interface SealedOperation<A = Readonly<Record<string, unknown>>> {
  readonly operation: Operation;
  readonly run: Run<A>;
}

export interface SealedTemplate extends SealedOperation {
  readonly match: UriTemplate["match"];
}

type CompletionRun = Run<Extract<Ask, { kind: "completion" }>>;

/** What the server is (specification, "Implementation"). */
export interface ServerInfo {
  readonly name: string;
  readonly version: string;
  readonly title?: string;
  readonly description?: string;
  readonly websiteUrl?: string;
  readonly icons?: readonly object[];
}

export interface Sealed {
  readonly info: ServerInfo;
  readonly instructions: string | undefined;
  readonly capabilities: Readonly<Record<string, object>>;
  readonly tools: ReadonlyMap<string, SealedOperation>;
  readonly resources: ReadonlyMap<string, SealedOperation>;
  readonly templates: readonly SealedTemplate[];
  readonly prompts: ReadonlyMap<string, SealedOperation>;
  readonly completions: ReadonlyMap<string, SealedOperation<Extract<Ask, { kind: "completion" }>>>;
  readonly lists: Readonly<Record<ListKind, SealedOperation<string | undefined>>>;
  readonly discover: SealedOperation<undefined>;
  readonly subscribe: SealedOperation<object>;
  /** The onions of names that are not there: a refusal is seen by the same middleware as a result. */
  readonly unknown: Readonly<Record<"tool" | "resource" | "prompt", Run<unknown>>>;
  readonly unknownCompletion: CompletionRun;
  /** Tools whose output is no object: 2025-era clients get it wrapped as `{ result }`. */
  readonly wrapped: ReadonlySet<string>;
  /** Parameters that headers mirror, of the tools that have any. */
  readonly paramHeaders: ReadonlyMap<string, readonly ParamHeader[]>;
  /** How lists and discovery may be cached, as members of the modern result. */
  readonly listHint: string;
  /** Whether middleware may have had its hands on results. */
  readonly hasMiddleware: boolean;
}

export interface SealOptions extends HeartOptions {
  readonly info: ServerInfo;
  readonly instructions: string | undefined;
  /** The kinds of components that there are, disabled ones too. */
  readonly kinds: ReadonlySet<ComponentDefinition["kind"]>;
  readonly middleware: readonly Middleware[];
  /** The time limit of components that set none, and of what is no component's, in milliseconds. */
  readonly timeout: number;
  readonly pageSize: number;
  readonly cacheHint: CacheHint | undefined;
}

/** Seals components whose schemas are known to compile. */
export function seal(definitions: readonly ComponentDefinition[], options: SealOptions): Sealed {
  const wrap = <A>(heart: Run<A>, timeout: number = options.timeout) =>
    timed(timeout, options.middleware, heart);
  const tools = definitions.filter((definition): definition is ToolDefinition => definition.kind === "tool");
  const resources = definitions.filter(
    (definition): definition is ResourceDefinition => definition.kind === "resource",
  );
  const prompts = definitions.filter(
    (definition): definition is PromptDefinition => definition.kind === "prompt",
  );
  const fixed = resources.filter(({ template }) => !template);
  const templates = resources.filter(({ template }) => template);

  const list = (
    kind: ListKind,
    components: readonly ComponentDefinition[],
  ): SealedOperation<string | undefined> => {
    const pages = new List(kind, components, options.pageSize);
    return operation(
      "list",
      kind,
      wrap((_ctx, cursor: string | undefined): Page => pages.page(cursor)),
    );
  };
  return {
    info: options.info,
    instructions: options.instructions,
    capabilities: capabilities(options.kinds, [...resources, ...prompts]),
    tools: byKey(tools, (tool) => wrap(toolHeart(tool, options), tool.timeout)),
    resources: byKey(fixed, (resource) => wrap(resourceHeart(resource, options), resource.timeout)),
    templates: templates
      // Templates whose variables span segments match much: the exact ones get their turn first.
      .toSorted((a, b) => Number(a.template?.greedy) - Number(b.template?.greedy))
      .map((resource) => ({
        ...operation(
          "resource",
          resource.key,
          wrap(resourceHeart(resource, options), resource.timeout),
          resource.tags,
        ),
        match: (resource.template as UriTemplate).match,
      })),
    prompts: byKey(prompts, (prompt) => wrap(promptHeart(prompt, options), prompt.timeout)),
    completions: new Map(
      [...templates, ...prompts].map((component) => [
        `${component.kind}:${component.key}`,
        operation(
          "completion",
          component.key,
          wrap(completionHeart(component), component.timeout),
          component.tags,
        ),
      ]),
    ),
    lists: {
      tools: list("tools", tools),
      resources: list("resources", fixed),
      templates: list("templates", templates),
      prompts: list("prompts", prompts),
    },
    discover: operation(
      "discover",
      "discover",
      // What discovery tells is made of the sealed server.
      wrap(() => ({})),
    ),
    subscribe: operation(
      "subscription",
      "subscriptions/listen",
      wrap((_ctx, filter: object) => filter),
    ),
    paramHeaders: new Map(
      tools.flatMap(({ key, paramHeaders }) => (paramHeaders.length > 0 ? [[key, paramHeaders]] : [])),
    ),
    listHint: hintJson(options.cacheHint, options.callersDiffer, "cacheHint"),
    unknown: {
      tool: wrap(({ operation: { name } }) => refuse(notFound("tool", name))),
      resource: wrap(({ operation: { name } }) => refuse(notFound("resource", name))),
      prompt: wrap(({ operation: { name } }) => refuse(notFound("prompt", name))),
    },
    unknownCompletion: wrap(({ operation: { name } }) =>
      refuse(
        new MCPError(`Nothing to complete: ${name}`, {
          code: "VALIDATION_ERROR",
          suggestion: "Name a prompt or a resource template.",
        }),
      ),
    ),
    hasMiddleware: options.middleware.length > 0,
    wrapped: new Set(
      tools.flatMap(({ key, item: { outputSchema } }) =>
        outputSchema && outputSchema["type"] !== "object" ? [key] : [],
      ),
    ),
  };
}

function operation<A>(
  kind: Operation["kind"],
  name: string,
  run: Run<A>,
  tags: readonly string[] = [],
): SealedOperation<A> {
  return { operation: { kind, name, tags }, run };
}

function byKey<D extends ComponentDefinition>(
  definitions: readonly D[],
  run: (definition: D) => Run<Readonly<Record<string, unknown>>>,
): Map<string, SealedOperation> {
  return new Map(
    definitions.map((definition) => {
      const { kind, key, tags } = definition;
      return [key, operation(kind, key, run(definition), tags)];
    }),
  );
}

function refuse(error: MCPError): never {
  throw error;
}

/** What the server declares that it can do: only what is registered. */
function capabilities(
  kinds: SealOptions["kinds"],
  completable: readonly (ResourceDefinition | PromptDefinition)[],
): Record<string, object> {
  const completes = completable.some(({ completers }) => Object.keys(completers).length > 0);
  return {
    ...(kinds.has("tool") && { tools: { listChanged: true } }),
    ...(kinds.has("resource") && { resources: { subscribe: true, listChanged: true } }),
    ...(kinds.has("prompt") && { prompts: { listChanged: true } }),
    ...(completes && { completions: {} }),
    logging: {},
  };
}
