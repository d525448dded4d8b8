/** A line in the log for each operation. */

import type { PassiveLayer } from "../compose.ts";
import { type OperationKind, type RequestContext, identityOf, servicesOf } from "../context.ts";
import { ConfigurationError, MCPError } from "../errors.ts";
import { InputRequired, Suspension } from "../inquiry.ts";
import { type Names, checkKnown, shown } from "../known-options.ts";
import { unfailing } from "../logger.ts";
import type { Logger } from "../ports.ts";
import { shortened } from "../refusals.ts";
import { ToolResult } from "../result.ts";

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
 * `requestId`, `operation`, `name`, `durationMs`, `clientId` where the caller is known, and `code` where it failed. Arguments
 * and results are not logged. As the outermost layer it sees every refusal.
 *
 * @throws {@link ConfigurationError} where options are wrong.
 * @example
 * ```ts
 * server.use(logging()); // [4fd21c90ab17] create_task completed in 0.012s
 * ```
 */
export function logging(options: LoggingOptions = {}): PassiveLayer {
  checkKnown("logging()", options, OPTIONS);
  const { level = "info", kinds, logger } = options;
  if (level !== "debug" && level !== "info")
    throw new ConfigurationError(`logging(): level is ${shown(level)}: write "debug" or "info".`);
  const own = logger && unfailing(logger);
  return {
    name: "logging",
    passive: true,
    ...(kinds && { kinds }),
    handle: async (ctx, next) => {
      const started = performance.now();
      try {
        const result = await next();
        const failed = result instanceof ToolResult && result.isError ? "TOOL_ERROR" : undefined;
        const became = result instanceof InputRequired ? "asked its client after" : "completed in";
        write(
          own ?? servicesOf(ctx).logger,
          failed === undefined ? level : "warn",
          ctx,
          started,
          failed,
          became,
        );
        return result;
      } catch (error) {
        if (error instanceof Suspension)
          write(own ?? servicesOf(ctx).logger, level, ctx, started, undefined, "asked its client after");
        else write(own ?? servicesOf(ctx).logger, "warn", ctx, started, codeOf(error, ctx));
        throw error;
      }
    },
  };
}

function write(
  logger: Logger,
  level: keyof Logger,
  ctx: RequestContext,
  started: number,
  code: string | undefined,
  became = "completed in",
): void {
  const { requestId, operation } = ctx;
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
    },
    `[${requestId}] ${name} ${code === undefined ? became : "failed after"} ${(milliseconds / 1_000).toFixed(3)}s`,
  );
}

/** The code that the caller is told: anything unexpected is no more to it than that. */
function codeOf(error: unknown, ctx: RequestContext): string {
  if (error instanceof MCPError) return error.code;
  return ctx.signal.aborted ? "CANCELLED" : "INTERNAL_ERROR";
}
