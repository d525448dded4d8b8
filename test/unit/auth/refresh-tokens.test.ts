import { afterEach, expect, test, vi } from "vitest";
import { RefreshTokens } from "../../../src/auth/refresh-tokens.ts";

const GRANT = { clientId: "agent", scopes: [] };

afterEach(() => vi.useRealTimers());

test("of ten thousand tokens and one the oldest is forgotten", () => {
  const tokens = new RefreshTokens(60_000);
  const [first = "", second = "", ...others] = Array.from({ length: 10_001 }, () => tokens.first(GRANT));
  expect(tokens.take(first)).toBeUndefined();
  expect(tokens.take(second)?.grant).toEqual(GRANT);
  expect(tokens.take(others.at(-1) ?? "")?.grant).toEqual(GRANT);
});

test("each is another, and says nothing", () => {
  const tokens = new RefreshTokens(60_000);
  const all = new Set(Array.from({ length: 1_000 }, () => tokens.first(GRANT)));
  expect(all.size).toBe(1_000);
  for (const token of all) expect(token).toMatch(/^rt_[\w-]{43}$/);
});

test("a family ends with the token that comes twice, whichever of its tokens that is", () => {
  const tokens = new RefreshTokens(60_000);
  const first = tokens.first(GRANT);
  const second = tokens.take(first)?.next() ?? "";
  const third = tokens.take(second)?.next() ?? "";
  expect(tokens.take(first)).toBeUndefined();
  expect(tokens.take(third)).toBeUndefined();
});

test("one that is over stands for nothing", () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const tokens = new RefreshTokens(60_000);
  const token = tokens.first(GRANT);
  vi.setSystemTime(Date.now() + 60_000);
  expect(tokens.take(token)).toBeUndefined();
});
