/** Logging that does no harm. */

import type { Logger } from "./ports.ts";

/** A logger that fails must not fail what it is told of. */
export function unfailing(logger: Logger): Logger {
  const safely = (level: keyof Logger) => (fields: object, message: string) => {
    try {
      logger[level](fields, message);
    } catch {
      // There is nobody left to tell.
    }
  };
  return { debug: safely("debug"), info: safely("info"), warn: safely("warn"), error: safely("error") };
}
