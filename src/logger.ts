/** Logging that does no harm. */

import type { Logger, Severity } from "./ports.ts";

/** A logger that fails must not fail what it is told of. */
export function unfailing(logger: Logger): Logger {
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
