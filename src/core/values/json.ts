/**
 * How a handler's value becomes JSON. What `JSON.stringify` would lose or spoil has one rendering each:
 * bytes are base64, a bigint is its digits, a Map an object, a Set an array; a Date and whatever has
 * `toJSON` speak for themselves. A cycle, a function or a symbol cannot be sent and is a TypeError; so is a promise or
 * an iterator, of which JSON would leave `{}`.
 */

import { base64 } from "./base64.ts";
import { isPromise } from "./promises.ts";

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/**
 * What is left of a `T` that has been JSON: a `Date` is its text, bytes are base64, a bigint is its digits, a Map an object, a Set an
 * array.
 */
export type AsJson<T> = unknown extends T
  ? T
  : T extends string | number | boolean | null
    ? T
    : T extends undefined | void
      ? null
      : T extends bigint | ArrayBuffer | ArrayBufferView
        ? string
        : T extends { toJSON(): infer R }
          ? AsJson<R>
          : T extends ReadonlyMap<unknown, infer V>
            ? { readonly [key: string]: AsJson<V> }
            : T extends ReadonlySet<infer V>
              ? readonly AsJson<V>[]
              : T extends symbol | ((...args: never) => unknown)
                ? never
                : { [K in keyof T]: AsJson<T[K]> };

/** Deeper than any sensible answer; also what stops a cycle. */
const DEEPEST = 256;

/** Whether `value` is what JSON calls an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Compact JSON text of `value`. Throws a TypeError where it cannot be represented. */
export function toJsonText(value: unknown): string {
  return JSON.stringify(isPlain(value, 0) ? value : render(value, [])) ?? "null";
}

/** `value` as plain JSON data: itself where it is plain already, else a rendered copy. */
export function toJsonData(value: unknown): unknown {
  return isPlain(value, 0) ? value : render(value, []);
}

/** Whether `JSON.stringify` represents `value` faithfully. Far cheaper than a replacer function. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
    case "undefined":
      return true;
    case "object":
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth > DEEPEST) return false;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth + 1)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key], depth + 1)) return false;
  return typeof (value as { toJSON?: unknown }).toJSON !== "function";
}

function render(value: unknown, ancestors: readonly object[]): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "function" || typeof value === "symbol") {
    throw new TypeError(`A ${typeof value} cannot be sent as JSON: return data.`);
  }
  if (typeof value !== "object" || value === null) return value;
  if (ancestors.includes(value))
    throw new TypeError("The value contains itself, which JSON cannot represent.");
  if (ancestors.length > DEEPEST) throw new TypeError(`The value is nested deeper than ${DEEPEST} levels.`);

  const path = [...ancestors, value];
  if (value instanceof Uint8Array) return base64(value);
  if (value instanceof ArrayBuffer) return base64(new Uint8Array(value));
  if (ArrayBuffer.isView(value))
    return base64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  if ("toJSON" in value && typeof value.toJSON === "function") return render(value.toJSON(), path);
  if (Array.isArray(value)) return value.map((item) => render(item, path));
  if (isPromise(value))
    throw new TypeError("A promise cannot be sent as JSON: await it, a list of them by Promise.all().");
  if (isIterator(value)) throw new TypeError("An iterator cannot be sent as JSON: write [...iterator].");
  // Not as a subclass may iterate them: that may have no end.
  if (value instanceof Set) return [...Set.prototype.values.call(value)].map((item) => render(item, path));
  const entries =
    value instanceof Map
      ? [...Map.prototype.entries.call(value)].map(([key, item]) => [String(key), item])
      : Object.entries(value);
  return Object.fromEntries(entries.map(([key, item]) => [key, render(item, path)]));
}

/** Generators among them, and what `values()` of a Map gives. */
function isIterator(value: object): boolean {
  return (
    "next" in value &&
    typeof value.next === "function" &&
    (Symbol.iterator in value || Symbol.asyncIterator in value)
  );
}
