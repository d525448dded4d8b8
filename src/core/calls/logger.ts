/** Logging that does no harm, and says which call it belongs to. */

import type { Operation } from "./operation.ts";
import type { Logger, Severity } from "../ports.ts";
import { shortened } from "../refusals.ts";
import { type TraceContext, traceFields } from "./trace.ts";

/** The member of a logger of people's by which it writes lines as they are. Not for authors. */
export const announce: unique symbol = Symbol("announce");

/** A logger that people read. */
export interface Announcing extends Logger {
  readonly [announce]: (text: string) => void;
}

/** Says what is no more than information: in lines of its own where people read the log, else as an entry with its fields. */
export function announced(logger: Logger, fields: object, headline: string, lines: readonly string[]): void {
  if (announce in logger) (logger as Announcing)[announce]([headline, ...lines].join("\n"));
  else logger.info(fields, headline);
}

/** All that a logger may have. */
type Unfailing = Logger & Required<Pick<Logger, "child" | "isLevelEnabled">>;

/** A logger that fails must not fail what it is told of. */
export function unfailing(logger: Logger): Unfailing {
  const safely = (level: Severity) => (fields: object, message: string) => {
    try {
      logger[level](fields, message);
    } catch {
      // There is nobody left to tell.
    }
  };
  return {
    debug: safely("debug"),
    info: safely("info"),
    warn: safely("warn"),
    error: safely("error"),
    child: (fields) => unfailing(childOf(logger, fields)),
    ...(announce in logger && { [announce]: logger[announce] }),
    isLevelEnabled: (level) => isEnabled(logger, level),
  };
}

/** As the logger has it, or else one that adds the fields to each of its lines. */
function childOf(logger: Logger, bound: object): Logger {
  try {
    if (logger.child) return logger.child(bound);
  } catch {
    // Fields that are no child's are still told.
  }
  const adding = (level: Severity) => (fields: object, message: string) =>
    logger[level]({ ...bound, ...fields }, message);
  return { debug: adding("debug"), info: adding("info"), warn: adding("warn"), error: adding("error") };
}

/** A logger that does not say is asked for everything. */
function isEnabled(logger: Logger, level: Severity): boolean {
  try {
    return logger.isLevelEnabled?.(level) ?? true;
  } catch {
    return true;
  }
}

/** By what the log tells one call from another. */
export interface CallFields {
  readonly requestId: string;
  readonly operation: Operation["kind"];
  readonly name: string;
  readonly clientId?: string;
  readonly traceId?: string;
  readonly spanId?: string;
}

export function fieldsOfCall(
  { kind, name }: Operation,
  requestId: string,
  clientId: string | undefined,
  trace: TraceContext | undefined,
): CallFields {
  const fields = { requestId, operation: kind, name: shortened(name), ...traceFields(trace) };
  return clientId === undefined ? fields : { ...fields, clientId };
}

/**
 * The logger of a call, for its handler and its layers.
 *
 * @example
 * ```ts
 * server.tool("import", { description: "Import tasks.", input }, async ({ file }, { logger }) => {
 *   const rows = await read(file);
 *   logger.set({ rows: rows.length }); // in the line that logging() writes of the call
 *   logger.info({ file }, "The file has been read"); // a line of its own
 * });
 * ```
 */
export interface CallLogger extends Logger {
  child(fields: object): Logger;
  isLevelEnabled(level: Severity): boolean;
  /** Adds fields to the line that `logging()` writes of the call when it has ended; what the line says by itself stays. */
  set(fields: object): void;
}

/** @param logger - One that {@link unfailing} has made. */
export function callLogger(logger: Logger, fields: CallFields, set: (fields: object) => void): CallLogger {
  return { ...unfailing(childOf(logger, fields)), set };
}
