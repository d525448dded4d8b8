/** The state that travels with a call's questions: it opens for the retry it was made for, and for nothing else. */

import { describe, expect, test, vi } from "vitest";
import type { Ask } from "../../src/core/calls/call.ts";
import type { CallRecord } from "../../src/core/dialogue/inquiry.ts";
import { StateCodec } from "../../src/protocol/request-state.ts";

const KEY = "a key of at least thirty-two characters";
const OTHER = "another key of at least 32 characters!!";

const ask = (name: string, args: Record<string, unknown> = {}): Ask => ({ kind: "tool", name, args });

const record = (secret: string): CallRecord => ({
  answers: { confirm: { action: "accept", content: { note: secret } } },
  once: { charge: { id: secret } },
  asked: ["sure"],
  early: {},
});

const bytesOf = (state: string) => Buffer.from(state, "base64url");
const stateOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");

/** How many of the altered states open. */
async function opened(codec: StateCodec, states: readonly string[], about: Ask): Promise<number> {
  let count = 0;
  for (let i = 0; i < states.length; i += 500) {
    const records = await Promise.all(
      states.slice(i, i + 500).map((state) => codec.open(state, about, "tasks")),
    );
    count += records.filter((found) => found !== undefined).length;
  }
  return count;
}

describe("a sealed state", () => {
  test("opens as what was sealed, in whatever order its arguments are written", async () => {
    const codec = new StateCodec({ keys: [KEY] });
    const state = await codec.seal(record("r-1"), ask("pay", { a: 1, b: { c: [2], d: "x" } }), "tasks");
    expect(await codec.open(state, ask("pay", { b: { d: "x", c: [2] }, a: 1 }), "tasks")).toEqual(
      record("r-1"),
    );
    expect(state).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  test("opens with no bit of it flipped: 20 states, every bit", async () => {
    const codec = new StateCodec({ keys: [KEY, OTHER] });
    let mutants = 0;
    for (let i = 0; i < 20; i++) {
      const about = ask("pay", { order: i });
      const state = await codec.seal(record(`secret ${"x".repeat(i)}`), about, "tasks");
      const bytes = bytesOf(state);
      const altered = Array.from({ length: bytes.length * 8 }, (_, bit) => {
        const copy = Uint8Array.from(bytes);
        copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
        return stateOf(copy);
      });
      mutants += altered.length;
      expect(await opened(codec, altered, about)).toBe(0);
      expect(await codec.open(state, about, "tasks")).toBeDefined();
    }
    expect(mutants).toBeGreaterThanOrEqual(20_000);
  });

  test("opens neither shortened, nor longer, nor with parts of another, nor written otherwise", async () => {
    const codec = new StateCodec({ keys: [KEY] });
    const about = ask("pay");
    const [one, two] = await Promise.all([
      codec.seal(record("one"), about, "tasks"),
      codec.seal(record("two"), about, "tasks"),
    ]);
    const [a, b] = [bytesOf(one), bytesOf(two)];
    const cuts = Array.from({ length: a.length - 1 }, (_, length) => length);
    const altered = [
      ...cuts.map((length) => stateOf(a.subarray(0, length))),
      ...cuts.map((length) => stateOf(a.subarray(length + 1))),
      ...cuts.slice(1).map((length) => stateOf(Buffer.concat([a.subarray(0, length), b.subarray(length)]))),
      ...cuts.slice(1).map((length) => stateOf(Buffer.concat([a.subarray(length), a.subarray(0, length)]))),
      stateOf(Buffer.concat([a, Buffer.alloc(1)])),
      stateOf(Buffer.concat([Buffer.alloc(1), a])),
      stateOf(Buffer.concat([a, b])),
      stateOf(Buffer.alloc(a.length)),
      "",
      "x",
      `${one}=`,
      `${one} `,
      `${one}\n`,
      one.replaceAll("-", "+").replaceAll("_", "/"),
      one.toUpperCase(),
      JSON.stringify(record("one")),
      "A".repeat(300_000),
    ].filter((state) => state !== one);
    expect(await opened(codec, altered, about)).toBe(0);
  });

  test("opens in one way of writing it alone: not where its last character has other bits to spare", async () => {
    const codec = new StateCodec({ keys: [KEY] });
    const about = ask("pay");
    let others = 0;
    for (const padding of ["", "x", "xx"]) {
      const state = await codec.seal(record(padding), about, "tasks");
      const written = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        .map((last) => state.slice(0, -1) + last)
        .filter((other) => other !== state && bytesOf(other).equals(bytesOf(state)));
      others += written.length;
      expect(await opened(codec, written, about)).toBe(0);
    }
    expect(others).toBe(3 + 15);
  });

  test("is never longer than what is opened", async () => {
    const codec = new StateCodec({ keys: [KEY] });
    const long = record("x".repeat(98_000));
    expect(await codec.open(await codec.seal(long, ask("pay"), "tasks"), ask("pay"), "tasks")).toEqual(long);
    await expect(codec.seal(record("x".repeat(99_000)), ask("pay"), "tasks")).rejects.toThrow(
      /comes to 26\d{4} characters: at most 262144 can travel/,
    );
  });

  test.each([[[]], [["short"]], [[KEY, undefined]], ["k".repeat(40)]])("takes no such keys: %j", (keys) => {
    expect(() => new StateCodec({ keys: keys as string[] })).toThrow(
      "requestState.keys: write at least one secret of 32 characters or more, and no other.",
    );
  });

  test("opens for no other operation, kind, arguments or server", async () => {
    const codec = new StateCodec({ keys: [KEY] });
    const state = await codec.seal(record("r"), ask("pay", { order: 1 }), "tasks");
    const others: readonly Ask[] = [
      ask("pay"),
      ask("pay", { order: 2 }),
      ask("pay", { order: "1" }),
      ask("pay", { order: 1, more: null }),
      ask("Pay", { order: 1 }),
      { kind: "prompt", name: "pay", args: { order: 1 } },
      { kind: "resource", name: "pay" },
    ];
    for (const other of others) expect(await codec.open(state, other, "tasks")).toBeUndefined();
    expect(await codec.open(state, ask("pay", { order: 1 }), "other")).toBeUndefined();
    expect(await codec.open(state, ask("pay", { order: 1 }), "tasks")).toBeDefined();
  });

  test("opens until its time is over", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const codec = new StateCodec({ keys: [KEY], ttl: "1m" });
      const state = await codec.seal(record("r"), ask("pay"), "tasks");
      vi.setSystemTime(Date.now() + 59_999);
      expect(await codec.open(state, ask("pay"), "tasks")).toBeDefined();
      vi.setSystemTime(Date.now() + 1);
      expect(await codec.open(state, ask("pay"), "tasks")).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });

  test("keys rotate: the first seals, all open, one that is dropped no longer does", async () => {
    const before = new StateCodec({ keys: [OTHER] });
    const during = new StateCodec({ keys: [KEY, OTHER] });
    const after = new StateCodec({ keys: [KEY] });
    const old = await before.seal(record("old"), ask("pay"), "tasks");
    const fresh = await during.seal(record("new"), ask("pay"), "tasks");
    const opens = (codec: StateCodec, state: string) => codec.open(state, ask("pay"), "tasks");
    expect(await opens(during, old)).toEqual(record("old"));
    expect(await opens(during, fresh)).toEqual(record("new"));
    expect(await opens(after, fresh)).toEqual(record("new"));
    expect(await opens(after, old)).toBeUndefined();
    expect(await opens(before, fresh)).toBeUndefined();
  });

  test("without keys, each server draws its own", async () => {
    const [one, two] = [new StateCodec({}), new StateCodec({})];
    const state = await one.seal(record("r"), ask("pay"), "tasks");
    expect(await one.open(state, ask("pay"), "tasks")).toBeDefined();
    expect(await two.open(state, ask("pay"), "tasks")).toBeUndefined();
  });

  test("shows nothing of what is in it, and is never the same twice", async () => {
    const codec = new StateCodec({ keys: [KEY] });
    const secret = "the-plain-text-of-a-secret-answer";
    const states = await Promise.all(
      Array.from({ length: 50 }, () => codec.seal(record(secret), ask("pay", { secret }), "tasks")),
    );
    expect(new Set(states).size).toBe(50);
    for (const state of states) {
      const bytes = bytesOf(state);
      for (const word of [secret, "answers", "confirm", "accept", "expires", KEY]) {
        expect(bytes.includes(word)).toBe(false);
        expect(state).not.toContain(Buffer.from(word).toString("base64url").slice(0, -2));
      }
    }
  });

  test.each([[[]], [["short"]], [[KEY, "short"]]])("refuses the keys %j", (keys) => {
    expect(() => new StateCodec({ keys })).toThrow("at least one secret of 32 characters");
  });
});
