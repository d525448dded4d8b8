/** Sealing: everything that does not depend on a request, computed once. */

import { type CacheHint, hintJson, privateHintJson } from "../results/cache-hint.ts";
import type {
  ComponentDefinition,
  PromptDefinition,
  ResourceDefinition,
  ToolDefinition,
} from "../components/definitions.ts";
import { admitting, authenticationsIn, recognising } from "../identity/authentication.ts";
import {
  type Middleware,
  type MiddlewareLayer,
  type Pass,
  type PassingLayer,
  type PassiveLayer,
  type Run,
  isPassive,
  pass,
  uncounted,
} from "../calls/compose.ts";
import type { ListKind } from "../calls/call.ts";
import type { Expect } from "../calls/observers.ts";
import { asResult } from "./dispatch.ts";
import { MCPError } from "../errors.ts";
import {
  type HeartOptions,
  completionHeart,
  promptHeart,
  resourceHeart,
  resultOf,
  toolHeart,
} from "./heart.ts";
import { InputRequired } from "../dialogue/inquiry.ts";
import type { Page } from "./list.ts";
import type { Operation } from "../calls/operation.ts";
import { Policy } from "../access/policy.ts";
import { after } from "../values/promises.ts";
import { expectedOf } from "./expected.ts";
import { recorded } from "./recording.ts";
import { notFound } from "../refusals.ts";
import { ToolResult, asCopied } from "../results/result.ts";
import type { Sealed, SealedOperation, ServerInfo } from "./sealed.ts";
import { readableUris } from "./subscribing.ts";
import { timeLimitIn, timed } from "../calls/time-limit.ts";
import { loggingArguments } from "../components/logged-arguments.ts";
import type { UriTemplate } from "../schemas/uri-template.ts";
import { VisibleList } from "./visibility.ts";

export interface SealOptions extends HeartOptions {
  readonly info: ServerInfo;
  readonly instructions: string | undefined;
  /** The kinds of components that there are, disabled ones too. */
  readonly kinds: ReadonlySet<ComponentDefinition["kind"]>;
  readonly middleware: readonly Middleware[];
  /** Layers of those who watch, around all others and around nothing but operations. They are passive. */
  readonly observers: readonly MiddlewareLayer[];
  /** Is told of each component, for those who watch. */
  readonly expect: Expect | undefined;
  /** The time limit of components that set none, and of what is no component's, in milliseconds. */
  readonly timeout: number;
  readonly pageSize: number;
  readonly cacheHint: CacheHint | undefined;
  /** The layers of what a component declares, the innermost of its onion. */
  readonly declared: (definition: ComponentDefinition) => readonly Middleware[];
  /** Whether lists show also what a caller may not use. */
  readonly listsAll: boolean;
}

const present: Pass = (ctx, rest) => after(rest(), (result) => asResult(ctx.operation, result));

/** Stands between those who watch and all other layers: an answer of theirs that is none has failed, for those who watch too. */
const presenting: PassiveLayer & PassingLayer = {
  name: "presenting",
  passive: true,
  handle: present,
  [pass]: present,
};

/** A layer that no author has added. */
function ours<L extends MiddlewareLayer>(layer: L): L {
  return { ...layer, [uncounted]: true };
}

/** What layers answer in the place of a tool with a declared output is held to that, as what its handler returns. */
function declaring(tool: ToolDefinition, compile: HeartOptions["compile"]): PassiveLayer & PassingLayer {
  const finish = resultOf(tool, compile);
  const handle: Pass = (_ctx, rest) =>
    after(rest(), (answer) => {
      const result = asCopied("tool", answer);
      return result instanceof ToolResult || result instanceof InputRequired ? result : finish(result);
    });
  return { name: "declaring", passive: true, handle, [pass]: handle };
}

