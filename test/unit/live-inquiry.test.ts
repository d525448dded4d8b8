/** Questions on a connection that stays: what holds of them whatever carries them. */

import { describe, expect, test } from "vitest";
import { LiveInquiry, type Question, ReplayInquiry, recorded } from "../../src/core/dialogue/inquiry.ts";

const question = (key: string | undefined): Question<string> => ({
  key,
  request: { method: "elicitation/create" },
  accept: (response) => (response === "fits" ? "accepted" : undefined),
});

describe("on a connection that stays", () => {
  test("an answer that fits is the question's, another ends the call", async () => {
    expect(await new LiveInquiry(async () => "fits").ask(question(undefined))).toBe("accepted");
    await expect(new LiveInquiry(async () => "other").ask(question(undefined))).rejects.toMatchObject({
      code: "INPUT_INVALID",
    });
  });

  test("one key is one question's", async () => {
    const inquiry = new LiveInquiry(async () => "fits");
    await inquiry.ask(question("sure"));
    await expect(inquiry.ask(question("sure"))).rejects.toThrow(
      'Two questions of one call have the key "sure".',
    );
    expect(await inquiry.ask(question("other"))).toBe("accepted");
  });

  test("an effect happens once, and again where it failed", async () => {
    const inquiry = new LiveInquiry(async () => "fits");
    let tries = 0;
    const charge = () => {
      if (++tries === 1) throw new Error("declined");
      return tries;
    };
    await expect(inquiry.once("charge", charge)).rejects.toThrow("declined");
    expect(await Promise.all([inquiry.once("charge", charge), inquiry.once("charge", charge)])).toEqual([
      2, 2,
    ]);
  });

  test("an effect gives what JSON leaves of it, also where nothing records it", async () => {
    const at = new Date(0);
    for (const inquiry of [new LiveInquiry(async () => "fits"), new ReplayInquiry(), undefined]) {
      expect(await recorded(inquiry, "at", () => ({ at, id: 7n, none: undefined }))).toEqual({
        at: "1970-01-01T00:00:00.000Z",
        id: "7",
      });
      expect(await recorded(inquiry, "sent", () => {})).toBeNull();
    }
  });
});
