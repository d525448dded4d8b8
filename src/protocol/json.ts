/**
 * Strict JSON: what two parsers could read differently is refused. Strict UTF-8, no duplicate keys, no
 * `__proto__`, bounded depth, no number that overflows.
 */

/** Arrays and objects may be nested so deep. */
const DEEPEST = 64;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export type ParsedJson =
  | { readonly value: unknown; readonly problem?: undefined }
  | { readonly problem: string };

/** Parses `bytes`, or says what is wrong with them in words fit for the sender. */
export function parseJson(bytes: Uint8Array): ParsedJson {
  let source: string;
  try {
    source = decoder.decode(bytes);
  } catch {
    return { problem: "The body is not valid UTF-8." };
  }
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
  problem: string | undefined;

  visit(value: unknown, depth: number): void {
    if (typeof value === "number") {
      if (!Number.isFinite(value)) this.problem = "A number is too large.";
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

const QUOTE = 0x22;
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
