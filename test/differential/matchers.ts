/** What a difference is, and the questions that it asks of a disagreement. */

import type { Disagreement } from "./comparison.ts";
import { isObject } from "./messages.ts";

/** Where Gantry and the official SDK answer differently on purpose. */
export interface Difference {
  readonly name: string;
  /** What Gantry does, and what the SDK does. */
  readonly what: string;
  readonly why: string;
  /** Where the specification speaks of it. */
  readonly source: string;
  readonly fits: Matcher;
}

export type Matcher = (disagreement: Disagreement) => boolean;

export function all(...matchers: readonly Matcher[]): Matcher {
  return (each) => matchers.every((matches) => matches(each));
}

export function any(...matchers: readonly Matcher[]): Matcher {
  return (each) => matchers.some((matches) => matches(each));
}

/** The whole answers differ, and these are they. */
export function answers(gantry: RegExp, official: RegExp): Matcher {
  return (each) =>
    each.where === "answer" && gantry.test(String(each.gantry)) && official.test(String(each.official));
}

/** A member of a message differs. */
export function member(path: RegExp, ...matchers: readonly Matcher[]): Matcher {
  return all(({ where }) => path.test(where), ...matchers);
}

export const gantryHasNone: Matcher = ({ gantry }) => gantry === undefined;
export const officialHasNone: Matcher = ({ official }) => official === undefined;

export function header(name: string, matches: (value?: string) => boolean): Matcher {
  return ({ of }) => matches(of.headers[name]);
}

export function method(pattern: RegExp): Matcher {
  return ({ message }) => {
    const { method: name } = asRecord(message);
    return typeof name === "string" && pattern.test(name);
  };
}

export function params(matches: (params: Readonly<Record<string, unknown>>) => boolean): Matcher {
  return ({ message }) => matches(asRecord(asRecord(message)["params"]));
}

export function meta(matches: (meta: unknown) => boolean): Matcher {
  return params(({ _meta }) => matches(_meta));
}

export const isNotification: Matcher = ({ message }) => isObject(message) && !("id" in message);
export const isBatch: Matcher = ({ message }) => Array.isArray(message);

/** A message of 2026-07-28, be it right or wrong. */
export const isModern: Matcher = meta(
  (value) => isObject(value) && Object.hasOwn(value, "io.modelcontextprotocol/protocolVersion"),
);
export const is2025: Matcher = (each) => !isModern(each);

const MEMBERS = new Set(["jsonrpc", "id", "method", "params", "result", "error"]);

/** A message with members besides those of JSON-RPC, or with those of a request and of a response. */
export const hasStrangers: Matcher = ({ message }) =>
  (Array.isArray(message) ? message : [message]).some(
    (each) =>
      isObject(each) &&
      (Object.keys(each).some((key) => !MEMBERS.has(key)) ||
        ("method" in each && ("result" in each || "error" in each))),
  );

/** JSON that parsers read differently, if at all. */
export const isLoose: Matcher = ({ of: { body }, message }) => {
  if (message === undefined) return false;
  const text = typeof body === "string" ? body : new TextDecoder().decode(body);
  return (
    depth(message) > 64 ||
    // A byte order mark, a byte that is no UTF-8, a key twice, a number that is not kept.
    (typeof body !== "string" && text.includes("\ufffd")) ||
    JSON.stringify(message) !== text ||
    text.includes('"__proto__":')
  );
};

/** How many levels of arrays and objects a value has. */
function depth(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depth));
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}
