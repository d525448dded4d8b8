/** Bodies that are no JSON, or JSON that two parsers could read differently. */

import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { INVALID, VALID, escaped } from "../../support/json-texts.ts";
import { Target, refused } from "../../support/target.ts";
import { META, modern } from "../../support/wire.ts";

const PARSE_ERROR = refused(400, -32700);

let target: Target;

beforeAll(async () => {
  target = await Target.start();
});

afterAll(async () => {
  await target.close();
});

/** The body of a valid call of `echo`, with `text` in the place of an argument. */
function withArgument(text: string): string {
  return JSON.stringify(modern("tools/call", { name: "echo", arguments: { value: "@" } })).replace(
    '"@"',
    () => text,
  );
}

const post = (body: string | Uint8Array) => target.send({ body });

/** Posts a call with `text` as an argument, and gives what arrived. */
async function arrived(text: string): Promise<unknown> {
  const before = target.handled.length;
  const answer = await post(withArgument(text));
  expect(`${answer.status} to ${text}`).toBe(`200 to ${text}`);
  expect(target.handled.length).toBe(before + 1);
  const { value } = target.handled.at(-1) as { value: unknown };
  return value;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("text that is no JSON", () => {
  const contexts: readonly (readonly [string, (text: string) => string])[] = [
    ["the whole body", (text) => text],
    ["an argument", withArgument],
    ["an item", (text) => withArgument(`[0,${text}]`)],
    ["a member", (text) => withArgument(`{"k":${text}}`)],
  ];

  test.each(contexts)("is refused as %s", async (_where, place) => {
    const bodies = INVALID.map((text) => [JSON.stringify(text), place(text)] as const);
    expect(bodies.length).toBeGreaterThanOrEqual(188);
    expect(bodies.filter(([, body]) => isJson(body))).toEqual([]);
    expect(await target.deviations(bodies, PARSE_ERROR, post)).toEqual([]);
  });

  test("is refused wherever a message breaks off", async () => {
    const whole = withArgument('{"a":[1,"two",{"b":null}]}');
    const prefixes = Array.from(
      whole,
      (_character, length) => [String(length), whole.slice(0, length)] as const,
    );
    expect(await target.deviations(prefixes, PARSE_ERROR, post)).toEqual([]);
  });

  test("is refused when one of its marks is missing, doubled or another", async () => {
    const whole = withArgument('{"a":[1,{"b":null}],"c":"d"}');
    const marks = Array.from(whole).flatMap((character, index) =>
      '{}[]:,"'.includes(character) ? [index] : [],
    );
    const mutants = marks.flatMap((index) =>
      ["", whole[index]! + whole[index]!, ";", "\u0000"].map(
        (mark) => whole.slice(0, index) + mark + whole.slice(index + 1),
      ),
    );
    const broken = mutants.filter((text) => !isJson(text)).map((text) => [text, text] as const);
    expect(broken.length).toBeGreaterThan(300);
    expect(await target.deviations(broken, PARSE_ERROR, post)).toEqual([]);
  });
});

describe("text that is JSON", () => {
  test("arrives exactly as it means", async () => {
    expect(VALID.length).toBeGreaterThanOrEqual(95);
    const changed: string[] = [];
    for (const [text, value] of VALID) if (!isDeepStrictEqual(await arrived(text), value)) changed.push(text);
    expect(changed).toEqual([]);
  });

  test("arrives exactly, however it is written", async () => {
    const space = fc.stringMatching(/^[ \t\r\n]{0,2}$/);
    const values = fc.jsonValue({ maxDepth: 4, stringUnit: "binary" });
    await fc.assert(
      fc.asyncProperty(values, fc.infiniteStream(space), fc.boolean(), async (value, spaces, escape) => {
        const text = written(value, () => String(spaces.next().value), escape);
        // Own keys only: what generated objects inherit is not sent.
        expect(isDeepStrictEqual(await arrived(text), JSON.parse(text))).toBe(true);
      }),
      { numRuns: 300, seed: 20_260_728 },
    );
  });

  test("goes back as it came", async () => {
    const sent = '{"s":"\\ud800 \\u2028 \\u0000 é 🎉","n":[-1.5,1e22,5e-324],"k":{"":{"constructor":null}}}';
    const { json } = await post(withArgument(sent));
    const result = json?.result as { content: readonly [{ text: string }] } | undefined;
    const text = result?.content[0].text ?? "";
    expect(isDeepStrictEqual(JSON.parse(text), { value: JSON.parse(sent) })).toBe(true);
  });
});

/** `value` as JSON with space between its tokens, and its strings perhaps escaped throughout. */
function written(value: unknown, space: () => string, escape: boolean): string {
  const string = (text: string) => (escape ? `"${escaped(text)}"` : JSON.stringify(text));
  const write = (inner: unknown): string => {
    if (typeof inner === "string") return string(inner);
    if (typeof inner !== "object" || inner === null)
      return Object.is(inner, -0) ? "-0" : JSON.stringify(inner);
    const items = Array.isArray(inner)
      ? inner.map((item) => `${space()}${write(item)}${space()}`)
      : Object.entries(inner)
          .filter(([key]) => key !== "__proto__")
          .map(([key, item]) => `${space()}${string(key)}${space()}:${space()}${write(item)}${space()}`);
    return Array.isArray(inner) ? `[${items.join(",")}]` : `{${items.join(",")}}`;
  };
  return write(value);
}

/** A message with many objects in it. */
const DEEP = {
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: {
    _meta: META,
    name: "echo",
    arguments: {
      a: { b: { c: { d: 1 } }, "é🎉": 2, "": 3, 'quo"te': 4, "co:lon": 5, "back\\slash": 6, "12": 7 },
      list: [{ x: 1, y: [{ z: 2 }] }, [[{ deep: { deeper: null } }]]],
      text: '{"a":1,"a":2}',
    },
  },
};

/** Every object of `DEEP` by its path. */
function objects(value: unknown = DEEP, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, item]) => objects(item, [...path, key]));
  return Array.isArray(value) ? inner : [path, ...inner];
}

