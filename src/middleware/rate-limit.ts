/** How often callers may call. */

import { type Pass, pass } from "../core/calls/compose.ts";
import { type RequestContext, addHeader, servicesOf } from "../core/calls/context.ts";
import { ConfigurationError, MCPError, refusal } from "../core/errors.ts";
import { type Names, checkKnown, shown } from "../core/options/known-options.ts";
import {
  type LimitingLayer,
  RATE_LIMIT,
  type RateLimitOptions,
  type RatePlan,
  checkLayerName,
  ratePlan,
} from "../core/components/limits.ts";
import type { OperationKind } from "../core/calls/operation.ts";
import type { LimitCharge, LimitVerdict } from "../core/ports.ts";
import { after } from "../core/values/promises.ts";
import type { CallEvent } from "../core/calls/observers.ts";
import { callerOf, goesByIdentity } from "./callers.ts";

/** How often callers may call, as a layer says it. */
export interface RateLimitLayerOptions extends RateLimitOptions {
  /** Whether each tool, resource and prompt is counted by itself. Default: `false`. */
  readonly perTool?: boolean;
  /** What is counted. Default: `["tool", "resource", "prompt", "completion"]`, all that reaches a handler. */
  readonly kinds?: readonly OperationKind[];
  /**
   * Under which name calls are counted, and told of in headers: letters, digits, `_`, `-` and `.`. One server has each name
   * once. Default: made of the other options.
   */
  readonly name?: string;
}

const OPTIONS: Names<RateLimitLayerOptions> = { ...RATE_LIMIT, perTool: true, kinds: true, name: true };
const KINDS: readonly OperationKind[] = ["tool", "resource", "prompt", "completion"];

/**
 * Limits how often callers may call; above, the answer is `RATE_LIMIT_EXCEEDED` with `details.retry_after_seconds`. Over HTTP
 * the headers `RateLimit-Policy`, `RateLimit` and, on refusals, `Retry-After` tell of it.
 *
 * Refused calls are not counted; a call that asks its client counts again with every answer. Names of tools that are not there are
 * counted together. A limit that counts callers has to stand inside `authenticate(…)`, or else the server does not start.
 *
 * @throws {@link ConfigurationError} where options are wrong or contradict each other.
 * @example
 * ```ts
 * server.use(rateLimit({ perMinute: 100, perTool: true }));
 * server.use(rateLimit({ perSecond: 10, perDay: 5_000, by: "tenant", algorithm: "sliding-window" }));
 * ```
 */
export function rateLimit(options: RateLimitLayerOptions): LimitingLayer {
  if (typeof options !== "object" || options === null)
    throw new ConfigurationError(`rateLimit() got ${shown(options)}: write rateLimit({ perMinute: 100 }).`);
  checkKnown("rateLimit()", options, OPTIONS);
  const { name, perTool = false, kinds = KINDS } = options;
  checkLayerName("rateLimit()", name);
  const plan = ratePlan("rateLimit()", options);
  const by = typeof plan.by === "function" ? "custom" : plan.by;
  return layer(plan, {
    id: name ?? [plan.text.replaceAll(", ", "+"), by, ...(perTool ? ["tool"] : []), ...kinds].join("."),
    title: name,
    perTool,
    kinds,
    refusalText: () => "Rate limit exceeded",
  });
}

/** The layer of a limit that a component declares. */
export function declaredRateLimit(plan: RatePlan, kind: OperationKind, key: string): LimitingLayer {
  return layer(plan, {
    id: `${kind}:${key}`,
    title: key,
    perTool: false,
    kinds: [kind],
    refusalText: () => `Rate limit exceeded for ${kind} '${key}' (declared limit: ${plan.text})`,
  });
}

interface Layer {
  /** What is counted: the first part of every key. */
  readonly id: string;
  /** What stands before the names of windows in headers. */
  readonly title: string | undefined;
  readonly perTool: boolean;
  readonly kinds: readonly OperationKind[];
  readonly refusalText: () => string;
}

function layer(plan: RatePlan, { id, title, perTool, kinds, refusalText }: Layer): LimitingLayer {
  const { windows, by, weight } = plan;
  const caller = callerOf(by);
  const named = windows.map(({ name, limit }) => ({
    limit,
    prefix: `${id} ${name} `,
    item: quoted(title === undefined ? name : `${title}-${name}`),
  }));
  const policy = named
    .map(({ item, limit: { quota, window } }) => `${item};q=${quota};w=${window / 1_000}`)
    .join(", ");

  const charges = (ctx: RequestContext, who: string): readonly LimitCharge[] => {
    const cost = weight ? weightOf(weight, ctx, plan) : 1;
    const { kind, component = "" } = ctx.operation;
    // Neither names nor URIs hold spaces: no two limits, components and callers share a key.
    const rest = perTool ? `${kind}:${component} ${who}` : who;
    return named.map(({ limit, prefix }) => ({ key: prefix + rest, limit, cost }));
  };
  const decide = (ctx: RequestContext, { allowed, states }: LimitVerdict): void => {
    const left = named.map(({ item, limit: { window } }, index) => {
      const { remaining = 0, reset = 0 } = states[index] ?? {};
      // A window that moves in steps forgets a little late, and a burst may take several windows to be given back.
      return `${item};r=${remaining};t=${Math.ceil(Math.min(reset, window) / 1_000)}`;
    });
    addHeader(ctx, "ratelimit-policy", policy);
    addHeader(ctx, "ratelimit", left.join(", "));
    if (!allowed) throw exceeded(refusalText(), Math.max(...states.map(({ wait }) => wait)));
  };
  const enter: Pass = (ctx, rest) => {
    const who = caller(ctx);
    if (who === undefined) return rest();
    return after(servicesOf(ctx).limits.charge(charges(ctx, who)), (verdict) => {
      servicesOf(ctx).observe?.(ctx, verdict.allowed ? ALLOWED : REFUSED);
      decide(ctx, verdict);
      return rest();
    });
  };
  const limiting = { store: "limits", id, byIdentity: goesByIdentity(by), perTool: false } as const;
  return { name: "rateLimit", passive: true, kinds, handle: enter, [pass]: enter, limiting };
}

const ALLOWED: CallEvent = { kind: "limit", limit: "rate", outcome: "allowed" };
const REFUSED: CallEvent = { kind: "limit", limit: "rate", outcome: "refused" };

/** What a call counts as. More than a limit ever holds could never pass: that is a mistake, and no answer to callers. */
function weightOf(
  weight: (ctx: RequestContext) => number,
  ctx: RequestContext,
  { windows, text }: RatePlan,
): number {
  const cost = weight(ctx);
  const most = Math.min(...windows.map(({ limit: { burst } }) => burst));
  if (typeof cost === "number" && cost >= 0 && cost <= most) return cost;
  throw new Error(
    `The weight of a call is ${shown(cost)}, and its limit (${text}) lets ${most} pass at once: give a number from 0 to ${most}.`,
  );
}

function exceeded(message: string, wait: number): MCPError {
  const milliseconds = Math.ceil(wait);
  const seconds = Math.max(1, Math.ceil(milliseconds / 1_000));
  return refusal(
    () =>
      new MCPError(message, {
        code: "RATE_LIMIT_EXCEEDED",
        suggestion: `Wait ${seconds} second${seconds === 1 ? "" : "s"} before retrying.`,
        details: { retry_after_seconds: milliseconds / 1_000 },
      }),
  );
}

/** A string in a header field (RFC 9651, section 3.3.3). */
function quoted(text: string): string {
  return `"${text.replace(/[^ -~]/g, "?").replace(/["\\]/g, String.raw`\$&`)}"`;
}
