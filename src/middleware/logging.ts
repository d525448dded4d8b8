/** A line in the log for each operation. */

import { type Pass, type PassingLayer, type PassiveLayer, pass } from "../compose.ts";
import { type OperationKind, type RequestContext, identityOf, servicesOf } from "../context.ts";
import { ConfigurationError, MCPError } from "../errors.ts";
import { InputRequired, Suspension } from "../inquiry.ts";
import { type Names, checkKnown, shown } from "../known-options.ts";
import { unfailing } from "../logger.ts";
import type { Logger, Severity } from "../ports.ts";
import { either } from "../promises.ts";
import { shortened } from "../refusals.ts";
import { ToolResult } from "../result.ts";
import { traceFields } from "../trace.ts";

export interface LoggingOptions {
  /** The level of operations that went well; others are `warn`. Default: `info`. */
  readonly level?: "debug" | "info";
  /** What is logged. Default: all kinds of operation. */
  readonly kinds?: readonly OperationKind[];
  /** Where to. Default: the server's logger. */
  readonly logger?: Logger;
}

const OPTIONS: Names<LoggingOptions> = { level: true, kinds: true, logger: true };

/**
 * Logs each operation in one line: its request id, its name, what became of it and how long it took; with the fields
 * `requestId`, `operation`, `name`, `durationMs`, `clientId` where the caller is known, `code` where it failed, `traceId` where it
 * belongs to a trace, and `spanId` where the server traces its calls. Arguments and results are not logged. As the outermost layer it sees every refusal.
 *
 * @throws {@link ConfigurationError} where options are wrong.
 * @example
 * ```ts
 * server.use(logging()); // [4fd21c90ab17] create_task completed in 0.012s
 * ```
 */
export function logging(options: LoggingOptions = {}): PassiveLayer & PassingLayer {
  checkKnown("logging()", options, OPTIONS);
  const { level = "info", kinds, logger } = options;
  if (level !== "debug" && level !== "info")
    throw new ConfigurationError(`logging(): level is ${shown(level)}: write "debug" or "info".`);
  const own = logger && unfailing(logger);
  const enter: Pass = (ctx, rest) => {
    const started = performance.now();
    const line = (at: Severity, became: string, code?: string) =>
      write(own ?? servicesOf(ctx).logger, at, ctx, started, became, code);
    return either(
      rest,
      (result) => {
        if (result instanceof InputRequired) line(level, ASKED);
        else if (result instanceof ToolResult && result.isError) line("warn", FAILED, "TOOL_ERROR");
        else line(level, "completed in");
        return result;
      },
      (error) => {
        if (error instanceof Suspension) line(level, ASKED);
        else line("warn", FAILED, codeOf(error, ctx));
        throw error;
      },
    );
  };
  return { name: "logging", passive: true, ...(kinds && { kinds }), handle: enter, [pass]: enter };
}

const ASKED = "asked its client after";
const FAILED = "failed after";

function write(
  logger: Logger,
  level: Severity,
  ctx: RequestContext,
  started: number,
  became: string,
  code: string | undefined,
): void {
  const { requestId, operation, trace } = ctx;
  const name = shortened(operation.name);
  const milliseconds = performance.now() - started;
  const clientId = identityOf(ctx)?.clientId;
  logger[level](
    {
      requestId,
      operation: operation.kind,
      name,
      durationMs: Math.round(milliseconds * 1_000) / 1_000,
      ...(clientId !== undefined && { clientId }),
      ...(code !== undefined && { code }),
      ...traceFields(trace),
    },
    `[${requestId}] ${name} ${became} ${(milliseconds / 1_000).toFixed(3)}s`,
  );
}

/** The code that the caller is told: anything unexpected is no more to it than that. */
function codeOf(error: unknown, ctx: RequestContext): string {
  if (error instanceof MCPError) return error.code;
  return ctx.signal.aborted ? "CANCELLED" : "INTERNAL_ERROR";
}
