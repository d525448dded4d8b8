/** The logger a server has until it is given another: JSON lines on stderr, or lines for people where that is a terminal. */

import { CallLine } from "../core/calls/call-line.ts";
import { ConfigurationError } from "../core/errors.ts";
import { type Names, checkChoice, checkKnown, shown } from "../core/options/known-options.ts";
import { type Announcing, announce } from "../core/calls/logger.ts";
import type { Logger, Severity } from "../core/ports.ts";
import { EntryWriter, merged } from "./entry.ts";
import { prettyLine } from "./pretty.ts";
import { type Lines, environment, isInteractive, stderrLines, wantsColours } from "./stderr.ts";

/** How a logger writes, and what. */
export interface LoggerOptions {
  /** The least severe level that is written. Default: the variable `LOG_LEVEL` of the environment, else `"info"`. */
  readonly level?: Severity | "silent";
  /**
   * One JSON object a line, or lines for people. Default: `"pretty"` where stderr is a terminal and nothing says `CI`, else `"json"`.
   * Colours go by `NO_COLOR` and `FORCE_COLOR`.
   */
  readonly format?: "json" | "pretty";
  /** Names of fields, at any depth and in any case, whose values are left out, beside those that tell of secrets. */
  readonly redact?: readonly string[];
  /** What stands in every line. */
  readonly fields?: object;
  /** Takes the lines, each without its line break. Default: writes them on stderr. */
  readonly write?: (line: string) => void;
}

/** What {@link createLogger} makes: all that a {@link Logger} may have. */
export interface ServerLogger extends Logger {
  child(fields: object): ServerLogger;
  isLevelEnabled(level: Severity): boolean;
}

const OPTIONS: Names<LoggerOptions> = { level: true, format: true, redact: true, fields: true, write: true };

const SEVERITIES: readonly Severity[] = ["debug", "info", "warn", "error"];
const LEVELS: readonly string[] = [...SEVERITIES, "silent"];

/**
 * Makes a logger as servers have it: for `logger:`, with options of its own.
 *
 * Whatever is logged stays one line and does no harm: control characters are escaped, texts cut at 8,192 characters, cycles and getters
 * that throw are told as such. Secrets are left out: texts in fields named like secrets, and within texts and error messages bearer
 * tokens, JSON Web Tokens, basic credentials and passwords of URLs. A stderr that is slow or closed delays nothing: lines that find
 * more than a mebibyte waiting are dropped, and counted.
 *
 * @returns A logger with `child` and `isLevelEnabled`. It never throws.
 * @throws {@link ConfigurationError} where options are wrong.
 * @example
 * ```ts
 * const logger = createLogger({ level: "debug", redact: ["iban"], fields: { service: "task-api" } });
 * const server = new MCPServer({ name: "task-api", version: "1.0.0", logger });
 * ```
 */
export function createLogger(options: LoggerOptions = {}): ServerLogger {
  checkLoggerOptions(options);
  const { level, format = isInteractive() ? "pretty" : "json", redact = [], fields, write } = options;
  const fromEnvironment = environment("LOG_LEVEL")?.toLowerCase() ?? "info";
  const isKnown = LEVELS.includes(fromEnvironment);
  const least = level ?? (isKnown ? fromEnvironment : "info");
  const line =
    format === "json" ? jsonLines(redact) : prettyLines(redact, write === undefined && wantsColours());
  const lost = (count: number) => line("warn", undefined, { count }, LOST);
  const lines = write ? { write, gather: write } : stderrLines(lost);
  const logger = made(LEVELS.indexOf(least), line, lines, fields && merged(undefined, fields));
  if (level === undefined && !isKnown) logger.warn({ LOG_LEVEL: fromEnvironment }, UNKNOWN_LEVEL);
  return format === "pretty" ? announcing(logger, lines) : logger;
}

/** A logger for people, who are greeted in lines as they are. */
function announcing(logger: ServerLogger, { write }: Lines): ServerLogger & Announcing {
  const say = (text: string) => {
    try {
      if (logger.isLevelEnabled("info")) write(text);
    } catch {
      // There is nobody left to tell.
    }
  };
  return { ...logger, [announce]: say };
}

const LOST = "Log lines were dropped: whoever reads stderr does not keep up";
const UNKNOWN_LEVEL = `LOG_LEVEL is none of ${LEVELS.join(", ")}: info counts`;

type Line = (level: Severity, bound: object | undefined, fields: object, message: string) => string;

function nothing(): void {}

function made(least: number, line: Line, lines: Lines, bound: object | undefined): ServerLogger {
  const isEnabled = (level: Severity) => SEVERITIES.indexOf(level) >= least;
  const log = (level: Severity) => {
    if (!isEnabled(level)) return nothing;
    return (fields: object, message: string) => {
      try {
        const text = line(
          level,
          bound,
          asFields(fields),
          message ?? (typeof fields === "string" ? fields : ""),
        );
        if (fields instanceof CallLine) lines.gather(text);
        else lines.write(text);
      } catch {
        // There is nobody left to tell.
      }
    };
  };
  return {
    debug: log("debug"),
    info: log("info"),
    warn: log("warn"),
    error: log("error"),
    child: (fields) => made(least, line, lines, merged(bound, asFields(fields))),
    isLevelEnabled: isEnabled,
  };
}

/** An error alone, or a text alone, are taken as they are meant: loggers that authors know have both. */
function asFields(fields: unknown): object {
  if (fields instanceof Error) return { err: fields };
  return typeof fields === "object" && fields !== null ? fields : {};
}

function jsonLines(redact: readonly string[]): Line {
  const writer = new EntryWriter(redact);
  return (level, bound, fields, message) => {
    writer.begin();
    const text = writer.text(message);
    const inherited = bound === undefined ? "" : writer.fields(bound, fields);
    return `{"time":"${now()}","level":"${level}","message":${text}${inherited}${writer.fields(fields)}}`;
  };
}

function prettyLines(redact: readonly string[], colours: boolean): Line {
  const writer = new EntryWriter(redact);
  return (level, bound, fields, message) => {
    writer.begin();
    const members: (readonly [string, string])[] = [];
    const add = (name: string, json: string) => members.push([name, json]);
    if (bound) writer.each(bound, fields, add);
    writer.each(fields, undefined, add);
    return prettyLine(level, writer.text(message), members, colours);
  };
}

let millisecond = -1;
let millisecondText = "";

/** The time as ISO 8601 has it: made once for all lines of a millisecond. */
function now(): string {
  const time = Date.now();
  if (time !== millisecond) {
    millisecond = time;
    millisecondText = new Date(time).toISOString();
  }
  return millisecondText;
}

function checkLoggerOptions(options: LoggerOptions): void {
  if (typeof options !== "object" || options === null)
    throw new ConfigurationError(
      `createLogger() got ${shown(options)}: write createLogger({ level: "info" }).`,
    );
  checkKnown("createLogger()", options, OPTIONS);
  const { level, format, redact = [], fields = {}, write = nothing }: LoggerOptions = options;
  checkChoice("createLogger(): level", level, LEVELS);
  checkChoice("createLogger(): format", format, ["json", "pretty"]);
  if (!Array.isArray(redact) || !redact.every((name) => typeof name === "string"))
    throw new ConfigurationError('createLogger(): redact takes names of fields: write redact: ["iban"].');
  if (typeof fields !== "object" || fields === null)
    throw new ConfigurationError(
      `createLogger(): fields is ${shown(fields)}: write { service: "task-api" }.`,
    );
  if (typeof write !== "function")
    throw new ConfigurationError(`createLogger(): write is ${shown(write)}: write a function, (line) => … .`);
}
