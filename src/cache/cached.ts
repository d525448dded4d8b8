/** Functions whose results are kept. */

import { lifetime } from "../caching.ts";
import { RequestContext, cancellationOf } from "../context.ts";
import type { Duration } from "../duration.ts";
import { ConfigurationError } from "../errors.ts";
import { toJsonData } from "../json.ts";
import { type Names, checkKnown, shown } from "../known-options.ts";
import type { CacheStore } from "../ports.ts";
import { Cache, type Making } from "./cache.ts";
import { callerKey, dataKey } from "./key.ts";
import { memoryCache } from "./memory.ts";

/** How long a function's results are kept, and what tells its calls apart. */
export interface CachedFunctionOptions<A extends readonly unknown[] = readonly unknown[]> {
  /** How long a result is kept. */
  readonly ttl: Duration;
  /** Gives data that tells calls apart. Default: all arguments, where of a request's context it is who calls that counts. */
  readonly key?: (...args: A) => unknown;
  /** Where results are kept. Default: a {@link memoryCache} of its own. */
  readonly store?: CacheStore;
  /** Tells this function from others with the same store. Required with `store`. */
  readonly name?: string;
  /** What `store.invalidate([…])` forgets its results by; also tools with `invalidates`, where the server has the same store. */
  readonly tags?: readonly string[];
}

const OPTIONS: Names<CachedFunctionOptions> = { ttl: true, key: true, store: true, name: true, tags: true };

/**
 * Keeps what a function gives for calls with the same arguments; calls at the same time share one run. Errors are not kept. Everybody
 * gets a copy of its own.
 *
 * Arguments and results are plain data. A function that takes a request's context keeps results for each caller by itself, as the
 * `cache` of a component does, which is to be preferred for handlers.
 *
 * @returns The function, which gives a promise. It rejects with a `TypeError` where arguments or result are no plain data.
 * @throws {@link ConfigurationError} where the options cannot be served.
 * @example
 * ```ts
 * const exchangeRates = cached((currency: string) => bank.rates(currency), { ttl: "10m" });
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
  const { store, name = "", tags = [], key = (...args: A): unknown => args } = options;
  if (typeof key !== "function")
    throw new ConfigurationError(
      `cached(): key is ${shown(key)}: write a function, such as (query) => query.`,
    );
  if (store && name === "")
    throw new ConfigurationError(
      'cached(): a store may hold results of other functions. Give this one a name, such as { name: "exchange rates" }.',
    );
  const ttl = lifetime("cached(): ttl", options.ttl);
  const cache = new Cache(store ?? memoryCache());
  return async (...args) => {
    const told = dataKey(key(...args), who);
    if (told === undefined)
      throw new TypeError(
        "cached(): the arguments hold something that is no plain data. Write a key that gives what tells calls apart.",
      );
    const ctx = args.find((arg) => arg instanceof RequestContext);
    const wanted = { key: JSON.stringify(["cached", name]) + told, tags, ttl, stale: 0 };
    return cache.give(wanted, new Computing(async () => fn(...args), ctx));
  };
}

function who(value: object): string | undefined {
  return value instanceof RequestContext ? `Caller${callerKey("caller", value)}` : undefined;
}

/** A result, and its text. */
class Computing<T> implements Making<T> {
  readonly #compute: () => Promise<T>;
  readonly #ctx: RequestContext | undefined;

  constructor(compute: () => Promise<T>, ctx: RequestContext | undefined) {
    this.#compute = compute;
    this.#ctx = ctx;
  }

  /** Whoever runs it gets a copy too: nobody can change what others are given. */
  async run(): Promise<T> {
    const value = await this.#compute();
    if (value !== undefined && !Object.is(toJsonData(value), value))
      throw new TypeError(
        "cached(): the result is no plain data, which alone can be kept. Return JSON values.",
      );
    return this.unpack(asText(value));
  }

  pack(value: T): string | undefined {
    return this.#ctx?.inquiry ? undefined : asText(value);
  }

  unpack(text: string): T {
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  isOwn(): boolean {
    return this.#ctx?.inquiry !== undefined;
  }

  get cancelled(): { readonly reason: unknown } | undefined {
    const cancellation = this.#ctx && cancellationOf(this.#ctx);
    return cancellation?.cancelled ? cancellation : undefined;
  }

  onCancel(listener: () => void): void {
    if (this.#ctx) cancellationOf(this.#ctx).onCancel(listener);
  }
}

function asText(value: unknown): string {
  return value === undefined ? "" : JSON.stringify(value);
}
