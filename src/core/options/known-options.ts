/** What is said of options that are not what they should be. */

import { ConfigurationError } from "../errors.ts";
import { nearest } from "./nearest.ts";

/** Every name of the options `O`. */
export type Names<O> = Readonly<Record<keyof O, true>>;

/**
 * Throws a {@link ConfigurationError} where `options` has a name that is not among `known`: an option that is
 * passed over in silence is one that its author relies on.
 */
export function checkKnown(what: string, options: object, known: Readonly<Record<string, true>>): void {
  const names = Object.keys(known);
  const problems = Object.keys(options)
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => `${what}: unknown option "${name}". ${advice(name, names)}`);
  if (problems.length > 0) throw new ConfigurationError(problems);
}

/** Throws a {@link ConfigurationError} where `value` is given and none of `choices`. */
export function checkChoice(what: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || (choices as readonly unknown[]).includes(value)) return;
  const write = choices.map((choice) => JSON.stringify(choice)).join(" or ");
  throw new ConfigurationError(`${what} is ${shown(value)}: write ${write}.`);
}

/**
 * Throws a {@link ConfigurationError} where `count` is no whole number from 1: a limit that is `NaN` would be none.
 *
 * @param otherwise - What else may be written.
 */
export function checkCount(what: string, count: unknown, otherwise = ""): number {
  if (!Number.isSafeInteger(count) || (count as number) < 1)
    throw new ConfigurationError(`${what} is ${shown(count)}: write a whole number from 1${otherwise}.`);
  return count as number;
}

function advice(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? `Write one of: ${known.join(", ")}.` : `Did you mean "${near}"?`;
}

/** A value as a message quotes it: text in quotes, anything else short. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object" && value !== null) {
    if (!Array.isArray(value)) return "an object";
    return value.length > 0 ? "an array" : "an empty array";
  }
  return typeof value === "function" ? "a function" : String(value);
}
