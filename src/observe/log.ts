/** The logger a server has until it is given another: one JSON object a line, on stderr. */

import type { Logger } from "../ports.ts";

type Level = "debug" | "info" | "warn" | "error";

/** Longer texts are cut: a log line is not a place to store what a caller sent. */
const LONGEST_TEXT = 8_192;

/** Names of fields that hold secrets. */
const SECRET = /authorization|cookie|passw|passphrase|secret|token|api[-_]?key|credential/i;

/** What JSON leaves as it is though terminals obey it (U+009B begins an escape sequence), or readers break lines at it. */
const CONTROL = /[\u007f-\u009f\u2028\u2029]/g;

/**
 * Writes JSON lines on stderr. Control characters are escaped; texts in fields named like secrets are left out; errors show
 * name, message, stack and causes.
 */
export function jsonLogger(write: (line: string) => void = (line) => console.error(line)): Logger {
  const log = (level: Level) => (fields: object, message: string) => {
    write(toLine({ time: new Date().toISOString(), level, message, ...fields }));
  };
  return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
}

function toLine(entry: object): string {
  try {
    return JSON.stringify(entry, loggable).replace(CONTROL, escaped);
  } catch (error) {
    return JSON.stringify({
      level: "error",
      message: "A log entry could not be written",
      reason: String(error),
    });
  }
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function loggable(key: string, value: unknown): unknown {
  if (value instanceof Error) {
    const { name, message, stack, cause } = value;
    return { name, message, stack, ...(cause !== undefined && { cause }) };
  }
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string" && SECRET.test(key)) return "[redacted]";
  if (typeof value === "string" && value.length > LONGEST_TEXT) return `${value.slice(0, LONGEST_TEXT)}…`;
  return value;
}