/** Seals components whose schemas are known to compile. */
export function seal(definitions: readonly ComponentDefinition[], options: SealOptions): Sealed {
  const { middleware } = options;
  const watching = options.observers.length === 0 ? [] : [...options.observers, presenting].map(ours);
  const outer = [...watching, ...middleware];
  const timeout = timeLimitIn(middleware, options.timeout);
  const authentications = authenticationsIn(middleware);
  const isPrivate = authentications.some(({ optional }) => !optional);
  const policies = new Map(
    definitions.map((each) => {
      const identifies = authenticationsIn(each.layers).some(({ optional }) => !optional);
      return [each, new Policy(each.access, isPrivate || identifies)];
    }),
  );
  const recognisers = recognising(definitions, middleware);
  const listLayers = [...outer, ...recognisers];
  const policyOf = (definition: ComponentDefinition) => policies.get(definition) as Policy;
  // Where nothing is open, neither is what tells of it.
  const isClosed = isPrivate && definitions.every((each) => policyOf(each).authenticated);

  // What records stands around everything, time limits included.
  const record = <A>(
    run: Run<A>,
    layers: readonly Middleware[],
    kind: Operation["kind"],
    of?: ComponentDefinition,
  ): Run<A> => recorded(run, layers, kind, { server: options.info, component: of });
  const made = <A>(layers: readonly Middleware[], kind: Operation["kind"], heart: Run<A>): Run<A> =>
    record(timed(timeout, layers, kind, heart), layers, kind);

  const admission = (layers: readonly Middleware[], policy?: Policy): Run<undefined> | undefined =>
    layers.length === 0
      ? undefined
      : timed(timeout, layers, "discover", (ctx) => {
          policy?.admit(ctx);
          return {};
        });
  const own = <A>(kind: Operation["kind"], name: string, heart: Run<A>): SealedOperation<A> => ({
    operation: shared({
      kind,
      name,
      component: undefined,
      tags: [],
      access: isClosed ? "authenticated" : "public",
      scopes: [],
    }),
    run: made(listLayers, kind, heart),
  });
  const component = <D extends ComponentDefinition, A>(
    definition: D,
    kind: Operation["kind"],
    heart: (definition: D, policy: Policy, options: HeartOptions) => Run<A>,
  ) => {
    const policy = policyOf(definition);
    const operation = shared({
      kind,
      name: definition.key,
      component: definition.key,
      tags: definition.tags,
      access: policy.authenticated ? "authenticated" : "public",
      scopes: policy.scopes,
    });
    const inner = [...middleware, ...definition.layers, ...options.declared(definition)];
    if (kind !== "completion") options.expect?.(operation, expectedOf(definition, inner));
    const declares = definition.kind === "tool" && definition.output && !inner.every(isPassive);
    const layers = [
      ...watching,
      ...(declares ? [ours(declaring(definition, options.compile))] : []),
      ...inner,
    ];
    const limit = definition.timeout ?? timeLimitIn(layers, timeout);
    const limited = timed(limit, layers, kind, heart(definition, policy, options));
    const logged = loggingArguments(limited, layers, kind, definition);
    return {
      operation,
      run: record(logged, layers, kind, definition),
      policy,
      admission: admission(admitting(layers), policy),
    };
  };
  const list = (kind: ListKind, components: readonly ComponentDefinition[]) => {
    const pages = new VisibleList(
      kind,
      components,
      options.pageSize,
      options.listsAll ? undefined : policyOf,
    );
    return own("list", kind, (ctx, cursor: string | undefined): Page => pages.page(cursor, ctx));
  };

  const tools = definitions.filter((definition): definition is ToolDefinition => definition.kind === "tool");
  const resources = definitions.filter(
    (definition): definition is ResourceDefinition => definition.kind === "resource",
  );
  const prompts = definitions.filter(
    (definition): definition is PromptDefinition => definition.kind === "prompt",
  );
  const fixed = resources.filter(({ template }) => !template);
  const templates = resources.filter(({ template }) => template);
  const sealedResources = new Map(
    fixed.map((resource) => [resource.key, component(resource, "resource", resourceHeart)]),
  );
  const sealedTemplates = templates
    // Templates whose variables span segments match much: the exact ones get their turn first.
    .toSorted((a, b) => Number(a.template?.greedy) - Number(b.template?.greedy))
    .map((resource) => ({
      ...component(resource, "resource", resourceHeart),
      match: (resource.template as UriTemplate).match,
    }));
  const admitted = admission([...admitting(middleware), ...recognisers]);
  const unknown = (kind: "tool" | "resource" | "prompt") =>
    made<unknown>(outer, kind, ({ operation: { name } }) => refuse(notFound(kind, name)));

  return {
    info: options.info,
    instructions: options.instructions,
    capabilities: capabilities(options.kinds, [...resources, ...prompts]),
    tools: new Map(tools.map((tool) => [tool.key, component(tool, "tool", toolHeart)])),
    resources: sealedResources,
    templates: sealedTemplates,
    prompts: new Map(prompts.map((prompt) => [prompt.key, component(prompt, "prompt", promptHeart)])),
    completions: new Map(
      [...resources, ...prompts].map((each) => [
        `${each.kind}:${each.key}`,
        component(each, "completion", completionHeart),
      ]),
    ),
    lists: {
      tools: list("tools", tools),
      resources: list("resources", fixed),
      templates: list("templates", templates),
      prompts: list("prompts", prompts),
    },
    // What discovery tells is made of the sealed server.
    discover: own("discover", "discover", () => ({})),
    subscribe: own("subscription", "subscriptions/listen", (ctx, filter: object) =>
      readableUris(filter, ctx, sealedResources, sealedTemplates),
    ),
    admission: admitted && { ...own("discover", "discover", () => ({})), run: admitted },
    isPrivate,
    paramHeaders: new Map(
      tools.flatMap(({ key, paramHeaders }) => (paramHeaders.length > 0 ? [[key, paramHeaders]] : [])),
    ),
    // Lists that differ by caller are no others' to keep.
    listHint: [...policies.values()].some(({ authenticated }) => authenticated)
      ? privateHintJson(options.cacheHint, "cacheHint")
      : hintJson(options.cacheHint, options.callersDiffer, "cacheHint"),
    unknown: { tool: unknown("tool"), resource: unknown("resource"), prompt: unknown("prompt") },
    unknownCompletion: made(outer, "completion", ({ operation: { name } }) =>
      refuse(
        new MCPError(`Nothing to complete: ${name}`, {
          code: "VALIDATION_ERROR",
          suggestion: "Name a prompt or a resource template.",
        }),
      ),
    ),
    hasMiddleware: ![...middleware, ...definitions.flatMap(({ layers }) => layers)].every(isPassive),
    wrapped: new Set(
      tools.flatMap(({ key, item: { outputSchema } }) =>
        outputSchema && outputSchema["type"] !== "object" ? [key] : [],
      ),
    ),
  };
}

/** What every call's context shows: one that changed it would change the others'. */
function shared(operation: Operation): Operation {
  const { tags, scopes } = operation;
  return Object.freeze({ ...operation, tags: Object.freeze([...tags]), scopes: Object.freeze([...scopes]) });
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
