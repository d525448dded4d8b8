/** A line in the log for each operation, which says all that is known of it. */

import { CallLine, type Ended, rounded } from "../core/calls/call-line.ts";
import { type Pass, type PassingLayer, type PassiveLayer, pass } from "../core/calls/compose.ts";
import { type RequestContext, note, servicesOf } from "../core/calls/context.ts";
import { toldOf } from "../core/sealed/dispatch.ts";
import { ConfigurationError } from "../core/errors.ts";
import { InputRequired, Suspension } from "../core/dialogue/inquiry.ts";
import { type Names, checkChoice, checkKnown, shown } from "../core/options/known-options.ts";
import { unfailing } from "../core/calls/logger.ts";
import type { OperationKind } from "../core/calls/operation.ts";
import type { Logger } from "../core/ports.ts";
import { ToolResult } from "../core/results/result.ts";
import type { CallEvent, ObservingLayer } from "../core/calls/observers.ts";
import { witnessed } from "../core/calls/time-limit.ts";
import type { ArgumentsLayer } from "../core/components/logged-arguments.ts";

export interface LoggingOptions {
  /** The level of operations that went well; others are `warn`. Default: `info`. */
  readonly level?: "debug" | "info";
  /** What is logged. Default: all kinds of operation. */
  readonly kinds?: readonly OperationKind[];
  /** Where to. Default: the server's logger. */
  readonly logger?: Logger;
  /**
   * Whether the arguments of tools and prompts are logged, without those that their schema marks by `sensitive: true`, `writeOnly: true`
   * or `format: "password"`. Default: `false`.
   */
  readonly arguments?: boolean;
  /** Of how many operations that went well there is a line, from 0 to 1; of all others there always is. Default: `{ ok: 1 }`. */
  readonly sample?: { readonly ok: number };
}

const OPTIONS: Names<LoggingOptions> = {
  level: true,
  kinds: true,
  logger: true,
  arguments: true,
  sample: true,
};

/**
 * Logs each operation in one line: its request id, its name, what became of it and how long it took; and in fields all that is known of
 * it: who called, from where and by what client, its trace, whether its result was kept, what the handler added with `ctx.logger.set()`.
 * Results are not logged, and arguments only where `arguments` says so. As the outermost layer it sees every refusal.
 *
 * @throws {@link ConfigurationError} where options are wrong.
 * @example
 * ```ts
 * server.use(logging()); // [4fd21c90ab17] create_task completed in 0.012s
 * server.use(logging({ arguments: true, sample: { ok: 0.1 } }));
 * ```
 */
export function logging(options: LoggingOptions = {}): PassiveLayer & PassingLayer {
  const { level = "info", kinds, logger, arguments: logsArguments = false, sample } = checked(options);
  const own = logger && unfailing(logger);
  const share = sample?.ok ?? 1;
  const say = (ctx: RequestContext, started: number, ended: Ended) => {
    const { outcome } = ended;
    if (outcome === "ok" && share < 1 && Math.random() >= share) return;
    const to = own ?? servicesOf(ctx).logger;
    const at = outcome === "ok" || outcome === "asked" ? level : "warn";
    if (to.isLevelEnabled?.(at) === false) return;
    const milliseconds = performance.now() - started;
    const line = new CallLine(ctx, milliseconds, ended);
    to[at](line, `[${line.requestId}] ${line.name} ${BECAME[outcome]} ${(milliseconds / 1_000).toFixed(3)}s`);
  };
  const enter: Pass = (ctx, rest) => {
    const started = performance.now();
    return witnessed(
      ctx,
      rest,
      (result) => say(ctx, started, settled(result)),
      (error) => say(ctx, started, failed(error, ctx)),
    );
  };
  const layer: ObservingLayer & ArgumentsLayer & PassingLayer = {
    name: "logging",
    passive: true,
    ...(kinds && { kinds }),
    handle: enter,
    [pass]: enter,
    onCallEvent: noting,
    logsArguments,
  };
  return layer;
}

const OK: Ended = { outcome: "ok" };
const ASKED: Ended = { outcome: "asked" };
const TOOL_FAILED: Ended = { outcome: "failed", code: "TOOL_ERROR" };

function settled(result: unknown): Ended {
  if (result instanceof InputRequired) return ASKED;
  return result instanceof ToolResult && result.isError ? TOOL_FAILED : OK;
}

function failed(error: unknown, ctx: RequestContext): Ended {
  if (error instanceof Suspension) return ASKED;
  const { code } = toldOf(error, ctx);
  return { outcome: code === "CANCELLED" ? "cancelled" : "failed", code };
}

const BECAME: Readonly<Record<Ended["outcome"], string>> = {
  ok: "completed in",
  failed: "failed after",
  cancelled: "was cancelled after",
  asked: "asked its client after",
};

/** What happened on the way of a call, for its line. */
function noting(ctx: RequestContext, event: CallEvent): void {
  if (event.kind === "cache") note(ctx, { cache: event.outcome });
  else if (event.kind === "idempotency") note(ctx, { idempotency: event.outcome });
  else if (event.kind === "limit" && event.waited !== undefined)
    note(ctx, { queuedMs: rounded(event.waited) });
}

function checked(options: LoggingOptions): LoggingOptions {
  checkKnown("logging()", options, OPTIONS);
  const { level, sample } = options;
  checkChoice("logging(): level", level, ["debug", "info"]);
  if (typeof (options.arguments ?? false) !== "boolean")
    throw new ConfigurationError(`logging(): arguments is ${shown(options.arguments)}: write true or false.`);
  if (sample !== undefined && !(sample?.ok >= 0 && sample.ok <= 1))
    throw new ConfigurationError("logging(): sample takes a share from 0 to 1: write sample: { ok: 0.1 }.");
  return options;
}
