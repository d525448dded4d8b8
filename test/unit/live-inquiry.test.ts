/** Questions on a connection that stays: what holds of them whatever carries them. */

import { describe, expect, test } from "vitest";
import { LiveInquiry, type Question } from "../../src/inquiry.ts";

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
});
