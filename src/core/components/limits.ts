/** How limits are written, on layers and on components alike: options, and their checks. */

import type { Middleware, PassingLayer, PassiveLayer } from "../calls/compose.ts";
import type { RequestContext } from "../calls/context.ts";
import { type Duration, timeLimit } from "../options/duration.ts";
import { ConfigurationError } from "../errors.ts";
import { type Names, checkChoice, checkCount, checkKnown, shown } from "../options/known-options.ts";
import type { Backend, Limit } from "../ports.ts";

/** A count and a unit of time: `"10/s"`, `"100/min"`, `"1000/h"`, `"5000/d"`. */
export type Rate = `${number}/${keyof typeof UNITS}`;

/**
 * Who shares a limit. `client`: each known caller has its own, whatever its token, and each address of unknown
 * ones; `tenant`: the callers of one tenant together, those without one by themselves; `address`: whoever comes from one
 * address, where IPv6 addresses count by their network (/64); `server`: all together. A function gives a text of its own,
 * or `undefined` for calls that are not counted.
 */
export type CountedBy =
  | "client"
  | "tenant"
  | "address"
  | "server"
  | ((ctx: RequestContext) => string | undefined);

/** So many calls in so much time. Where several windows are given, a call has to fit in all of them. */
export interface RateLimitOptions {
  readonly perSecond?: number;
  readonly perMinute?: number;
  readonly perHour?: number;
  readonly perDay?: number;
  /**
   * `token-bucket`: the whole count at once, then one more call for each part of the window that passes.
   * `sliding-window`: never more than the count in any stretch of time as long as the window; calls are forgotten in steps of
   * a sixtieth of it. Default: `token-bucket`.
   */
  readonly algorithm?: "token-bucket" | "sliding-window";
  /** Token bucket: how many calls the shortest window allows at once. Default: its count. */
  readonly burst?: number;
  /** Who shares the limit. Default: `client`. */
  readonly by?: CountedBy;
  /** How many calls a call counts as: a number from 0. Default: 1. */
  readonly weight?: (ctx: RequestContext) => number;
}

/** How many calls may be under way at once. */
export interface ConcurrencyOptions {
  /** How many calls may be under way at once. */
  readonly max: number;
  /** Who shares the limit. Default: `server`, all callers together. */
  readonly by?: CountedBy;
  /**
   * Lets calls that find no place wait for one, in the order in which they came, within their time limit. Default: they are
   * refused at once.
   */
  readonly queue?: QueueOptions;
}

/** Calls that wait for a place. */
export interface QueueOptions {
  /** How long a call waits before it is refused. */
  readonly wait: Duration;
  /** How many calls wait at most; those that come then are refused. Default: as many as `max`. */
  readonly max?: number;
}

/** One window of a limit, with the name by which headers tell of it. */
export interface Window {
  readonly name: string;
  readonly limit: Limit;
}

/** Limits of rate, checked. */
export interface RatePlan {
  /** The shortest first. */
  readonly windows: readonly Window[];
  readonly by: CountedBy;
  readonly weight: ((ctx: RequestContext) => number) | undefined;
  /** As an author would write it: `100/min`. */
  readonly text: string;
}

/** A layer that counts. */
export interface LimitingLayer extends PassiveLayer, PassingLayer {
  readonly limiting: {
    /** Where it counts. */
    readonly store: "limits" | "places" | "circuits";
    /** Under which name it counts there. */
    readonly id: string;
    /** Whether it has to know who calls. */
    readonly byIdentity: boolean;
    /** Whether it counts each component by itself under that name. */
    readonly perTool: boolean;
    /** The name of the circuit that all it is around share, where it has one. */
    readonly circuit?: string | undefined;
    /** Is told where it counts, where that is not in this process. */
    readonly share?: (backend: Backend) => void;
  };
}

export function isLimiting(layer: Middleware): layer is LimitingLayer {
  return typeof layer === "object" && "limiting" in layer;
}

const UNITS = {
  s: 1_000,
  sec: 1_000,
  second: 1_000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
} as const;

const WINDOWS = [
  { option: "perSecond", name: "second", unit: "s", window: UNITS.s },
  { option: "perMinute", name: "minute", unit: "min", window: UNITS.min },
  { option: "perHour", name: "hour", unit: "h", window: UNITS.h },
  { option: "perDay", name: "day", unit: "d", window: UNITS.d },
] as const;

export const RATE_LIMIT: Names<RateLimitOptions> = {
  perSecond: true,
  perMinute: true,
  perHour: true,
  perDay: true,
  algorithm: true,
  burst: true,
  by: true,
  weight: true,
};

/** What a component declares as its `rateLimit`. */
export type DeclaredRateLimit = Rate | readonly Rate[] | RateLimitOptions;

/** How tools, resources and prompts say how much of them callers may have. */
export interface LimitOptions {
  /** How often it may be called: `"100/min"`, or {@link RateLimitOptions}. Default: without limit. */
  readonly rateLimit?: DeclaredRateLimit;
  /** How many calls may be under way at once, or {@link ConcurrencyOptions}. Default: without limit. */
  readonly concurrency?: number | ConcurrencyOptions;
}

/** What a component declares of limits, checked. */
export interface DeclaredLimits {
  readonly rateLimit: RatePlan | undefined;
  readonly concurrency: ConcurrencyOptions | undefined;
}

