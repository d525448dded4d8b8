/** Log entries for people at a terminal. */

import type { Severity } from "../core/ports.ts";
import { jsonText } from "./entry.ts";

/** Select Graphic Rendition (ECMA-48, section 8.3.117). */
const COLOURS: Readonly<Record<Severity, string>> = {
  debug: "\u001b[35m",
  info: "\u001b[32m",
  warn: "\u001b[33m",
  error: "\u001b[31m",
};
const FAINT = "\u001b[2m";
const PLAIN = "\u001b[0m";

/** Told by the message of the line of a call. */
const SAID: ReadonlySet<string> = new Set(['"requestId"', '"name"', '"durationMs"']);

/**
 * Time, level, message and fields in one line; the stacks of errors in lines below. Texts are JSON already: what a terminal would
 * obey is escaped in them.
 */
export function prettyLine(
  level: Severity,
  message: string,
  members: readonly (readonly [name: string, json: string])[],
  colours: boolean,
): string {
  const paint = (colour: string, text: string) => (colours ? `${colour}${text}${PLAIN}` : text);
  const isCall = members.some(([name]) => name === '"durationMs"');
  const fields: string[] = [];
  const stacks: string[] = [];
  for (const [name, json] of members) {
    const error = json.startsWith('{"name":') ? stackIn(json) : undefined;
    if (error !== undefined) stacks.push(...error);
    else if (!isCall || !SAID.has(name)) fields.push(`${bare(name)}=${bare(json)}`);
  }
  const first = [
    paint(FAINT, clock()),
    paint(COLOURS[level], level.toUpperCase().padEnd(5)),
    unquoted(message),
    ...(fields.length > 0 ? [paint(FAINT, fields.join(" "))] : []),
  ].join(" ");
  return [first, ...stacks.map((line) => paint(FAINT, `    ${line}`))].join("\n");
}

/** What JSON made of an error, as Node prints errors; `undefined` for what is none. */
function stackIn(json: string): readonly string[] | undefined {
  const { name, message, stack, cause, errors } = JSON.parse(json) as Readonly<Record<string, unknown>>;
  if (typeof message !== "string" || (stack !== undefined && typeof stack !== "string")) return undefined;
  const lines = (stack ?? `${String(name)}: ${message}`).split("\n").map((line) => unquoted(jsonText(line)));
  const all = Array.isArray(errors) ? (errors as readonly unknown[]) : [];
  return [
    ...lines,
    ...(cause === undefined ? [] : within("caused by", cause)),
    ...all.flatMap((error) => within("one of its errors:", error)),
  ];
}

/** What is within an error: another, or anything else that was thrown. */
function within(how: string, value: unknown): readonly string[] {
  const told = JSON.stringify(value);
  const lines = stackIn(told) ?? [unquoted(jsonText(typeof value === "string" ? value : told))];
  return lines.map((line, index) => (index === 0 ? `${how} ${line}` : line));
}

/** Texts of words alone need no quotes. */
function bare(json: string): string {
  return /^"[\w.:/@+-]+"$/.test(json) ? json.slice(1, -1) : json;
}

/** A text of JSON as it is read: escaped is only what a terminal would obey. */
function unquoted(json: string): string {
  return json.slice(1, -1).replace(/\\(["\\])/g, "$1");
}

/** The time of day, where the reader is. */
function clock(): string {
  const time = new Date();
  const two = (count: number) => String(count).padStart(2, "0");
  const milliseconds = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${milliseconds}`;
}
