import type { Logger } from "gantry-mcp";
import { isGreeting } from "./greetings.ts";

export interface CapturedLog {
  readonly logger: Logger;
  /** What was logged so far, as a reader of the JSON lines would see it. */
  readonly entries: () => readonly Record<string, unknown>[];
}

/** A logger that keeps its entries, but for what servers say when they start. */
export function capturedLog(): CapturedLog {
  const entries: Record<string, unknown>[] = [];
  const log = (level: string) => (fields: object, message: string) => {
    const entry = { level, message, ...fields };
    if (!isGreeting(entry)) entries.push(entry);
  };
  return {
    logger: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    entries: () => entries.map(readable),
  };
}

/** The JSON lines among what a server wrote on stderr, but for what it said when it started. */
export function parseLog(stderr: string): readonly Record<string, unknown>[] {
  return stderr
    .split("\n")
    .filter((line) => line.startsWith('{"time"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((entry) => !isGreeting(entry));
}

function readable(entry: Record<string, unknown>): Record<string, unknown> {
  const { err } = entry;
  return err instanceof Error
    ? { ...entry, err: { name: err.name, message: err.message, stack: err.stack, cause: err.cause } }
    : entry;
}
