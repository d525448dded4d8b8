import { describe, expect, test } from "vitest";
import { toJsonData, toJsonText } from "../../../../src/core/values/json.ts";

class Point {
  readonly x = 1;
  readonly #hidden = 2;
  get sum(): number {
    return this.x + this.#hidden;
  }
}

const nested = (levels: number): unknown =>
  Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 1);

describe("values as JSON text", () => {
  test.each<readonly [string, unknown, string]>([
    ["text", "é\u2028\ud800", '"é\u2028\\ud800"'],
    ["numbers", [0, -0, 1.5, 1e21], "[0,0,1.5,1e+21]"],
    ["numbers that JSON does not have", [NaN, Infinity], "[null,null]"],
    ["nothing", undefined, "null"],
    ["null", null, "null"],
    ["members that are undefined", { a: undefined, b: 1 }, '{"b":1}'],
    ["items that are undefined", [undefined, 1], "[null,1]"],
    ["a date", new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ["a date that is none", { at: new Date(NaN) }, '{"at":null}'],
    ["a bigint", [10n ** 30n, -1n], '["1000000000000000000000000000000","-1"]'],
    ["a map", new Map<unknown, unknown>([["a", new Map([[1, 2n]])]]), '{"a":{"1":"2"}}'],
    ["a set", new Set([1, new Set(["a"])]), '[1,["a"]]'],
    ["bytes", Uint8Array.of(104, 105), '"aGk="'],
    ["a buffer", { b: Buffer.from("hi") }, '{"b":"aGk="}'],
    ["an array buffer", Uint8Array.of(104, 105).buffer, '"aGk="'],
    ["a view of bytes", new DataView(Uint8Array.of(1, 104, 105, 1).buffer, 1, 2), '"aGk="'],
    ["numbers in a typed array", { n: Uint16Array.of(0x6968) }, '{"n":"aGk="}'],
    ["a URL", new URL("https://example.com/a"), '"https://example.com/a"'],
    ["an instance", new Point(), '{"x":1}'],
    ["an instance with toJSON that gives a map", { toJSON: () => new Map([["a", 1n]]) }, '{"a":"1"}'],
    ["toJSON inherited", Object.create({ toJSON: () => "own" }), '"own"'],
    ["an object without prototype", Object.assign(Object.create(null) as object, { a: 1 }), '{"a":1}'],
    ["an error", { err: new Error("secret") }, '{"err":{}}'],
    ["the same value twice", ((same) => [same, same])({ n: 1n }), '[{"n":"1"},{"n":"1"}]'],
    ["a hole", Array.from({ length: 2 }), "[null,null]"],
  ])("%s", (_what, value, text) => {
    expect(toJsonText(value)).toBe(text);
    expect(JSON.stringify(toJsonData(value)) ?? "null").toBe(text);
  });

  test.each<readonly [string, unknown, string]>([
    ["a function", { f: () => 1 }, "A function cannot be sent as JSON"],
    ["a symbol", [Symbol("s")], "A symbol cannot be sent as JSON"],
    ["a promise", [Promise.resolve(1)], "A promise cannot be sent as JSON: await it"],
    ["an iterator", { tags: new Map([["a", 1]]).keys() }, "An iterator cannot be sent as JSON"],
    ["a generator", (function* () {})(), "An iterator cannot be sent as JSON"],
    ["an asynchronous generator", (async function* () {})(), "An iterator cannot be sent as JSON"],
    ["a class", Point, "A function cannot be sent as JSON"],
    ["a cycle", ((value: { self?: unknown }) => (value.self = value))({}), "The value contains itself"],
    [
      "a cycle through a map",
      ((map: Map<string, unknown>) => map.set("self", map))(new Map()),
      "contains itself",
    ],
    [
      "a cycle through toJSON",
      ((value: object) => Object.assign(value, { toJSON: () => value }))({}),
      "contains itself",
    ],
    ["too many levels", nested(300), "nested deeper than 256 levels"],
  ])("%s is a TypeError", (_what, value, problem) => {
    expect(() => toJsonText(value)).toThrow(TypeError);
    expect(() => toJsonText(value)).toThrow(problem);
    expect(() => toJsonData(value)).toThrow(problem);
  });

  test("are the same object where they are plain already", () => {
    const plain = { a: [1, { b: "c" }], d: null };
    expect(toJsonData(plain)).toBe(plain);
    expect(toJsonText(nested(200))).toBe(JSON.stringify(nested(200)));
  });

  test("keep what an author's toJSON throws", () => {
    const value = {
      toJSON: () => {
        throw new RangeError("mine");
      },
    };
    expect(() => toJsonText(value)).toThrow(RangeError);
  });
});
