/** What servers and routers have in common: components are registered on both alike, and flow from one to the other. */

import { type CacheOf, checkShared } from "../components/caching.ts";
import type {
  PromptHandler,
  PromptOptions,
  ResourceHandler,
  ResourceOptions,
  ToolHandler,
  ToolOptions,
  UnknownArguments,
} from "../components/components.ts";
import type { Middleware } from "../calls/compose.ts";
import {
  type ComponentDefinition,
  type Handler,
  definePrompt,
  defineResource,
  defineTool,
} from "../components/definitions.ts";
import type { InjectOptions, InjectedBy } from "../dependencies/dependencies.ts";
import { timeLimit } from "../options/duration.ts";
import type { MCPServerOptions } from "../server-options.ts";
import {
  type Access,
  type AccessOptions,
  type ClientOf,
  NO_ACCESS,
  type OnlyKnown,
  narrowed,
} from "../access/policy.ts";
import type { Schema } from "../schemas/schema.ts";
import { timeLimitLayer } from "../calls/time-limit.ts";
import type { TemplateParams } from "../schemas/uri-template.ts";

/** What the routers around a component add to it, from the outside in. */
export interface Scope {
  /** The parts that stand before a tool's name. */
  readonly prefixes: readonly string[];
  readonly tags: readonly string[];
  readonly access: Access;
  readonly layers: readonly Middleware[];
  /** What the innermost mounted server that says so makes of arguments that no schema names. */
  readonly unknownArguments?: UnknownArguments | undefined;
}

export const NO_SCOPE: Scope = { prefixes: [], tags: [], access: NO_ACCESS, layers: [] };

/** A component as its author wrote it. */
export interface Blueprint {
  readonly kind: ComponentDefinition["kind"];
  readonly name: string;
  readonly options: unknown;
  readonly handler: Handler;
}

/** Takes what is registered, now and later. */
export type Sink = (blueprint: Blueprint, scope: Scope) => void;

/** A component's definition as it stands within its routers. Throws where it cannot be served. */
export function define(
  { kind, name, options, handler }: Blueprint,
  scope: Scope,
  order: number,
  unknownArguments: UnknownArguments,
): ComponentDefinition {
  const definition =
    kind === "tool"
      ? defineTool(
          order,
          scope.prefixes.length > 0 ? [...scope.prefixes, name].join("_") : name,
          options as AnyToolOptions,
          handler,
          scope.unknownArguments ?? unknownArguments,
        )
      : kind === "resource"
        ? defineResource(order, name, options as ResourceOptions<string>, handler)
        : definePrompt(order, name, options as PromptOptions<Schema | undefined>, handler);
  const what = `${kind} "${definition.key}"`;
  const access = narrowed(scope.access, definition.access, what);
  checkShared(what, definition.cache, access);
  return {
    ...definition,
    tags: [...new Set([...scope.tags, ...definition.tags])],
    access,
    layers: scope.layers,
  };
}

type AnyToolOptions = ToolOptions<Schema | undefined, Schema | undefined>;

/** `inner` within `outer`: everything adds up. */
export function within(outer: Scope, inner: Scope, what: string): Scope {
  return {
    prefixes: [...outer.prefixes, ...inner.prefixes],
    tags: [...outer.tags, ...inner.tags],
    access: narrowed(outer.access, inner.access, what),
    layers: [...outer.layers, ...inner.layers],
    unknownArguments: inner.unknownArguments ?? outer.unknownArguments,
  };
}

/** `scope` as it stands on the servers that its own is mounted on: what that says for its components comes along. */
export function behind(
  scope: Scope,
  { timeout, unknownArguments }: Pick<MCPServerOptions, "timeout" | "unknownArguments">,
  middleware: readonly Middleware[],
): Scope {
  const time = timeout === undefined ? [] : [timeLimitLayer(timeLimit(timeout, "timeout"))];
  return {
    ...scope,
    unknownArguments: scope.unknownArguments ?? unknownArguments,
    layers: [...time, ...middleware, ...scope.layers],
  };
}

/** Somewhere to register tools, resources and prompts. */
export abstract class Registration {
  /** Takes in a component. */
  protected abstract register(blueprint: Blueprint): void;

  /**
   * Registers a tool.
   *
   * @param name - 1 to 128 letters, digits, `_`, `-`, `.`; unique among tools.
   * @param handler - Gets the parsed arguments and the request's context. A string is sent as text, other
   *   values as compact JSON, content helpers as what they are; with `output`, also as structured content.
   * @throws {@link ConfigurationError} where name, options or schemas cannot be served.
   * @example
   * ```ts
   * server.tool("get_task", { description: "Get a task.", input: z.object({ id: z.string() }) }, ({ id }) => tasks.get(id));
   * ```
   */
  tool<
    const S extends Schema | undefined = undefined,
    const O extends Schema | undefined = undefined,
    const P extends AccessOptions<never> & InjectOptions = object,
  >(
    name: string,
    options: ToolOptions<S, O> & P & OnlyKnown<P, ToolOptions<S, O>> & CacheOf<P>,
    handler: ToolHandler<S, O, ClientOf<P>, InjectedBy<P>>,
  ): this {
    this.register({ kind: "tool", name, options, handler: handler as unknown as Handler });
    return this;
  }

  /**
   * Registers a resource, or a template where the URI has expressions: `{name}`, `{+path}`, `{/path*}`.
   *
   * @param handler - Gets the template's variables, decoded. Text and bytes are sent as they are, other
   *   values as JSON; `undefined` means that there is no such resource.
   * @throws {@link ConfigurationError} where the URI or the options cannot be served.
   * @example
   * ```ts
   * server.resource("tasks://{task_id}", { name: "task", description: "One task." }, ({ task_id }) => tasks.get(task_id));
   * ```
   */
  resource<const U extends string, const P extends AccessOptions<never> & InjectOptions = object>(
    uri: U,
    options: ResourceOptions<keyof TemplateParams<U> & string> &
      P &
      OnlyKnown<P, ResourceOptions<keyof TemplateParams<U> & string>> &
      CacheOf<P>,
    handler: ResourceHandler<U, ClientOf<P>, InjectedBy<P>>,
  ): this {
    this.register({ kind: "resource", name: uri, options, handler: handler as unknown as Handler });
    return this;
  }

  /**
   * Registers a prompt.
   *
   * @param handler - Returns text (one user message), a content block, or an array of those and of messages
   *   made by `user(…)` and `assistant(…)`.
   * @throws {@link ConfigurationError} where name or options cannot be served.
   * @example
   * ```ts
   * server.prompt("review", { description: "Review a file.", input: z.object({ path: z.string() }) }, ({ path }) => `Review ${path}.`);
   * ```
   */
  prompt<
    const S extends Schema | undefined = undefined,
    const P extends AccessOptions<never> & InjectOptions = object,
  >(
    name: string,
    options: PromptOptions<S> & P & OnlyKnown<P, PromptOptions<S>> & CacheOf<P>,
    handler: PromptHandler<S, ClientOf<P>, InjectedBy<P>>,
  ): this {
    this.register({ kind: "prompt", name, options, handler: handler as unknown as Handler });
    return this;
  }
}