/** `DEEP` as JSON, with `member` written into the object at `place`, first or last. */
function withMember(place: readonly string[], member: string, first: boolean): string {
  const write = (value: unknown, path: readonly string[]): string => {
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    const items = Object.entries(value).map(([key, item]) => {
      const text = write(item, [...path, key]);
      return Array.isArray(value) ? text : `${JSON.stringify(key)}:${text}`;
    });
    if (Array.isArray(value)) return `[${items.join(",")}]`;
    const here = path.length === place.length && path.every((key, index) => key === place[index]);
    return `{${(!here ? items : first ? [member, ...items] : [...items, member]).join(",")}}`;
  };
  return write(DEEP, []);
}

function at(path: readonly string[]): object {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], DEEP) as object;
}

describe("keys", () => {
  const spellings = [
    (key: string) => JSON.stringify(key),
    (key: string) => `"${escaped(key)}"`,
    (key: string) => `"${escaped(key).toUpperCase().replaceAll("\\U", "\\u")}"`,
  ];

  test("that stand twice are refused, wherever and however they are written", async () => {
    const cases = objects().flatMap((path) =>
      Object.keys(at(path)).flatMap((key) =>
        spellings.flatMap((spelling) =>
          [true, false].map((first) => {
            const member = `${spelling(key)}:{"evil":[1,{"x":2}]}`;
            return [`${path.join(".")} + ${member}`, withMember(path, member, first)] as const;
          }),
        ),
      ),
    );
    expect(new Set(cases.map(([, body]) => body)).size).toBeGreaterThanOrEqual(60);
    expect(cases.filter(([, body]) => !isJson(body))).toEqual([]);
    expect(await target.deviations(cases, PARSE_ERROR, post)).toEqual([]);
  });

  test("that stand twice with the same value are refused too, and so are those far apart", async () => {
    const between = Array.from({ length: 1_000 }, (_, index) => `"k${index}":${index}`).join(",");
    const cases = [
      ["same", withArgument('{"a":1,"a":1}')],
      ["far apart", withArgument(`{"a":1,${between},"a":1}`)],
      ["thrice", withArgument('{"a":1,"a":2,"a":3}')],
      ["half a pair", withArgument('{"\\ud83d":1,"\\uD83D":2}')],
      ["a digit", withArgument('{"1":1,"\\u0031":2}')],
      ["a slash", withArgument('{"/":1,"\\/":2}')],
      ["two duplicates", withArgument('{"a":{"b":1,"b":2},"c":1,"c":2}')],
      ["in a value that is dropped", withArgument('{"a":{"b":1,"b":2},"a":3}')],
    ] as const;
    expect(await target.deviations(cases, PARSE_ERROR, post)).toEqual([]);
  });

  test("that differ only in case, form or width are different keys", async () => {
    const text = '{"a":1,"A":2,"\\u00e9":3,"e\\u0301":4,"ａ":5,"a ":6,"a\\u0000":7}';
    expect(await arrived(text)).toStrictEqual(JSON.parse(text));
  });

  test("a thousand of them arrive", async () => {
    const value = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k:${index}"\\`, index]));
    expect(await arrived(JSON.stringify(value))).toStrictEqual(value);
  });

  test("named __proto__ are refused, wherever and however they are written", async () => {
    const names = ['"__proto__"', `"${escaped("__proto__")}"`, '"\\u005f_proto_\\u005F"'];
    const cases = objects().flatMap((path) =>
      names.flatMap((name) =>
        ['{"polluted":true}', "null", "1"].flatMap((value) =>
          [true, false].map((first) => {
            const member = `${name}:${value}`;
            return [`${path.join(".")} + ${member}`, withMember(path, member, first)] as const;
          }),
        ),
      ),
    );
    expect(cases.length).toBeGreaterThanOrEqual(200);
    expect(await target.deviations(cases, PARSE_ERROR, post)).toEqual([]);
    expect(Object.prototype).not.toHaveProperty("polluted");
  });

  test("named __proto__ in an object sent as a JSON string are not taken for an object", async () => {
    const server = await Target.start();
    const body = JSON.stringify(
      modern("tools/call", { name: "echo", arguments: '{"__proto__":{"polluted":true}}' }),
    );
    const { json } = await server.send({ body });
    expect(json?.error?.code).toBe(-32602);
    expect(server.handled).toEqual([]);
    await server.close();
  });

  test("that only look like special ones arrive", async () => {
    const text = '{"_proto_":1,"__PROTO__":2,"__proto__ ":3,"proto":4,"constructor":{"prototype":{"a":1}}}';
    expect(isDeepStrictEqual(await arrived(text), JSON.parse(text))).toBe(true);
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
  });
});

