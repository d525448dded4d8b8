/** References within a schema lead where RFC 6901 says. */

import { expect, test } from "vitest";
import { fragmentOf, pointedAt } from "../../../../src/core/schemas/pointer.ts";

// The examples of RFC 6901, section 5, and their form in references, section 6.
const document = {
  foo: ["bar", "baz"],
  "": 0,
  "a/b": 1,
  "c%d": 2,
  "e^f": 3,
  "g|h": 4,
  "i\\j": 5,
  'k"l': 6,
  " ": 7,
  "m~n": 8,
};

test.each<[string, unknown]>([
  ["#", document],
  ["#/foo", ["bar", "baz"]],
  ["#/foo/0", "bar"],
  ["#/", 0],
  ["#/a~1b", 1],
  ["#/c%25d", 2],
  ["#/e%5Ef", 3],
  ["#/g%7Ch", 4],
  ["#/i%5Cj", 5],
  ["#/k%22l", 6],
  ["#/%20", 7],
  ["#/m~0n", 8],
  ["#/nowhere", undefined],
  ["#/foo/0/deeper", undefined],
  ["#/toString", undefined],
  ["#anchor", undefined],
  // What is encoded is decoded before the pointer is read.
  ["#%2Ffoo%2F1", "baz"],
])("%s", (reference, expected) => {
  expect(pointedAt(document, fragmentOf(reference) as string)).toEqual(expected);
});

test("a reference without a fragment has none, and one that is encoded wrongly stays as it is", () => {
  expect(fragmentOf("pin.json")).toBeUndefined();
  expect(fragmentOf("pin.json#/a%")).toBe("/a%");
});
