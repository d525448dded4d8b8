/** The fields of a log entry as JSON: without secrets, bounded, and whatever they hold. */

import { REDACTED, type Secrecy, mayHoldSecrets, secrecyBy, withoutSecrets } from "./secrets.ts";

/** Longer texts are cut, in characters: a log is not a place to store what a caller sent. */
const LONGEST_TEXT = 8_192;

/** How much of a text is searched for secrets: so much more than is shown that one at the cut is found. */
const LONGEST_SEARCH = 2 * LONGEST_TEXT;

/** What comes after so many characters of one entry is left out. */
const LONGEST_ENTRY = 131_072;

const DEEPEST = 16;

/** How many names of fields are remembered, and of what length they and the last texts of these fields. */
const MOST_NAMES = 1_000;
const LONGEST_NAME = 64;

/**
 * What JSON would leave as it is though terminals obey it (U+009B begins an escape sequence), readers break lines at it, or it
 * turns round what is shown (UAX #9, section 2); and surrogates, which may be alone.
 */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const SPECIAL = /["\\\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]/;
const CONTROL = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** What every entry has; fields of these names are written with `_` before them. */
const RESERVED: ReadonlySet<string> = new Set(["time", "level", "message"]);

const HIDDEN = JSON.stringify(REDACTED);
const CIRCULAR = '"[circular]"';
const TOO_DEEP = '"[too deep]"';
const UNREADABLE = '"[unreadable]"';
const CUT = '"[cut]"';

/** A field's name as JSON, between its comma and its colon, and what it says of its value. */
interface Name {
  readonly json: string;
  readonly secrecy: Secrecy;
  /** The last of its texts that is written as it is, and the member with it: fields often say the same again. */
  text: string | undefined;
  member: string;
}

/** Writes fields as JSON. */
export class EntryWriter {
  readonly #secrecyOf: (name: string) => Secrecy;
  readonly #names = new Map<string, Name>();
  readonly #path: object[] = [];
  #left = LONGEST_ENTRY;

  /** @param redact - Names of fields whose values are left out, beside those that are known. */
  constructor(redact: readonly string[]) {
    this.#secrecyOf = secrecyBy(redact);
  }

  /** Begins another entry. */
  begin(): void {
    this.#left = LONGEST_ENTRY;
    this.#path.length = 0;
  }

  /** A text as JSON: cut, without secrets, and nothing in it that a terminal or a reader of lines would obey. */
  text(text: string): string {
    const short = text.length > LONGEST_TEXT ? cut(text) : withoutSecrets(text);
    const json = jsonText(short);
    this.#left -= json.length;
    return json;
  }

  /** The members of `fields` as JSON, each with a comma before it; without those of the same name in `others`. */
  fields(fields: object, others?: object): string {
    let json = "";
    for (const key of keysOf(fields)) {
      if (others !== undefined && Object.hasOwn(others, key)) continue;
      const value = read(fields, key);
      if (value === undefined) continue;
      json += this.#member(this.#name(RESERVED.has(key) ? `_${key}` : key), value);
      if (this.#left < 0) return `${json},"…":${CUT}`;
    }
    return json;
  }

  /** Calls `visit` with the name and the value of each, both as JSON. */
  each(fields: object, others: object | undefined, visit: (name: string, json: string) => void): void {
    for (const key of keysOf(fields)) {
      if (others !== undefined && Object.hasOwn(others, key)) continue;
      const { json: name, secrecy } = this.#name(key);
      const json = this.#value(read(fields, key), secrecy);
      if (json !== undefined) visit(name.slice(1, -1), json);
      if (this.#left < 0) return visit('"…"', CUT);
    }
  }

  #name(key: string): Name {
    this.#left -= key.length + 2;
    const known = this.#names.get(key);
    if (known) return known;
    const json = `,${this.text(key)}:`;
    const name: Name = { json, secrecy: this.#secrecyOf(key), text: undefined, member: "" };
    if (key.length <= LONGEST_NAME && this.#names.size < MOST_NAMES) this.#names.set(key, name);
    return name;
  }

  #member(name: Name, value: unknown): string {
    if (typeof value !== "string" || value.length > LONGEST_NAME || name.secrecy !== "none") {
      const json = this.#value(value, name.secrecy);
      return json === undefined ? "" : name.json + json;
    }
    if (value !== name.text) {
      if (mayHoldSecrets(value) || SPECIAL.test(value)) return name.json + this.text(value);
      name.text = value;
      name.member = `${name.json}"${value}"`;
    }
    this.#left -= value.length + 2;
    return name.member;
  }

  #value(value: unknown, secrecy: Secrecy): string | undefined {
    if (secrecy === "all" && value !== undefined && value !== null) return HIDDEN;
    switch (typeof value) {
      case "string":
        return secrecy === "texts" ? HIDDEN : this.text(value);
      case "number":
        this.#left -= 8;
        return Number.isFinite(value) ? String(value) : "null";
      case "boolean":
        return value ? "true" : "false";
      case "bigint":
        return this.text(value.toString());
      case "object":
        return value === null ? "null" : value === GONE ? UNREADABLE : this.#object(value, secrecy);
      default:
        return undefined;
    }
  }

  #object(value: object, secrecy: Secrecy): string {
    if (this.#left < 0) return CUT;
    if (this.#path.includes(value)) return CIRCULAR;
    if (this.#path.length >= DEEPEST) return TOO_DEEP;
    this.#path.push(value);
    try {
      return this.#readable(value, secrecy);
    } catch {
      // A getter, a proxy or a toJSON of somebody else's: it takes nothing else with it.
      return UNREADABLE;
    } finally {
      this.#path.pop();
    }
  }

  #readable(value: object, secrecy: Secrecy): string {
    if (value instanceof Error) return this.#error(value);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `"[${value.byteLength} bytes]"`;
    if ("toJSON" in value && typeof value.toJSON === "function")
      return this.#value(value.toJSON(), secrecy) ?? "null";
    if (Array.isArray(value) || value instanceof Set) return this.#items(value, secrecy);
    if (value instanceof Map) return this.#members(Object.fromEntries(value), secrecy);
    return this.#members(value, secrecy);
  }

  #members(value: object, secrecy: Secrecy): string {
    let json = "";
    for (const key of Object.keys(value)) {
      const name = this.#name(key);
      const member = this.#value(read(value, key), secrecy === "none" ? name.secrecy : secrecy);
      if (member !== undefined) json += name.json + member;
      if (this.#left < 0) return `{${json.slice(1)},"…":${CUT}}`;
    }
    return `{${json.slice(1)}}`;
  }

  #items(value: Iterable<unknown>, secrecy: Secrecy): string {
    let json = "";
    for (const item of value) {
      json += `,${this.#value(item, secrecy) ?? "null"}`;
      if (this.#left < 0) return `[${json.slice(1)},${CUT}]`;
    }
    return `[${json.slice(1)}]`;
  }

  /** What helps to find its cause. What else libraries hang on errors, such as requests with their headers, is left out. */
  #error(error: Error): string {
    const { name, message, stack, cause } = error;
    const { code, errors } = error as { readonly code?: unknown; readonly errors?: unknown };
    const isCode = typeof code === "string" || typeof code === "number";
    return this.#members(
      {
        name,
        message,
        ...(isCode && { code }),
        stack,
        ...(cause !== undefined && { cause }),
        ...(Array.isArray(errors) && { errors }),
      },
      "none",
    );
  }
}

/** Stands for a value that could not be read. */
const GONE = Object.freeze({});

function read(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch {
    return GONE;
  }
}

/** Both, the later ones in place of the earlier: as they are now, whatever cannot be read. */
export function merged(earlier: object | undefined, later: object): object {
  // Without a prototype, a field may have any name.
  const all = Object.assign(Object.create(null) as Record<string, unknown>, earlier);
  for (const key of keysOf(later)) all[key] = read(later, key);
  return all;
}

function keysOf(fields: object): readonly string[] {
  try {
    return Object.keys(fields);
  } catch {
    return [];
  }
}

/** A text as JSON, in which is escaped whatever a terminal or a reader of lines would obey. */
export function jsonText(text: string): string {
  return SPECIAL.test(text) ? JSON.stringify(text).replace(CONTROL, escaped) : `"${text}"`;
}

function cut(text: string): string {
  const shown = withoutSecrets(text.slice(0, LONGEST_SEARCH));
  return `${shown.slice(0, LONGEST_TEXT)}…`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