describe("nesting", () => {
  // The message, its params and its arguments are three levels.
  const nested = (levels: number, open: string, close: string) =>
    withArgument(`${open.repeat(levels - 3)}1${close.repeat(levels - 3)}`);

  test.each([
    ["arrays", "[", "]"],
    ["objects", '{"a":', "}"],
    ["both", '[{"a":', "}]"],
  ])("of 64 levels of %s arrives, of 65 is refused", async (_kind, open, close) => {
    const perUnit = open.length > 2 && open.startsWith("[") ? 2 : 1;
    const units = Math.floor((64 - 3) / perUnit);
    const fits = withArgument(`${open.repeat(units)}1${close.repeat(units)}`);
    expect((await post(fits)).status).toBe(200);
    const over = withArgument(`${open.repeat(units + 1)}1${close.repeat(units + 1)}`);
    expect(await target.outcome(() => post(over))).toEqual(PARSE_ERROR);
  });

  test.each([66, 100, 1_000, 10_000, 100_000, 500_000])("of %i levels is refused", async (levels) => {
    expect(await target.outcome(() => post(nested(levels, "[", "]")))).toEqual(PARSE_ERROR);
    expect(await target.outcome(() => post("[".repeat(levels) + "]".repeat(levels)))).toEqual(PARSE_ERROR);
    expect(await target.outcome(() => post("[".repeat(levels)))).toEqual(PARSE_ERROR);
    const fitting = Math.min(levels, 150_000);
    expect(await target.outcome(() => post(nested(fitting, '{"a":', "}")))).toEqual(PARSE_ERROR);
  });
});

