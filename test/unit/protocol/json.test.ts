import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson } from "../../../src/protocol/json.ts";
import { inspectJson } from "../../../src/core/schemas/strict-json.ts";
import { INVALID, VALID, escaped } from "../../support/json-texts.ts";

const parse = (text: string) => parseJson(new TextEncoder().encode(text));

describe("strict JSON", () => {
  test("means what JSON means", () => {
    const changed = VALID.filter(([text, value]) => !isDeepStrictEqual(parse(text), { value }));
    expect(changed).toEqual([]);
  });

  test("is nothing else", () => {
    for (const text of INVALID)
      expect(parse(text)).toEqual({
        problem: expect.stringMatching(/^The body is (?:empty|not valid JSON)\.$/),
      });
  });

  test("agrees with JSON.parse on what it takes, and never throws", () => {
    const text = fc.oneof(
      fc.json({ maxDepth: 6, stringUnit: "binary" }),
      fc.string({ unit: fc.constantFrom(...'{}[]:,"\\u0061b1e+-. \n\u0000é'.split("")), maxLength: 60 }),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(text, (source) => {
        // Halves of surrogate pairs have no UTF-8: they are replaced on the way.
        const sent = new TextDecoder().decode(new TextEncoder().encode(source));
        const { value, problem } = { value: undefined, ...parse(source) };
        expect(problem !== undefined || isDeepStrictEqual(value, JSON.parse(sent))).toBe(true);
      }),
      { numRuns: 20_000, seed: 20_260_728 },
    );
  });

  test("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => parseJson(bytes)).not.toThrow();
      }),
      { numRuns: 20_000, seed: 20_260_728 },
    );
  });

  test("says what is wrong in words fit for the sender", () => {
    const problem = (text: string) => parse(text).problem;
    expect(problem("")).toBe("The body is empty.");
    expect(problem("{")).toBe("The body is not valid JSON.");
    expect(parseJson(Uint8Array.of(0xff)).problem).toBe("The body is not valid UTF-8.");
    expect(problem('{"a":1,"a":1}')).toBe("An object has the same key twice.");
    expect(problem('{"__proto__":1}')).toBe('The key "__proto__" is not allowed.');
    expect(problem("[1e999]")).toBe("A number is too large.");
    expect(problem("9007199254740993")).toMatch(/^A whole number is too large to arrive exactly/);
    expect(problem("[".repeat(65) + "]".repeat(65))).toBe("The body is nested deeper than 64 levels.");
  });

  test("finds a key that stands twice, wherever it is hidden", () => {
    const key = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.constantFrom("", ":", '"', "\\", '\\"', "a:b", "\\\\", '":"'),
    );
    const objects = fc.dictionary(key, fc.jsonValue({ maxDepth: 2 }), { minKeys: 1, noNullPrototype: true });
    fc.assert(
      fc.property(
        objects,
        fc.nat(),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (object, pick, escape, first, deep) => {
          fc.pre(!JSON.stringify(object).includes("__proto__"));
          const members = Object.entries(object).map(
            ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
          );
          const names = Object.keys(object);
          const name = names[pick % names.length] ?? "";
          const copy = `${escape ? `"${escaped(name)}"` : JSON.stringify(name)}:0`;
          const text = `{${(first ? [copy, ...members] : [...members, copy]).join(",")}}`;
          expect(parse(deep ? `[{"x":${text}}]` : text)).toEqual({
            problem: "An object has the same key twice.",
          });
          expect(parse(`{${members.join(",")}}`).problem).toBeUndefined();
        },
      ),
      { numRuns: 5_000, seed: 20_260_728 },
    );
  });

  test("takes whole numbers that arrive as they are, and only those", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (number) => {
        const { value, problem } = { value: undefined, ...parse(`[${number}]`) };
        const exact = BigInt(Number(number)) === number || String(Number(number)) === String(number);
        expect({ value, refused: problem !== undefined }).toEqual(
          exact ? { value: [Number(number)], refused: false } : { value: undefined, refused: true },
        );
      }),
      { numRuns: 5_000, seed: 20_260_728 },
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(parse(JSON.stringify([number]))).toEqual({ value: [JSON.parse(JSON.stringify(number))] });
      }),
      { numRuns: 5_000, seed: 20_260_728 },
    );
  });

  test("takes time linear in the length of the body", () => {
    const shapes: readonly ((length: number) => string)[] = [
      (length) => `"${'\\"'.repeat(length / 2)}"`,
      (length) => `"${"\\\\".repeat(length / 2)}"`,
      (length) => `["${"\\".repeat(2 * Math.floor(length / 4))}","${"a".repeat(length / 2)}"]`,
      (length) => `[${'"\\"",'.repeat(length / 5)}""]`,
      (length) => `[${"1e300,".repeat(length / 6)}1]`,
      (length) => `[${"9007199254740992,".repeat(length / 17)}1]`,
      (length) => `{${Array.from({ length: length / 10 }, (_, i) => `"${i}":${i}`).join(",")}}`,
    ];
    const cost = (length: number) =>
      shapes.map((shape) => {
        const bytes = new TextEncoder().encode(shape(length));
        let best = Infinity;
        for (let round = 0; round < 5; round++) {
          const begun = process.cpuUsage();
          expect(parseJson(bytes).problem).toBeUndefined();
          const { user, system } = process.cpuUsage(begun);
          best = Math.min(best, (user + system) / 1_000);
        }
        return best;
      });
    cost(50_000);
    const [short, long] = [cost(50_000), cost(400_000)];
    // Eight times the length: linear time takes 8 times as long, quadratic 64 times.
    long.forEach((time, index) => expect(time).toBeLessThan((short[index] ?? 0) * 32 + 5));
  });
});

describe("data that another has parsed", () => {
  test("is held to what can still be seen", () => {
    expect(inspectJson({ a: [1, "b", null, true, { c: {} }] })).toBeUndefined();
    expect(inspectJson(JSON.parse('{"__proto__":1}'))).toBe('The key "__proto__" is not allowed.');
    expect(inspectJson([Infinity])).toBe("A number is too large.");
    expect(inspectJson(JSON.parse("[".repeat(65) + "]".repeat(65)))).toBe(
      "The body is nested deeper than 64 levels.",
    );
    expect(inspectJson(JSON.parse("[".repeat(64) + "]".repeat(64)))).toBeUndefined();
  });
});
