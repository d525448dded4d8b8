/**
 * Strict JSON: what two parsers could read differently is refused. No duplicate keys, no `__proto__`, bounded
 * depth, no number that overflows, no whole number that would arrive as another.
 */

/** Arrays and objects may be nested so deep. */
const DEEPEST = 64;

export type ParsedJson =
  | { readonly value: unknown; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: string };

/** Parses `source`, or says what is wrong with it in words fit for the sender. */
export function parseStrictJson(source: string): ParsedJson {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    return { problem: source === "" ? "The body is empty." : "The body is not valid JSON." };
  }
  const walk = new Walk();
  walk.visit(value, 0);
  // JSON.parse keeps the last of equal keys: fewer keys than the text has colons means that some were equal.
  if (!walk.problem && walk.keys !== countColons(source)) walk.problem = "An object has the same key twice.";
  if (!walk.problem && walk.large && hasInexactInteger(source))
    walk.problem = "A whole number is too large to arrive exactly: send it as a string.";
  return walk.problem === undefined ? { value } : { problem: walk.problem };
}

/** What is wrong with data that somebody else parsed, as far as that can still be seen. */
export function inspectJson(value: unknown): string | undefined {
  const walk = new Walk();
  walk.visit(value, 0);
  return walk.problem;
}

class Walk {
  keys = 0;
  /** Whether there is a number beyond those of which every whole one is exact. */
  large = false;
  problem: string | undefined;

  visit(value: unknown, depth: number): void {
    if (typeof value === "number") {
      if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) {
        this.large = true;
        if (!Number.isFinite(value)) this.problem = "A number is too large.";
      }
      return;
    }
    if (typeof value !== "object" || value === null) return;
    if (depth >= DEEPEST) {
      this.problem = `The body is nested deeper than ${DEEPEST} levels.`;
      return;
    }
    if (Array.isArray(value)) {
      for (const item of value) this.visit(item, depth + 1);
      return;
    }
    for (const key of Object.keys(value)) {
      this.keys++;
      if (key === "__proto__") {
        this.problem = 'The key "__proto__" is not allowed.';
        return;
      }
      this.visit((value as Record<string, unknown>)[key], depth + 1);
      if (this.problem !== undefined) return;
    }
  }
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Whether `source`, known to be JSON, has a whole number that {@link isInexact}. */
function hasInexactInteger(source: string): boolean {
  for (let i = 0; i < source.length; i++) {
    const code = source.charCodeAt(i);
    if (code === QUOTE) i = stringEnd(source, i + 1);
    if (code !== MINUS && (code < ZERO || code > NINE)) continue;
    NUMBER.lastIndex = i;
    const literal = NUMBER.exec(source)?.[0] ?? "";
    if (/^-?\d{16,}$/.test(literal) && isInexact(literal)) return true;
    i += literal.length - 1;
  }
  return false;
}

/** Whether parsing changes a whole number: it is not exact, and not how JavaScript writes what it becomes. */
function isInexact(literal: string): boolean {
  const value = Number(literal);
  return String(value) !== literal && BigInt(value) !== BigInt(literal);
}

const QUOTE = 0x22;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** The colons outside of strings, in text that is known to be JSON: one for each key. */
function countColons(source: string): number {
  let colons = 0;
  for (let i = 0; i < source.length; i++) {
    const code = source.charCodeAt(i);
    if (code === COLON) colons++;
    else if (code === QUOTE) i = stringEnd(source, i + 1);
  }
  return colons;
}

/** The index of the quote that closes the string beginning at `start`. */
function stringEnd(source: string, start: number): number {
  let end = source.indexOf('"', start);
  while (source.charCodeAt(end - 1) === BACKSLASH && isEscaped(source, end, start))
    end = source.indexOf('"', end + 1);
  return end;
}

/** Whether an odd number of backslashes stands before `index`. */
function isEscaped(source: string, index: number, start: number): boolean {
  let backslash = index - 1;
  while (backslash >= start && source.charCodeAt(backslash) === BACKSLASH) backslash--;
  return (index - backslash) % 2 === 0;
}
