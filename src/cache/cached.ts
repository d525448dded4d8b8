/** Functions whose results are kept. */

import { lifetime } from "../core/components/caching.ts";
import { Cancellation } from "../core/calls/cancellation.ts";
import { RequestContext, backgroundOf, cancellationOf, detached, servicesOf } from "../core/calls/context.ts";
import { type Duration, milliseconds } from "../core/options/duration.ts";
import { keepsUnder } from "../core/sealed/effects.ts";
import { ConfigurationError } from "../core/errors.ts";
import { toJsonData } from "../core/values/json.ts";
import { type Names, checkKnown, shown } from "../core/options/known-options.ts";
import { unfailing } from "../core/calls/logger.ts";
import type { CacheStore, Logger } from "../core/ports.ts";
import { standardLogger } from "../core/rooms.ts";
import { Cache, type Making } from "./cache.ts";
import { callerKey, dataKey } from "./key.ts";
import { memoryCache } from "./memory.ts";

/** How long a function's results are kept, and what tells its calls apart. */
export interface CachedFunctionOptions<A extends readonly unknown[] = readonly unknown[]> {
  /** How long a result is fresh. */
  readonly ttl: Duration;
  /**
   * For how much longer a result is still given, while a new one is made behind it (RFC 5861, section 3), within 30 s. Where that
   * fails the log tells, and the next call tries again. Default: not at all.
   */
  readonly staleWhileRevalidate?: Duration;
  /** Gives data that tells calls apart. Default: all arguments, where of a request's context it is who calls that counts. */
  readonly key?: (...args: A) => unknown;
  /** Where results are kept. Default: a {@link memoryCache} of its own. */
  readonly store?: CacheStore;
  /** Tells this function from others with the same store. Required with `store`. */
  readonly name?: string;
  /**
   * What `store.invalidate([…])` forgets its results by; also tools with `invalidates`, where the server has the same store. Only
   * with `store`.
   */
  readonly tags?: readonly string[];
  /**
   * Is told where a store or the making of a new result fails, and nobody else is. Default: the server's, where the function takes a
   * request's context and makes a new result; else stderr, as servers write there.
   */
  readonly logger?: Logger;
}

const OPTIONS: Names<CachedFunctionOptions> = {
  ttl: true,
  staleWhileRevalidate: true,
  key: true,
  store: true,
  name: true,
  tags: true,
  logger: true,
};

/** How long it may take to make a new result behind one that is given, in milliseconds. */
const RENEW_WITHIN = 30_000;

/**
 * Keeps what a function gives for calls with the same arguments; calls at the same time share one run. Errors are not kept. Everybody
 * gets a copy of its own.
 *
 * Arguments and results are plain data. A function that takes a request's context keeps results for each caller by itself, as the
 * `cache` of a component does, which is to be preferred for handlers.
 *
 * @returns The function, which gives a promise. It rejects with a `TypeError` where arguments or result are not plain data.
 * @throws {@link ConfigurationError} where the options cannot be served.
 * @example
 * ```ts
 * const exchangeRates = cached((currency: string) => bank.rates(currency), { ttl: "10m", staleWhileRevalidate: "1h" });
 * await exchangeRates("EUR");
 * ```
 */
export function cached<A extends readonly unknown[], R>(
  fn: (...args: A) => R | Promise<R>,
  options: CachedFunctionOptions<A>,
): (...args: A) => Promise<R> {
  if (typeof fn !== "function" || typeof options !== "object" || options === null)
    throw new ConfigurationError(
      'cached() takes a function and its options: cached((query: string) => db.search(query), { ttl: "5m" }).',
    );
  checkKnown("cached()", options, OPTIONS);
  const {
    store,
    name = "",
    tags = [],
    key = (...args: A): unknown => args,
    staleWhileRevalidate = 0,
  } = options;
  if (typeof key !== "function")
    throw new ConfigurationError(
      `cached(): key is ${shown(key)}: write a function, such as (query) => query.`,
    );
  if (store && name === "")
    throw new ConfigurationError(
      'cached(): a store may hold results of other functions. Give this one a name, such as { name: "exchange rates" }.',
    );
  if (!store && tags.length > 0)
    throw new ConfigurationError(
      "cached(): tags are what a store forgets results by, and nobody else has this one's. Give it a store, or leave them out.",
    );
  const ttl = lifetime("cached(): ttl", options.ttl);
  const stale = milliseconds(staleWhileRevalidate, "cached(): staleWhileRevalidate");
  const logger = options.logger && unfailing(options.logger);
  if (store) keepsUnder(store, tags);
  const cache = new Cache(store ?? memoryCache(), logger ?? STANDARD);
  const failed = (err: unknown, ctx: RequestContext | undefined) => {
    const log = logger ?? (ctx ? servicesOf(ctx).logger : STANDARD);
    log.error({ ...(ctx && fieldsOf(ctx)), function: name, err }, "A kept result could not be made anew");
  };
  const of = { function: name };
  return async (...args) => {
    const told = dataKey(key(...args), who);
    if (told === undefined)
      throw new TypeError(
        "cached(): the arguments hold something that is not plain data. Write a key that gives what tells calls apart.",
      );
    const ctx = args.find((arg) => arg instanceof RequestContext);
    const wanted = { key: JSON.stringify(["cached", name]) + told, tags, ttl, stale, of };
    const compute = async (own: RequestContext | undefined) =>
      fn(...(args.map((arg) => (arg === ctx ? own : arg)) as unknown as A));
    return cache.give(
      wanted,
      new Computing({ compute, failed, ctx, cancellation: ctx && cancellationOf(ctx) }),
    );
  };
}

