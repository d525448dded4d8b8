import { expect, test } from "vitest";
import { jsonLogger } from "../../../src/observe/log.ts";

function logged(fields: object, message = "message"): { line: string; entry: Record<string, unknown> } {
  let line = "";
  jsonLogger((text) => (line += text)).error(fields, message);
  return { line, entry: JSON.parse(line) as Record<string, unknown> };
}

test("an entry is one line of JSON with time, level and message", () => {
  const lines: string[] = [];
  const logger = jsonLogger((line) => lines.push(line));
  logger.debug({}, "a");
  logger.info({ n: 1 }, "b");
  logger.warn({}, "c");
  logger.error({}, "d");
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { level: "debug", message: "a", time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) },
    { level: "info", message: "b", n: 1 },
    { level: "warn", message: "c" },
    { level: "error", message: "d" },
  ]);
});

test("whatever callers send stays within its line", () => {
  const hostile = 'a\nb\r\nc\u2028d\u2029e\u0000f\u001b[31mg\u0085h"\\,{"level":"info"}\ud800';
  const { line, entry } = logged({ name: hostile, [hostile]: hostile }, hostile);
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
  expect(entry).toMatchObject({ name: hostile, [hostile]: hostile, message: hostile });
});

test("texts in fields named like secrets are left out, wherever they stand", () => {
  const { line, entry } = logged({
    headers: { Authorization: "Bearer abc", "x-api-key": "abc", accept: "*/*" },
    accessToken: "abc",
    tokens: 3,
  });
  expect(line).not.toContain("abc");
  expect(entry).toMatchObject({
    headers: { Authorization: "[redacted]", "x-api-key": "[redacted]", accept: "*/*" },
    accessToken: "[redacted]",
    tokens: 3,
  });
});

test("errors show name, message, stack and causes", () => {
  const { entry } = logged({ err: new TypeError("outer", { cause: new Error("inner", { cause: "root" }) }) });
  expect(entry["err"]).toMatchObject({
    name: "TypeError",
    message: "outer",
    stack: expect.stringContaining("log.test.ts"),
    cause: { name: "Error", message: "inner", cause: "root" },
  });
});

test("long texts are cut", () => {
  const { line, entry } = logged({ text: "x".repeat(1_000_000), err: new Error("y".repeat(1_000_000)) });
  expect((entry["text"] as string).length).toBe(8_193);
  expect(line.length).toBeLessThan(40_000);
});

test("what JSON cannot hold does not stop the log", () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;
  expect(logged({ circular }).entry).toMatchObject({ level: "error", message: expect.any(String) });
  expect(logged({ n: 10n, f: () => 1, s: Symbol("s"), u: undefined }).entry).toMatchObject({ n: "10" });
  const throwing = {
    get secret(): string {
      throw new Error("no");
    },
  };
  expect(logged({ throwing }).entry).toMatchObject({ level: "error" });
});
