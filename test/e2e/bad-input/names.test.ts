/** Names and URIs that are not there, climb out, or are far too long. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Target, refused } from "../../support/target.ts";
import { encodeHeader, modern, modernHeaders } from "../../support/wire.ts";

let target: Target;

beforeAll(async () => {
  target = await Target.start();
});

afterAll(async () => {
  await target.close();
});

const NOT_FOUND = refused(200, -32602);

const read = (uri: string) =>
  target.send({
    headers: modernHeaders("resources/read", encodeHeader(uri)),
    body: JSON.stringify(modern("resources/read", { uri })),
  });

/** The same in the 2025 era. */
const legacy = (method: string, params: object) =>
  target.send({
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });

const named = (method: string) => (name: string) =>
  target.send({
    headers: modernHeaders(method, encodeHeader(name)),
    body: JSON.stringify(modern(method, { name, arguments: {} })),
  });

describe("names that are not there", () => {
  const names = [
    "",
    " ",
    "nope",
    "Echo",
    "ECHO",
    "echo ",
    " echo",
    "echo\u0000",
    "echo\n",
    "ech",
    "echoo",
    "écho",
    "ｅｃｈｏ",
    "ec\u200bho",
    "e\u0441ho",
    "toString",
    "constructor",
    "hasOwnProperty",
    "valueOf",
    "__defineGetter__",
    "__proto__",
    "../echo",
    "echo/..",
    "%65cho",
    "echo?x=1",
    "*",
    "null",
    "undefined",
    "\ud800",
    "🎉",
    "x".repeat(200),
  ];

  test.each(["tools/call", "prompts/get"])("are refused by %s, in both eras", async (method) => {
    const cases = names.map((name) => [JSON.stringify(name), name] as const);
    // Half a pair has no UTF-8, and so no header.
    const modernCases = cases.filter(([, name]) => JSON.stringify(name) !== '"\\ud800"');
    expect(await target.deviations(modernCases, NOT_FOUND, named(method))).toEqual([]);
    expect(await target.deviations(cases, NOT_FOUND, (name) => legacy(method, { name }))).toEqual([]);
  });

  test("are given back in part where they are long", async () => {
    const { json } = await legacy("tools/call", { name: "n".repeat(100_000) });
    expect(json?.error?.message).toBe(`Unknown tool: ${"n".repeat(256)}…`);
  });

  test("of resources are refused with the code of the era", async () => {
    for (const uri of [
      "nope://x",
      "fixed://two",
      "FIXED://one",
      "fixed://one/",
      "fixed://one?x",
      "fixed://one#x",
      "fixed:one",
      "",
      " ",
      "docs:",
      "docs://",
    ]) {
      expect(await target.outcome(() => read(uri))).toEqual(NOT_FOUND);
      expect(await target.outcome(() => legacy("resources/read", { uri }))).toEqual(refused(200, -32002));
    }
  });
});

/** Spellings of one character, none of which may pass for it. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  ".": [".", "%2e", "%2E", "%252e", "%25252e", "%c0%ae", "%e0%80%ae", "%u002e", "．", "%ef%bc%8e"],
  "/": [
    "/",
    "\\",
    "%2f",
    "%2F",
    "%5c",
    "%5C",
    "%252f",
    "%255c",
    "%c0%af",
    "%c1%9c",
    "%e0%80%af",
    "%u2215",
    "∕",
    "／",
    "%ef%bc%8f",
    ";/",
    "%00/",
    "%2f%2f",
  ],
};

/** Ways to climb, in many spellings. */
const CLIMBS: readonly string[] = [
  ...SPELLINGS["."]!.flatMap((first) =>
    SPELLINGS["."]!.flatMap((second) =>
      SPELLINGS["/"]!.flatMap((slash) => [`${first}${second}${slash}etc`, `a${slash}${first}${second}`]),
    ),
  ),
  ...SPELLINGS["/"]!.flatMap((slash) => [
    `a${slash}.${slash}b`,
    `${slash}etc${slash}passwd`,
    `a${slash}%2e`,
    `.${slash}a`,
    `a${slash}`,
    `C:${slash}x`,
  ]),
  "..",
  ".",
  "%2e%2e",
  "%2e.",
  ".%2e",
  "%2e",
  "..%00",
  "..%00/x",
  "..%0d%0a",
  "..%09",
  "%00",
  "a%00.txt",
  "a%0ab",
  "a%7fb",
  "a%1bb",
  "..;/x",
  "..%3b/x",
  "....//x",
  "..../x",
  "...",
  "..%20/x",
  "..%c2%a0",
  "%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  "..%5c..%5cwindows",
  "%",
  "%2",
  "%zz",
  "%g0",
  "a%",
  "%e9",
  "%ff",
  "%ed%a0%80",
  "%f4%90%80%80",
  "a?b",
  "a#b",
  "a?../b",
  "a#../b",
  "file:///etc/passwd",
  "//evil.example/x",
  "~root",
  "~/.ssh",
];