/** Reads the limits of a component. Throws a {@link ConfigurationError} that says what to write. */
export function declaredLimits(what: string, { rateLimit, concurrency }: LimitOptions): DeclaredLimits {
  return {
    rateLimit: rateLimit === undefined ? undefined : declaredRate(`${what}: rateLimit`, rateLimit),
    concurrency:
      concurrency === undefined ? undefined : concurrencyOptions(`${what}: concurrency`, concurrency),
  };
}

function declaredRate(what: string, declared: DeclaredRateLimit): RatePlan {
  if (typeof declared === "string" || Array.isArray(declared))
    return ratePlan(what, fromRates(what, typeof declared === "string" ? [declared] : declared));
  if (typeof declared !== "object" || declared === null)
    throw new ConfigurationError(`${what} is ${shown(declared)}: write "100/min", or { perMinute: 100 }.`);
  const options = declared as RateLimitOptions;
  checkKnown(what, options, RATE_LIMIT);
  return ratePlan(what, options);
}

function fromRates(what: string, rates: readonly string[]): RateLimitOptions {
  const windows: Partial<Record<(typeof WINDOWS)[number]["option"], number>> = {};
  for (const rate of rates) {
    const [, count, unit] = /^(\d+)\/([a-z]+)$/.exec(rate) ?? [];
    const window = unit !== undefined && Object.hasOwn(UNITS, unit) && UNITS[unit as keyof typeof UNITS];
    const option = WINDOWS.find((each) => each.window === window)?.option;
    if (!option || Number(count) < 1)
      throw new ConfigurationError(
        `${what} is ${shown(rate)}: write a count and a unit, such as "10/s", "100/min", "1000/h" or "5000/d".`,
      );
    if (windows[option] !== undefined)
      throw new ConfigurationError(`${what} has two rates for the same time. Leave out one of the two.`);
    windows[option] = Number(count);
  }
  return windows;
}

/** Checks limits of rate. Throws a {@link ConfigurationError} that says what to write. */
export function ratePlan(what: string, options: RateLimitOptions): RatePlan {
  const { algorithm = "token-bucket", burst, by = "client", weight } = options;
  checkChoice(`${what}: algorithm`, algorithm, ["token-bucket", "sliding-window"]);
  if (burst !== undefined && algorithm === "sliding-window")
    throw new ConfigurationError(
      `${what}: a sliding window has no burst. Leave it out, or choose the token bucket.`,
    );
  if (burst !== undefined) checkCount(`${what}: burst`, burst);
  checkBy(what, by);
  if (weight !== undefined && typeof weight !== "function")
    throw new ConfigurationError(
      `${what}: weight is ${shown(weight)}: write a function, such as (ctx) => (ctx.operation.tags.includes("costly") ? 5 : 1).`,
    );
  const given = WINDOWS.filter(({ option }) => options[option] !== undefined);
  if (given.length === 0)
    throw new ConfigurationError(
      `${what} limits nothing. Write perSecond, perMinute, perHour or perDay, such as { perMinute: 100 }.`,
    );
  const windows = given.map(({ option, name, window }, index) => {
    const quota = checkCount(`${what}: ${option}`, options[option]);
    const held = index === 0 ? (burst ?? quota) : quota;
    return { name, limit: { algorithm, quota, window, burst: held } };
  });
  const text = given.map(({ option, unit }) => `${options[option]}/${unit}`).join(", ");
  return { windows, by, weight, text };
}

/** Checks the name under which a layer counts. Throws a {@link ConfigurationError} that says what to write. */
export function checkLayerName(what: string, name: string | undefined): void {
  if (name !== undefined && !/^[\w.-]{1,64}$/.test(name))
    throw new ConfigurationError(
      `${what}: name is ${shown(name)}: use 1 to 64 letters, digits, "_", "-" and ".".`,
    );
}

export const CONCURRENCY: Names<ConcurrencyOptions> = { max: true, by: true, queue: true };
const QUEUE: Names<QueueOptions> = { wait: true, max: true };

function concurrencyOptions(what: string, declared: number | ConcurrencyOptions): ConcurrencyOptions {
  if (typeof declared === "number") return { max: checkCount(what, declared) };
  if (typeof declared !== "object" || declared === null)
    throw new ConfigurationError(`${what} is ${shown(declared)}: write 10, or { max: 10 }.`);
  checkKnown(what, declared, CONCURRENCY);
  return checkConcurrency(what, declared);
}

/** Checks what limits calls under way. Throws a {@link ConfigurationError} that says what to write. */
export function checkConcurrency<O extends ConcurrencyOptions>(what: string, options: O): O {
  const { max, by, queue } = options;
  checkCount(`${what}: max`, max);
  if (by !== undefined) checkBy(what, by);
  if (queue === undefined) return options;
  if (typeof queue !== "object" || queue === null || queue.wait === undefined)
    throw new ConfigurationError(`${what}: queue is ${shown(queue)}: write { wait: "5s" }.`);
  checkKnown(`${what}: queue`, queue, QUEUE);
  timeLimit(queue.wait, `${what}: queue.wait`);
  if (queue.max !== undefined) checkCount(`${what}: queue.max`, queue.max);
  return options;
}

function checkBy(what: string, by: CountedBy): void {
  if (typeof by !== "function" && !["client", "tenant", "address", "server"].includes(by))
    throw new ConfigurationError(
      `${what}: by is ${shown(by)}: write "client", "tenant", "address", "server", or a function that gives a text.`,
    );
}
