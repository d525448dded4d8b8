/** What a handler says before its result: progress and log messages, as far as the client wants them. */

import { toJsonData } from "../values/json.ts";

/** Severities of log messages, least severe first (RFC 5424). */
export const LOG_LEVELS = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a transport offers to a call that wants to speak, and what its client asked to hear. */
export interface Audience {
  /** Sends a notification on the stream of this call, and on no other. */
  readonly say: (method: string, params: object) => void;
  readonly progressToken?: string | number | undefined;
  /** The least severe level that the client wants; without it, none. */
  readonly logLevel?: LogLevel | undefined;
}

/** So many messages may come at once, and so many a second after that; progress beyond is left out. */
const BURST = 50;
const PER_SECOND = 50;

export class Voice {
  readonly #audience: Audience;
  #progress = -Infinity;
  #complete = false;
  #allowance = BURST;
  #refilled = 0;

  constructor(audience: Audience) {
    this.#audience = audience;
  }

  /** Progress must grow (specification, "Progress Flow"): what does not is left out, as is what floods. */
  progress(done: number, total: number | undefined, message: string | undefined): void {
    const { progressToken, say } = this.#audience;
    if (progressToken === undefined || !Number.isFinite(done) || done <= this.#progress) return;
    // The report that all is done is never left out, except when that is said again and again.
    const complete = done === total;
    if (!this.#allowed() && (!complete || this.#complete)) return;
    this.#progress = done;
    this.#complete = complete;
    say("notifications/progress", {
      progressToken,
      progress: done,
      ...(Number.isFinite(total) && { total }),
      ...(message !== undefined && { message }),
    });
  }

  log(level: LogLevel, data: unknown, logger: string | undefined): void {
    const { logLevel, say } = this.#audience;
    if (
      logLevel === undefined ||
      LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(logLevel) ||
      !this.#allowed()
    )
      return;
    say("notifications/message", {
      level,
      ...(logger !== undefined && { logger }),
      data: sayable(data),
    });
  }

  #allowed(): boolean {
    const now = performance.now();
    this.#allowance = Math.min(BURST, this.#allowance + ((now - this.#refilled) / 1_000) * PER_SECOND);
    this.#refilled = now;
    if (this.#allowance < 1) return false;
    this.#allowance--;
    return true;
  }
}

/** What is said beside the work is no reason for the call to fail. */
function sayable(data: unknown): unknown {
  try {
    return toJsonData(data) ?? null;
  } catch {
    return "(a value that JSON cannot represent)";
  }
}
