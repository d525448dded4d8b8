import { describe, expect, test } from "vitest";
import { decodeHeader } from "../../../src/protocol/headers.ts";

describe("a header's value", () => {
  test.each([
    ["plain", "plain"],
    ["", ""],
    ["=?base64?w6k=?=", "é"],
    ["=?base64?8J+OiQ==?=", "🎉"],
    ["=?base64??=", ""],
    ["=?base64?77u/YQ==?=", "\ufeffa"],
    ["=?BASE64?w6k=?=", "=?BASE64?w6k=?="],
    ["=?base64?w6k=", "=?base64?w6k="],
    ["w6k=?=", "w6k=?="],
    ["=?base64?PT9iYXNlNjQ/dzZrPT89?=", "=?base64?w6k=?="],
  ])("%s is %s", (raw, decoded) => {
    expect(decodeHeader(raw)).toBe(decoded);
  });

  test.each([
    "=?base64?w6k?=",
    "=?base64?w6k==?=",
    "=?base64?w=6k?=",
    "=?base64?====?=",
    "=?base64?w6k_?=",
    "=?base64?w6k-?=",
    "=?base64? w6k?=",
    "=?base64?w6k=\n?=",
    "=?base64?6Q==?=",
    "=?base64?wK8=?=",
    "=?base64?7aCA?=",
  ])("%s is malformed", (raw) => {
    expect(decodeHeader(raw)).toBeUndefined();
  });
});
