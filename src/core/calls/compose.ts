/** The whole middleware model. */

import type { RequestContext } from "./context.ts";
import { ConfigurationError, type MCPError } from "../errors.ts";
import { shown } from "../options/known-options.ts";
import { NOUNS, type OperationKind } from "./operation.ts";
import { after } from "../values/promises.ts";

/** Runs the rest of the onion: the layers further in, then the operation itself. */
export type Next = () => Promise<unknown>;

/** What a layer does. It may look, replace the result, answer by itself, or throw. */
export type MiddlewareFunction = (ctx: RequestContext, next: Next) => unknown;

/** A layer with a name, perhaps for some kinds of operation alone. */
export interface MiddlewareLayer {
  /** What start-up messages call it. */
  readonly name: string;
  /** The kinds of operation that it is around. Default: all. */
  readonly kinds?: readonly OperationKind[];
  readonly handle: MiddlewareFunction;
}

/** A layer that leaves results as they are: they are sent as they were made. */
export interface PassiveLayer extends MiddlewareLayer {
  readonly passive: true;
}

export function isPassive(layer: Middleware): layer is PassiveLayer {
  return typeof layer === "object" && "passive" in layer;
}

/**
 * A layer around every operation: tools, resources, prompts, completions, lists and discovery, and every
 * refusal. The first added is the outermost. It may look, replace the result, answer by itself, or throw; to
 * return nothing is a mistake, which is logged and answered as an internal error. The operation's time limit
 * holds for its layers too.
 *
 * @example
 * ```ts
 * server.use(async (ctx, next) => {
 *   const started = performance.now();
 *   try {
 *     return await next();
 *   } finally {
 *     console.error(`[METRIC] ${ctx.operation.name}: ${(performance.now() - started).toFixed(1)}ms`);
 *   }
 * });
 * ```
 */
export type Middleware = MiddlewareFunction | MiddlewareLayer;

/** The member by which a {@link PassingLayer} is known. Not for authors: `handle` is all that they need. */
export const pass: unique symbol = Symbol("pass");

/** Gives what `rest` gives, which runs the layers further in once, or throws. */
export type Pass = (ctx: RequestContext, rest: () => unknown) => unknown;

/** A layer of the framework's own that waits only where something waits: else the operation costs no promise. */
export interface PassingLayer extends MiddlewareLayer {
  readonly [pass]: Pass;
}

/** The member of layers that no author has added: they do not count where layers are told by their number. */
export const uncounted: unique symbol = Symbol("uncounted");

/** An operation's innermost function, and an onion around it: the result or {@link Refused}, or a promise of it. */
export type Run<A> = (ctx: RequestContext, ask: A) => unknown;

/**
 * An error that a heart returns. Throwing costs as much as making one, and arguments that do not fit are
 * common. Layers see it thrown, like any other.
 */
export class Refused {
  readonly error: MCPError;
  constructor(error: MCPError) {
    this.error = error;
  }
}

/** Wraps `heart` in the layers that concern operations of this kind. Made once, when the server is sealed. */
export function compose<A>(layers: readonly Middleware[], kind: OperationKind, heart: Run<A>): Run<A> {
  if (!layers.some((layer) => concerns(layer, kind))) return heart;
  const throwing: Run<A> = (ctx, ask) => after(heart(ctx, ask), raised);
  return layers.reduceRight<Run<A>>((inner, middleware, index) => {
    if (!concerns(middleware, kind)) return inner;
    if (isPassing(middleware)) return (ctx, ask) => middleware[pass](ctx, () => inner(ctx, ask));
    const layer: MiddlewareFunction =
      typeof middleware === "function" ? middleware : (ctx, next) => middleware.handle(ctx, next);
    return async (ctx, ask) => {
      let entered = false;
      const enter = async () => {
        if (entered) throw new Error("A middleware called next() twice: an operation runs once.");
        entered = true;
        return inner(ctx, ask);
      };
      const result = await layer(ctx, () => {
        const rest = enter();
        // A layer that does not wait for it must not end the process with what goes wrong further in.
        rest.catch(() => {});
        return rest;
      });
      if (result !== undefined) return result;
      throw new Error(
        `The middleware ${title(layers, index)} returned nothing: write "return next()", or return an answer of its own.`,
      );
    };
  }, throwing);
}

function raised(result: unknown): unknown {
  if (result instanceof Refused) throw result.error;
  return result;
}

/** The kinds of a layer that is around nothing: what it says is read when the server is sealed. Authors write no such layer. */
export const NO_KINDS: readonly OperationKind[] = [];

/** Throws a {@link ConfigurationError} where a layer is none, or is around nothing because of a wrong word. */
export function checkMiddleware(layer: unknown): void {
  if (typeof layer === "function") return;
  const { handle, kinds } = (layer ?? {}) as Partial<MiddlewareLayer>;
  if (typeof handle !== "function")
    throw new ConfigurationError(
      `use() got ${shown(layer)}: write a layer such as logging(), or a function such as async (ctx, next) => next().`,
    );
  if (kinds === undefined || kinds === NO_KINDS) return;
  const isSome = Array.isArray(kinds) && kinds.length > 0;
  const wrong: unknown = isSome ? kinds.find((kind) => !Object.hasOwn(NOUNS, kind)) : kinds;
  if (wrong !== undefined)
    throw new ConfigurationError(
      `use(): the layer's kinds ${isSome ? "have" : "are"} ${shown(wrong)}: write some of "${Object.keys(NOUNS).join('", "')}", in an array.`,
    );
}

/** Whether a layer is to see operations of this kind. */
export function concerns(middleware: Middleware, kind: OperationKind): boolean {
  return typeof middleware === "function" || !middleware.kinds || middleware.kinds.includes(kind);
}

function isPassing(middleware: Middleware): middleware is PassingLayer {
  return pass in middleware;
}

/** How the author finds it: by its name, and its place in the order of `use()`. */
function title(layers: readonly Middleware[], index: number): string {
  const { name } = layers[index] as Middleware;
  const number = layers.slice(0, index + 1).filter((layer) => !(uncounted in layer)).length;
  return name === "" ? `number ${number}` : `"${name}" (number ${number})`;
}