function who(value: object): string | undefined {
  return value instanceof RequestContext ? `Caller${callerKey("caller", value)}` : undefined;
}

let standard: Promise<Logger> | undefined;

/** Writes where no logger was given: it is loaded when there is something to write. */
const STANDARD: Pick<Logger, "warn" | "error"> = {
  warn: (fields, message) => void (standard ??= standardLogger()).then((to) => to.warn(fields, message)),
  error: (fields, message) => void (standard ??= standardLogger()).then((to) => to.error(fields, message)),
};

function fieldsOf({ requestId, operation: { kind, name } }: RequestContext): object {
  return { requestId, operation: kind, name };
}

/** A call of a function. */
interface FunctionCall<T> {
  readonly compute: (ctx: RequestContext | undefined) => Promise<T>;
  /** Is told where a result could not be made behind another. */
  readonly failed: (error: unknown, ctx: RequestContext | undefined) => void;
  /** For whom, where that is known. */
  readonly ctx: RequestContext | undefined;
  readonly cancellation: Cancellation | undefined;
}

/** A result, and its text. */
class Computing<T> implements Making<T> {
  readonly #call: FunctionCall<T>;

  constructor(call: FunctionCall<T>) {
    this.#call = call;
  }

  /** Whoever runs it gets a copy too: nobody can change what others are given. */
  async run(): Promise<T> {
    const value = await this.#call.compute(this.#call.ctx);
    if (value !== undefined && !Object.is(toJsonData(value), value))
      throw new TypeError(
        "cached(): the result is not plain data, and nothing else can be kept. Return JSON values.",
      );
    return this.unpack(asText(value));
  }

  pack(value: T): string | undefined {
    return this.#call.ctx?.inquiry ? undefined : asText(value);
  }

  unpack(text: string): T {
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  isOwn(): boolean {
    return this.#call.ctx?.inquiry !== undefined;
  }

  get cancelled(): { readonly reason: unknown } | undefined {
    const { cancellation } = this.#call;
    return cancellation?.cancelled ? cancellation : undefined;
  }

  onCancel(listener: () => void): void {
    this.#call.cancellation?.onCancel(listener);
  }

  /** A turn later, so that whoever was given the old result goes on first. A server's shutdown waits for it. */
  later(task: (making: Making<T>) => Promise<void>): void {
    const { ctx, failed } = this.#call;
    const work = new Promise<void>((resolve) => {
      setTimeout(() => resolve(this.#renewed(task).catch((error: unknown) => failed(error, ctx))), 0);
    });
    if (ctx) servicesOf(ctx).background.track(work);
  }

  async #renewed(task: (making: Making<T>) => Promise<void>): Promise<void> {
    const cancellation = new Cancellation();
    const ctx = this.#call.ctx && detached(this.#call.ctx, cancellation);
    const late = new Promise<never>((_resolve, reject) => cancellation.onCancel(reject));
    const expire = () => cancellation.cancel(new Error(`It was not done within ${RENEW_WITHIN} ms.`));
    const timer = setTimeout(expire, RENEW_WITHIN);
    try {
      await Promise.race([task(new Computing({ ...this.#call, ctx, cancellation })), late]);
    } finally {
      clearTimeout(timer);
    }
    if (ctx) await backgroundOf(ctx)?.run(fieldsOf(ctx), servicesOf(ctx).logger);
  }
}

function asText(value: unknown): string {
  return value === undefined ? "" : JSON.stringify(value);
}
