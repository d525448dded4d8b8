import { ConfigurationError, type Duration } from "gantry-mcp";
import { describe, expect, test } from "vitest";
import { milliseconds } from "../../../../src/core/options/duration.ts";

describe("durations", () => {
  test.each<readonly [Duration, number]>([
    [0, 0],
    [250, 250],
    [1.5, 1.5],
    ["0ms", 0],
    ["250ms", 250],
    ["30s", 30_000],
    ["1.5s", 1_500],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["24h", 86_400_000],
    [2_147_483_647, 2_147_483_647],
  ])("%s is %i ms", (duration, expected) => {
    expect(milliseconds(duration, "timeout")).toBe(expected);
  });

  test.each<unknown>([
    -1,
    NaN,
    Infinity,
    2_147_483_648,
    "",
    "30",
    "30 s",
    " 30s",
    "-30s",
    "+30s",
    "1e3s",
    ".5s",
    "5.s",
    "30S",
    "1d",
    "1h30m",
    "600h",
    "30s\n",
    null,
    undefined,
    {},
    true,
    10n,
  ])("%s is refused, with what to write", (duration) => {
    const parse = () => milliseconds(duration as Duration, 'Tool "x": timeout');
    expect(parse).toThrow(ConfigurationError);
    expect(parse).toThrow(/^Tool "x": timeout is .*: write milliseconds or a string such as "250ms", "30s"/);
  });
});
