import { once } from "node:events";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { StdioWire } from "../../../src/sdk/stdio-wire.ts";

/** What the wire passes on of these lines, what it writes, and what it reports. */
async function receive(...lines: readonly string[]) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const wire = new StdioWire(input, output);
  const passed: unknown[] = [];
  const reported: string[] = [];
  Object.assign<StdioWire, Partial<StdioWire>>(wire, {
    onmessage: (message) => void passed.push(message),
    onerror: (error) => void reported.push(error.message),
  });
  await wire.start();
  input.end(lines.map((line) => `${line}\n`).join(""));
  await wire.ended;
  await wire.idle();
  output.end();
  let written = "";
  output.on("data", (chunk: Buffer) => (written += chunk.toString()));
  await once(output, "end");
  return {
    passed,
    reported,
    written: written
      .split("\n")
      .filter(Boolean)
      .map((line): unknown => JSON.parse(line)),
  };
}

const call = (args: string) =>
  `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"arguments":${args}}}`;

test.each([
  ["__proto__", '{"__proto__":{"admin":true}}', 'The key "__proto__" is not allowed.'],
  ["depth", "[".repeat(63) + "]".repeat(63), "The body is nested deeper than 64 levels."],
  ["a number that overflows", "[1e999]", "A number is too large."],
])("a request is refused for %s, and no handler hears of it", async (_kind, args, problem) => {
  expect(await receive(call(args))).toEqual({
    passed: [],
    reported: [`A message is refused: Parse error: ${problem}`],
    written: [{ jsonrpc: "2.0", id: 7, error: { code: -32700, message: `Parse error: ${problem}` } }],
  });
});

test("a line of more than 4 MiB is not passed on", async () => {
  expect((await receive(call(`["${"x".repeat(4_194_304)}"]`))).passed).toEqual([]);
});

test("a notification that is refused is not answered", async () => {
  const notification = '{"jsonrpc":"2.0","method":"notifications/x","params":{"a":1e999}}';
  expect(await receive(notification)).toMatchObject({
    passed: [],
    written: [],
    reported: ["A message is refused: Parse error: A number is too large."],
  });
});

test("a revision that is not served is refused in every message, not in the first alone", async () => {
  const claiming = (version: string, id = "") =>
    `{"jsonrpc":"2.0",${id}"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"${version}"}}}`;
  expect(await receive(claiming("2026-07-28"), claiming("2027-01-01", '"id":2,'))).toMatchObject({
    passed: [{ method: "tools/list" }],
    written: [
      { id: 2, error: { code: -32022, data: { supported: ["2026-07-28"], requested: "2027-01-01" } } },
    ],
  });
});