describe("URIs that climb", () => {
  const roots = ["docs://", "files://root/", "tree://root/", "pairs://", "pairs://a/x/"];

  test("never give a handler a value with a way up or out in it", async () => {
    const uris = CLIMBS.flatMap((climb) =>
      roots.map((root) => `${root}${climb}${root.startsWith("pairs://a") ? "-end" : ""}`),
    );
    expect(new Set(CLIMBS).size).toBeGreaterThanOrEqual(500);
    for (const uri of uris) {
      const before = target.handled.length;
      const { status, code } = await legacy("resources/read", { uri });
      expect({ uri, status, code: code ?? -32002 }).toEqual({ uri, status: 200, code: -32002 });
      const handled = target.handled.length - before;
      expect({ uri, handled }).toEqual({ uri, handled: code === undefined ? 1 : 0 });
    }
    const escapes = target.handled
      .flat()
      .filter((value): value is string => typeof value === "string")
      .filter(
        (value) =>
          value.split("/").some((part) => part === ".." || part === ".") || /[\\\p{Cc}]/u.test(value),
      );
    expect(escapes).toEqual([]);
  });

  test("give one segment at most where the template has one", async () => {
    const before = target.handled.length;
    for (const climb of CLIMBS) await read(`docs://${climb}`);
    const values = target.handled.slice(before) as readonly string[];
    expect(values.filter((value) => value.includes("/"))).toEqual([]);
    expect(values.length).toBeGreaterThan(50);
  });

  test.each([
    ["docs://..", "docs://%2e%2e"],
    ["docs://a/b", "docs://a%2Fb"],
    ["docs://a%5Cb", "docs://a\\b"],
    ["docs://a%00", "docs://a\u0000"],
    ["files://root/../x", "files://root/%2e%2e%2fx"],
    ["files://root/a/../../x", "files://root/a%2f..%2fx"],
    ["files://root/a%5c..", "files://root/a\\.."],
    ["tree://root/..", "tree://root/a/%2E%2e/b"],
    ["tree://root..", "tree://rootx"],
  ])("are refused, with the handler not called: %s, %s", async (first, second) => {
    for (const uri of [first, second]) expect(await target.outcome(() => read(uri))).toEqual(NOT_FOUND);
  });

  test("are decoded once: what was encoded twice stays as it is", async () => {
    const values: Readonly<Record<string, string>> = {
      "docs://%252e%252e%252f": "%2e%2e%2f",
      "docs://%252f": "%2f",
      "docs://%255c": "%5c",
      "docs://%2500": "%00",
      "docs://..%252f..": "..%2f..",
      "docs://a%20b%3F%23": "a b?#",
      "docs://...": "...",
      "docs://%E2%9C%93": "✓",
      "docs://．．": "．．",
      "files://root/a/b%20c/%252e%252e": "a/b c/%2e%2e",
      "tree://root/a/b": "a/b",
    };
    for (const [uri, value] of Object.entries(values)) {
      expect((await read(uri)).code).toBeUndefined();
      expect(target.handled.at(-1)).toBe(value);
    }
  });
});

describe("what is too long", () => {
  test("URIs of more than 8 KiB are refused", async () => {
    const over = `docs://${"a".repeat(8_192)}`;
    expect(await target.outcome(() => read(over))).toEqual(NOT_FOUND);
    expect(await target.outcome(() => legacy("resources/read", { uri: over }))).toEqual(NOT_FOUND);
    const fits = `docs://${"a".repeat(8_000)}`;
    expect((await read(fits)).code).toBeUndefined();
    expect(target.handled.at(-1)).toBe("a".repeat(8_000));
  });

  const shapes: Readonly<Record<string, (length: number) => string>> = {
    letters: (length) => `docs://${"a".repeat(length)}`,
    separators: (length) => `files://root/${"/".repeat(length)}`,
    "dots and separators": (length) => `files://root/${"../".repeat(length / 3)}`,
    "a literal over and over": (length) => `pairs://${"/x/".repeat(length / 3)}`,
    "an end over and over": (length) => `pairs://a/x/${"-end".repeat(length / 4)}x`,
    escapes: (length) => `docs://${"%2e".repeat(length / 3)}`,
    "broken escapes": (length) => `tree://root/${"%".repeat(length)}`,
    "no scheme": (length) => "x".repeat(length),
  };

  test.each(Object.entries(shapes))("10 kB of %s are answered at once", async (_what, shape) => {
    expect(await best((length) => legacy("resources/read", { uri: shape(length) }))).toBeLessThan(QUICK);
  });

  test.each(["tools/call", "prompts/get"])("names of 10 kB are answered at once by %s", async (method) => {
    expect(await best((length) => named(method)("n".repeat(length)))).toBeLessThan(QUICK);
    expect(await best((length) => legacy(method, { name: "../".repeat(length / 3) }))).toBeLessThan(QUICK);
  });

  test("methods, cursors, completions and ids of 10 kB are answered at once", async () => {
    const ref = { type: "ref/resource", uri: "docs://{name}" };
    const headers = { "content-type": "application/json" };
    const asks: readonly ((length: number) => Promise<unknown>)[] = [
      (length) => legacy("m".repeat(length), {}),
      (length) => legacy("tools/list", { cursor: "dG9vbHM6MQ".repeat(length / 10) }),
      (length) =>
        legacy("completion/complete", { ref, argument: { name: "name", value: "v".repeat(length) } }),
      (length) =>
        target.send({
          headers,
          body: JSON.stringify({ jsonrpc: "2.0", id: "i".repeat(length), method: "ping" }),
        }),
    ];
    for (const ask of asks) expect(await best(ask)).toBeLessThan(QUICK);
  });
});

/** An answer may take so long in milliseconds, the way to the server and back included. */
const QUICK = 5;

/** How long the best of several answers took, in milliseconds: at 10 kB or at 20 kB, whichever was slower. */
async function best(ask: (length: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (const length of [9_999, 19_998]) {
    let quickest = Infinity;
    for (let round = 0; round < 15 && (round < 3 || quickest > QUICK); round++) {
      const begun = performance.now();
      await ask(length);
      quickest = Math.min(quickest, performance.now() - begun);
    }
    times.push(quickest);
  }
  return Math.max(...times);
}
