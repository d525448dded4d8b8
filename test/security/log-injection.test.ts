/** Whatever is logged stays one line that reads back as it was. */

import { createLogger } from "gantry-mcp";
import { describe, expect, test } from "vitest";

const HOSTILE = [
  "a\nb",
  "a\r\nb",
  "\r",
  "\u0085next line",
  "a\u2028b",
  "a\u2029b",
  "\u0000",
  "\u0008\u0008\u0008",
  "\u001b[2J\u001b[H",
  "\u001b]0;title\u0007",
  "\u009b31mred",
  "\u001b]8;;https://example.com\u001b\\link\u001b]8;;\u001b\\",
  "\u007f",
  "\u202eevil\u202c",
  "\u2066isolate\u2069",
  "\ufeffmark",
  '"}\n{"time":"2026-01-01T00:00:00.000Z","level":"info","message":"forged"}',
  '","level":"info","x":"',
  "\\",
  "\\u0000",
  '\\"',
  "\ud800",
  "\udc00\ud800",
  "𝔘nicode",
  "=cmd|' /C calc'!A0",
  "+1+1",
  "@SUM(1)",
  "-2+3",
  "<script>alert(1)</script>",
  "%0d%0aX-Forged:x",
  "${jndi:ldap://x}",
  "__proto__",
];

/** Where a text of a caller may come to stand. */
const PLACES: Readonly<Record<string, (text: string) => readonly [object, string]>> = {
  "the message": (text) => [{}, text],
  "a field": (text) => [{ name: text }, "m"],
  "a field's name": (text) => [{ [text]: 1 }, "m"],
  "a nested field": (text) => [{ arguments: { filter: { text } } }, "m"],
  "a nested field's name": (text) => [
    { arguments: { filter: JSON.parse(`{${JSON.stringify(text)}:1}`) as object } },
    "m",
  ],
  "a list": (text) => [{ list: [text, [text]] }, "m"],
  "an error's message": (text) => [{ err: Object.assign(new Error(text), { stack: "at" }) }, "m"],
  "an error's cause": (text) => [
    { err: Object.assign(new Error("e", { cause: text }), { stack: "at" }) },
    "m",
  ],
  "an error's stack": (text) => [{ err: Object.assign(new Error("e"), { stack: text }) }, "m"],
  "the middle of a text": (text) => [{ name: `before ${text} after` }, `m ${text} n`],
};

const CASES = Object.entries(PLACES).flatMap(([place, make]) =>
  HOSTILE.map((text) => [place, text, make] as const),
);

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

/** What the fields are once they have been read back. */
function readBack(value: unknown): unknown {
  if (value instanceof Error) {
    const { name, message, stack, cause } = value;
    return { name, message, stack, ...(cause !== undefined && { cause }) };
  }
  return value;
}

describe("one record is one line, and reads back as it was", () => {
  test.each(["json", "pretty"] as const)(`in ${CASES.length} cases of %s`, (format) => {
    expect(CASES.length).toBeGreaterThanOrEqual(300);
    for (const [place, text, make] of CASES) {
      const lines: string[] = [];
      const [fields, message] = make(text);
      createLogger({ format, write: (line) => lines.push(line) }).warn(fields, message);
      expect(lines).toHaveLength(1);
      const [line = ""] = lines;
      // Where people read, the stack of an error has lines of its own, each indented.
      const one = format === "json" ? line : line.replaceAll("\n    ", "");
      expect(one, `${place}: ${JSON.stringify(text)}`).not.toMatch(OBEYED);
      if (format === "pretty") continue;
      const { time: _, level, message: read, ...rest } = JSON.parse(line) as Record<string, unknown>;
      expect(level).toBe("warn");
      expect(read).toBe(message);
      expect(rest).toEqual(
        Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, readBack(value)])),
      );
    }
  });

  test("however long it is: a text of a mebibyte is cut", () => {
    for (const text of ["x", "\n", "\u2028", '"', "\ud800", "é"]) {
      let line = "";
      createLogger({ format: "json", write: (written) => (line += written) }).warn(
        { text: text.repeat(1_048_576) },
        "m",
      );
      const { text: read } = JSON.parse(line) as { readonly text: string };
      expect(read).toBe(`${text.repeat(8_192)}…`);
    }
  });
});