describe("encodings", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  /** A valid call with raw bytes within a string of its arguments. */
  const withBytes = (raw: Uint8Array) => {
    const [before, after] = withArgument('"@"').split("@") as [string, string];
    return Buffer.concat([Buffer.from(before), raw, Buffer.from(after)]);
  };

  test("other than UTF-8 are refused, and so is a byte order mark", async () => {
    const text = withArgument('"é"');
    const utf16 = Buffer.from(text, "utf16le");
    const utf32 = Buffer.from(Array.from(text).flatMap((character) => [character.codePointAt(0)!, 0, 0, 0]));
    const cases = [
      ["UTF-8 with a mark", Buffer.concat([bytes(0xef, 0xbb, 0xbf), Buffer.from(text)])],
      ["a mark alone", bytes(0xef, 0xbb, 0xbf)],
      ["two marks", Buffer.concat([bytes(0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf), Buffer.from(text)])],
      ["UTF-16LE", utf16],
      ["UTF-16LE with a mark", Buffer.concat([bytes(0xff, 0xfe), utf16])],
      ["UTF-16BE", Buffer.from(utf16).swap16()],
      ["UTF-16BE with a mark", Buffer.concat([bytes(0xfe, 0xff), Buffer.from(utf16).swap16()])],
      ["UTF-32LE", utf32],
      ["UTF-32BE", Buffer.from(utf32).swap32()],
      ["UTF-32LE with a mark", Buffer.concat([bytes(0xff, 0xfe, 0, 0), utf32])],
      ["Latin-1", Buffer.from(text, "latin1")],
      ["UTF-7", Buffer.from("+AHs-")],
      ["gzip", bytes(0x1f, 0x8b, 8, 0, 0, 0, 0, 0)],
      ["CBOR", bytes(0xa1, 0x61, 0x61, 1)],
      ["nothing but NUL", new Uint8Array(64)],
    ] as const;
    expect(await target.deviations(cases, PARSE_ERROR, post)).toEqual([]);
  });

  test("that are broken UTF-8 are refused", async () => {
    const sequences: readonly (readonly number[])[] = [
      [0x80],
      [0xbf],
      [0x80, 0xbf],
      [0xc0],
      [0xc2],
      [0xe0, 0xa0],
      [0xf0, 0x90, 0x80], // alone, or cut short
      [0xc2, 0x41],
      [0xe2, 0x82, 0x41],
      [0xe2, 0x28, 0xa1],
      [0xf0, 0x28, 0x8c, 0xbc],
      [0xf0, 0x9f, 0x98, 0x41],
      [0xc0, 0x80],
      [0xc0, 0xaf],
      [0xc1, 0xbf],
      [0xc1, 0x81], // longer than needed
      [0xe0, 0x80, 0x80],
      [0xe0, 0x80, 0xaf],
      [0xe0, 0x9f, 0xbf],
      [0xf0, 0x80, 0x80, 0x80],
      [0xf0, 0x80, 0x80, 0xaf],
      [0xf0, 0x8f, 0xbf, 0xbf],
      [0xf8, 0x88, 0x80, 0x80, 0x80],
      [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
      [0xf8],
      [0xfc],
      [0xfe],
      [0xff],
      [0xed, 0xa0, 0x80],
      [0xed, 0xad, 0xbf],
      [0xed, 0xb0, 0x80],
      [0xed, 0xbf, 0xbf], // halves of pairs
      [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0xf7, 0xbf, 0xbf, 0xbf], // beyond Unicode
      [0xc0, 0xa2],
      [0xe0, 0x80, 0xa2], // an overlong quote
    ];
    const cases = sequences.map(
      (sequence) =>
        [sequence.map((byte) => byte.toString(16)).join(" "), withBytes(bytes(...sequence))] as const,
    );
    expect(cases.length).toBeGreaterThan(30);
    expect(await target.deviations(cases, PARSE_ERROR, post)).toEqual([]);
  });

  test("of every length arrive", async () => {
    const all = "\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\uffff\u{10000}\u{10ffff}";
    expect(await arrived(JSON.stringify(all))).toBe(all);
  });

  test("broken between chunks arrive whole", async () => {
    const body = Buffer.from(withArgument('"é€🎉"'));
    const pieces = [...body].map((byte) => Buffer.of(byte));
    expect((await target.send({ body: pieces })).status).toBe(200);
    expect(target.handled.at(-1)).toEqual({ value: "é€🎉" });
  });
});

