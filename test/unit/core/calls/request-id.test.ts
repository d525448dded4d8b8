import { expect, test } from "vitest";
import { makeRequestId, requestIdFrom } from "../../../../src/core/calls/request-id.ts";

test("ids are twelve hexadecimal digits, each other than the rest", () => {
  const ids = Array.from({ length: 20_000 }, makeRequestId);
  expect(ids.filter((id) => !/^[0-9a-f]{12}$/.test(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});

test("a client's own id is kept where it is fit for logs and headers", () => {
  for (const fit of ["a", "order-7.retry_2", "X".repeat(64)]) expect(requestIdFrom(fit)).toBe(fit);
  for (const unfit of [
    undefined,
    "",
    " ",
    "a b",
    "a\nb",
    'a"b',
    "é",
    "a/b",
    "<b>",
    "x".repeat(65),
    "a\r\nSet-Cookie: x",
  ])
    expect(requestIdFrom(unfit)).toMatch(/^[0-9a-f]{12}$/);
});
