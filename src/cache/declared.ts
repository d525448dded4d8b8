/** What components declare of kept results, around their handlers. */

import { BackgroundTasks } from "../core/calls/background.ts";
import type { CachePlan } from "../core/components/caching.ts";
import { Cancellation } from "../core/calls/cancellation.ts";
import type { ComponentDefinition } from "../core/components/definitions.ts";
import type { Middleware } from "../core/calls/compose.ts";
import {
  type RequestContext,
  cancellationOf,
  describeResponse,
  detached,
  servicesOf,
} from "../core/calls/context.ts";
import { idempotencyOf } from "../core/sealed/effects.ts";
import type { Around } from "../core/sealed/heart.ts";
import { ClientCapabilityError } from "../core/dialogue/inquiry.ts";
import type { CacheStore, IdempotencyStore, Logger } from "../core/ports.ts";
import { after, either } from "../core/values/promises.ts";
import type { CallEvent } from "../core/calls/observers.ts";
import { timeLimitIn, timed } from "../core/calls/time-limit.ts";
import { traceFields } from "../core/calls/trace.ts";
import { Cache, type Making, type Origin } from "./cache.ts";
import { idempotent } from "./idempotency.ts";
import { callerKey, dataKey } from "./key.ts";
import { packed, unpacked } from "./results.ts";

/** The server whose results are kept. */
export interface Caching {
  readonly name: string;
  readonly version: string;
  readonly store: CacheStore;
  readonly records: IdempotencyStore;
  readonly logger: Logger;
  /** The layers around all of its components. */
  readonly middleware: readonly Middleware[];
  /** The time limit of components for which nothing sets another, in milliseconds. */
  readonly timeout: number;
}

/** What stands around the handlers of a server's components. Made once for each server: sealing it again forgets nothing. */
export function declaredCaching(caching: Caching): (definition: ComponentDefinition) => Around | undefined {
  const cache = new Cache(caching.store, caching.logger);
  const arounds = new WeakMap<ComponentDefinition, Around>();
  return (definition) => {
    const around = arounds.get(definition) ?? aroundOf(definition, cache, caching);
    if (around) arounds.set(definition, around);
    return around;
  };
}

function aroundOf(definition: ComponentDefinition, cache: Cache, caching: Caching): Around | undefined {
  const { name, records: store, logger, middleware } = caching;
  const timeout = definition.timeout ?? timeLimitIn([...middleware, ...definition.layers], caching.timeout);
  if (definition.cache) return keeping(cache, caching, definition, definition.cache, timeout);
  const { invalidates } = definition;
  const inner = invalidates.length > 0 ? invalidating(cache, invalidates) : undefined;
  const plan = idempotencyOf(definition, middleware);
  if (!plan || definition.kind !== "tool") return inner;
  const outer = idempotent({ name, definition, plan, timeout, store, logger });
  // What is given again has changed nothing again.
  return inner ? (args, ctx, run) => outer(args, ctx, (own) => inner(args, own, run)) : outer;
}

/** Forgets once the component has run: what it opened is closed by then, and whoever is answered asks after the change. */
function invalidating(cache: Cache, tags: readonly string[]): Around {
  return (_args, ctx, run) =>
    either<unknown>(
      () => run(ctx),
      (result) => after(cache.invalidate(tags), () => result),
      (error) =>
        after(cache.invalidate(tags), () => {
          throw error;
        }),
    );
}

function keeping(
  cache: Cache,
  caching: Caching,
  definition: ComponentDefinition,
  plan: CachePlan,
  timeout: number,
): Around {
  const { kind, key: component, order, tags } = definition;
  const { name, version, logger } = caching;
  // A component that is registered anew is another one.
  const prefix = JSON.stringify([name, version, kind, component, order]);
  const { ttl, stale, scope } = plan;
  const of = { operation: kind, name: component };
  let told = false;
  return (args, ctx, run) => {
    // What comes of answers is kept for nobody.
    if (ctx.inquiry) return run(ctx);
    const input = dataKey(args);
    if (input === undefined) {
      if (!told) logger.warn(of, "Its arguments hold objects that are not plain data: results are not kept");
      told = true;
      return run(ctx);
    }
    // URIs that differ may have the same variables, and results name the URI.
    const uri = kind === "resource" ? JSON.stringify(ctx.operation.name) : "";
    const key = prefix + callerKey(scope, ctx) + uri + input;
    return cache.give({ key, tags, ttl, stale, of }, new Answering(ctx, run, kind, timeout));
  };
}

/** Said of many calls: made once. */
const CAME: Readonly<Record<Origin, CallEvent>> = {
  hit: { kind: "cache", outcome: "hit" },
  miss: { kind: "cache", outcome: "miss" },
  stale: { kind: "cache", outcome: "stale" },
  shared: { kind: "cache", outcome: "shared" },
};

/** The making of a result by a call. */
class Answering implements Making<unknown> {
  readonly #ctx: RequestContext;
  readonly #run: (ctx: RequestContext) => unknown;
  readonly #kind: ComponentDefinition["kind"];
  readonly #timeout: number;

  constructor(
    ctx: RequestContext,
    run: (ctx: RequestContext) => unknown,
    kind: ComponentDefinition["kind"],
    timeout: number,
  ) {
    this.#ctx = ctx;
    this.#run = run;
    this.#kind = kind;
    this.#timeout = timeout;
  }

  run(): unknown {
    return this.#run(this.#ctx);
  }

  pack(result: unknown): string | undefined {
    return this.#ctx.inquiry ? undefined : packed(result, this.#ctx.metadata);
  }

  unpack(text: string): unknown {
    const { result, metadata } = unpacked(text, this.#kind);
    describeResponse(this.#ctx, metadata);
    return result;
  }

  tell(outcome: Origin): void {
    servicesOf(this.#ctx).observe?.(this.#ctx, CAME[outcome]);
  }

  /** What a client was asked, or could not be asked, is its own. */
  isOwn(error: unknown): boolean {
    return this.#ctx.inquiry !== undefined || error instanceof ClientCapabilityError;
  }

  get cancelled(): { readonly reason: unknown } | undefined {
    const cancellation = cancellationOf(this.#ctx);
    return cancellation.cancelled ? cancellation : undefined;
  }

  onCancel(listener: () => void): void {
    cancellationOf(this.#ctx).onCancel(listener);
  }

  later(task: (making: Making<unknown>) => Promise<void>): void {
    const { requestId, operation, trace } = this.#ctx;
    const { background, logger, stages } = servicesOf(this.#ctx);
    const fields = { requestId, operation: operation.kind, name: operation.name, ...traceFields(trace) };
    const tasks = new BackgroundTasks(stages);
    const refresh = async () => {
      const ctx = detached(this.#ctx, new Cancellation());
      const within = timed(this.#timeout, [], operation.kind, (own) => this.#run(own));
      await task(new Answering(ctx, (own) => within(own, undefined), this.#kind, this.#timeout));
      await ctx.background.run(fields, logger);
    };
    tasks.add(refresh);
    background.begin(tasks, cancellationOf(this.#ctx), fields, logger);
  }
}
