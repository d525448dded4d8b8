/** What callers are told where Redis does not do what it is asked for. */

import { MCPError, refusal } from "../core/errors.ts";

export function unavailable(cause: unknown): MCPError {
  return refusal(
    () =>
      new MCPError("The server's store cannot be reached at the moment", {
        code: "BACKEND_UNAVAILABLE",
        suggestion: "Nothing was done. Retry in a moment.",
        details: { retry_after_seconds: 1 },
        cause,
      }),
  );
}

/** Whether a script failed because of what it found under its keys: another type, or another text than this server writes. */
export function isForeign(error: unknown): boolean {
  const message = error instanceof Error ? error.message : "";
  if (/WRONGTYPE/.test(message)) return true;
  // What Redis refuses for other reasons begins with them; Redis 6 repeats them behind its own words.
  return /^ERR .*user_script/.test(message) && !/\b(OOM|READONLY|MISCONF|NOREPLICAS|NOPERM)\b/.test(message);
}