describe("numbers", () => {
  test("that overflow are refused", async () => {
    const texts = [
      "1e400",
      "-1e400",
      "1e309",
      "1.8e308",
      "123456789e999999999",
      `1${"0".repeat(400)}`,
      `-${"9".repeat(310)}`,
    ];
    const contexts = texts.flatMap((text) => [
      [text, withArgument(text)] as const,
      [`[${text}]`, withArgument(`[1,${text}]`)] as const,
      [`{${text}}`, withArgument(`{"a":{"b":${text}}}`)] as const,
    ]);
    expect(await target.deviations(contexts, PARSE_ERROR, post)).toEqual([]);
  });

  test("that are whole and would arrive as others are refused", async () => {
    const texts = [
      "9007199254740993",
      "-9007199254740993",
      "18446744073709551615",
      "123456789012345678901234567890",
    ];
    const cases = texts.flatMap((text) => [
      [text, withArgument(text)] as const,
      [`[${text}]`, withArgument(`["${text}",{"a":${text}}]`)] as const,
    ]);
    expect(await target.deviations(cases, PARSE_ERROR, post)).toEqual([]);
  });

  test("that JavaScript writes with rounded digits arrive", async () => {
    for (const number of [
      -24346784964269388,
      2 ** 63,
      2 ** 64 + 2 ** 20,
      123456789012345680000,
      1e21 - 2 ** 17,
    ])
      expect(await arrived(JSON.stringify(number))).toBe(number);
  });

  test("in strings are no numbers", async () => {
    expect(await arrived('["1e400","9007199254740993","\\"9007199254740993"]')).toEqual([
      "1e400",
      "9007199254740993",
      '"9007199254740993',
    ]);
  });
});

describe("cost", () => {
  test.each([
    ["quotes that are escaped", () => `"${'\\"'.repeat(400_000)}"`],
    ["backslashes", () => `"${"\\\\".repeat(400_000)}"`],
    ["colons", () => `"${":".repeat(800_000)}"`],
    ["empty objects", () => `[${Array.from({ length: 250_000 }, () => "{}").join(",")}]`],
    [
      "keys",
      () => JSON.stringify(Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`k${i}`, i]))),
    ],
    ["digits", () => `0.${"1".repeat(800_000)}`],
    ["long integers", () => `[${Array.from({ length: 40_000 }, () => "9007199254740992").join(",")}]`],
    ["space", () => `${" ".repeat(900_000)}1`],
  ])("of a megabyte of %s is bounded", async (_what, make) => {
    const body = withArgument(make());
    const times: number[] = [];
    for (let round = 0; round < 3; round++) {
      const begun = performance.now();
      expect((await post(body)).status).toBe(200);
      times.push(performance.now() - begun);
    }
    expect(Math.min(...times)).toBeLessThan(1_000);
  });
});
