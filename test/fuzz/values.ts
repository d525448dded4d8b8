/** JSON values that are seldom sent, and values spoilt in one place. */

import type { Random } from "../reliability/random.ts";

export type Value = unknown;

const STRINGS = [
  "",
  " ",
  "0",
  "null",
  "\u0000",
  "\ud800",
  "a\udc00b",
  "\ufeff",
  "\u2028\u2029",
  "\u202e\u0301",
  "😹".repeat(30),
  "é",
  "e\u0301",
  "İ",
  "../../etc/passwd",
  "%00%2e%2e%2f",
  "%",
  "%zz",
  "fuzz://item/",
  "file:///etc/passwd",
  "http://[::1",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "tools/call",
  "2026-07-28",
  "2025-11-25",
  "1900-01-01",
  "=?base64?AAAA?=",
  "=?base64?//8=?=",
  "<script>",
  "${7*7}{{7*7}}",
  "'; DROP TABLE tasks; --",
  "\r\nX-Injected: 1",
  "-1",
  "1e400",
  "{}",
];

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.1,
  1.5,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 63),
  1e21,
  1e308,
  5e-324,
];

/** Keys that mean something, here or to JavaScript. */
const KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "toJSON",
  "then",
  "length",
  "hasOwnProperty",
  "_meta",
  "id",
  "jsonrpc",
  "method",
  "params",
  "result",
  "error",
  "name",
  "uri",
  "arguments",
  "cursor",
  "requestState",
  "inputResponses",
  "progressToken",
  "",
  "\u0000",
  "\ud800",
  "0",
];

/** Long texts are rare: what they cost is not what is looked for. */
function longString(random: Random): string {
  const unit = random.pick(["a", "é", "😹", "\\", '"', "\ud800", "%20", "/", ":", "{"]);
  const length = random.chance(0.02) ? random.int(50_000, 300_000) : random.int(65, 5_000);
  return unit.repeat(Math.ceil(length / unit.length));
}

export function junkString(random: Random): string {
  if (random.chance(0.15)) return longString(random);
  if (random.chance(0.6)) return random.pick(STRINGS);
  return Array.from({ length: random.int(1, 12) }, () => String.fromCodePoint(random.int(0, 0x10ffff))).join(
    "",
  );
}

/** Any JSON value. */
export function junk(random: Random, depth = 0): Value {
  const kind = random.int(0, depth > 3 ? 4 : 7);
  switch (kind) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return random.pick(NUMBERS);
    case 3:
    case 4:
      return junkString(random);
    case 5:
      return Array.from({ length: random.int(0, 4) }, () => junk(random, depth + 1));
    case 6:
      return nested(random, random.chance(0.5) ? random.int(2, 30) : random.int(60, 300));
    default: {
      const object = {};
      for (let i = random.int(0, 4); i > 0; i--) put(object, random.pick(KEYS), junk(random, depth + 1));
      return object;
    }
  }
}

/** Arrays or objects within each other. */
function nested(random: Random, depth: number): Value {
  const isArray = random.chance(0.5);
  let value: Value = random.chance(0.5) ? 1 : {};
  for (let i = 0; i < depth; i++) value = isArray ? [value] : { a: value };
  return value;
}

type Container = Record<string, Value>;

/** Also `__proto__` becomes a key like others; an array gets one element more. */
function put(object: object, key: string, value: Value): void {
  if (Array.isArray(object)) return void object.push(value);
  Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
}

/** A value with the same content, which may be changed. */
export function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Where a value stands within another. */
interface Place {
  readonly parent: Container;
  readonly key: string;
}

/** Changes one place, anywhere in `root`. Gives what came of the whole, which may be the place. */
export function spoilValue(root: Value, random: Random): Value {
  const places: Place[] = [];
  collect(root, places);
  if (places.length === 0 || random.chance(0.03)) return junk(random);
  const { parent, key } = random.pick(places);
  const value = parent[key];
  switch (random.int(0, 9)) {
    case 0:
      delete parent[key];
      break;
    case 1:
      put(parent, random.pick(KEYS), junk(random));
      break;
    case 2: {
      const { parent: other, key: its } = random.pick(places);
      parent[key] = other[its] === root ? null : copy(other[its] ?? null);
      break;
    }
    case 3:
      parent[key] = random.chance(0.5) ? [value] : { [key]: value };
      break;
    case 4:
      delete parent[key];
      put(parent, random.pick([`${key} `, key.toUpperCase(), `${key}\u0000`, random.pick(KEYS)]), value);
      break;
    case 5:
    case 6:
      parent[key] = nearly(value, random);
      break;
    default:
      put(parent, key, junk(random));
  }
  return root;
}

/** A value of the same kind, a little off. */
function nearly(value: Value, random: Random): Value {
  if (typeof value === "number")
    return random.pick([value + 1, -value, value + 0.5, value * 1e300, String(value), value + 2 ** 53]);
  if (typeof value === "boolean") return random.pick([!value, String(value), Number(value)]);
  if (typeof value === "string") {
    const at = random.int(0, value.length);
    const piece = junkString(random);
    return random.pick([
      value.toUpperCase(),
      value.slice(0, at),
      ` ${value}`,
      `${value.slice(0, at)}${piece}${value.slice(at)}`,
      `${value}${value}`,
    ]);
  }
  if (Array.isArray(value)) return random.chance(0.5) ? [...(value as Value[]), ...(value as Value[])] : [];
  return value === null ? {} : [value];
}

function collect(value: Value, places: Place[]): void {
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) {
    places.push({ parent: value as Container, key });
    collect((value as Container)[key], places);
  }
}
