import { describe, expect, test } from "vitest";
import { traceOf } from "../../../../src/core/calls/trace.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const VALID = `00-${TRACE}-${PARENT}-01`;

const none = () => undefined;
const of = (traceparent: unknown, tracestate?: unknown) => traceOf({ traceparent, tracestate }, none);

test("a trace is read from _meta, or else from the headers", () => {
  expect(of(VALID, "congo=t61rcWkgMzE")).toEqual({
    traceparent: VALID,
    tracestate: "congo=t61rcWkgMzE",
    traceId: TRACE,
    parentId: PARENT,
    sampled: true,
  });
  const header = (name: string) => (name === "traceparent" ? `00-${TRACE}-${PARENT}-00` : undefined);
  expect(traceOf(undefined, header)).toMatchObject({ traceId: TRACE, sampled: false });
  expect(traceOf({}, header)).toMatchObject({ sampled: false });
  expect(traceOf({ traceparent: VALID }, header)).toMatchObject({ sampled: true });
  expect(traceOf({ traceparent: "mine" }, header)).toMatchObject({ sampled: false });
  expect(traceOf({}, none)).toBeUndefined();
});

test("later versions may say more (section 3.2.2)", () => {
  expect(of(`01-${TRACE}-${PARENT}-09-what-comes`)).toMatchObject({ traceId: TRACE, sampled: true });
});

describe("what has not the form it must have is passed over", () => {
  test.each([
    ["no text", 7],
    ["too short", VALID.slice(1)],
    ["capital letters", VALID.toUpperCase()],
    ["no trace", `00-${"0".repeat(32)}-${PARENT}-01`],
    ["no parent", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["a version that there is not", `ff-${TRACE}-${PARENT}-01`],
    ["more than version 00 has", `${VALID}-more`],
    ["more without a dash", `01-${TRACE}-${PARENT}-01more`],
    ["two headers", `${VALID}, ${VALID}`],
    ["spaces", ` ${VALID}`],
    ["a line end", `${VALID}\n`],
    ["endless", `01-${TRACE}-${PARENT}-01-${"x".repeat(1_000)}`],
  ])("%s", (_what, traceparent) => {
    expect(of(traceparent)).toBeUndefined();
  });

  test.each([
    ["no text", {}],
    ["line ends", "a=1\r\nx-evil: 1"],
    ["too long", `a=${"x".repeat(511)}`],
  ])("of the state: %s", (_what, tracestate) => {
    expect(of(VALID, tracestate)).not.toHaveProperty("tracestate");
  });
});
