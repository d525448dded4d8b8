/** Clients that cannot be asked, that refuse, and that go away in the middle of a question. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { pause } from "../../support/talking-server.ts";
import { TALKING_WAYS, type Talker, talk } from "../../support/talkers.ts";

/** What an operation was refused with: a JSON-RPC error's code, or that of a failed tool call, and what it asks for. */
async function refusal(operation: Promise<unknown>): Promise<object> {
  try {
    const { isError, content } = (await operation) as { isError?: boolean; content: [{ text: string }] };
    if (!isError) return { answered: content };
    const { error } = JSON.parse(content[0].text) as { error: { code: string; details?: object } };
    return { tool: error.code, ...error.details };
  } catch (error) {
    const { code, data } = error as { code: unknown; data?: { code?: string; details?: object } };
    return { rpc: code, ...(data?.code === undefined ? data : { code: data.code, ...data.details }) };
  }
}

const QUESTIONS = [
  ["deploy", { elicitation: { form: {} } }],
  ["sign_in", { elicitation: { url: {} } }],
  ["compose", { sampling: {} }],
  ["list_roots", { roots: {} }],
  ["ask_all", { elicitation: { form: {} } }],
] as const;

describe.each(TALKING_WAYS)("$client, $era, over $over", (way) => {
  describe("a client that declares nothing", () => {
    let talker: Talker;

    beforeAll(async () => {
      talker = await talk(way, { capabilities: {} });
    });

    afterAll(async () => {
      await talker.close();
    });

    const refused = (requiredCapabilities: object, legacy: object) =>
      way.era === "modern" ? { rpc: -32021, requiredCapabilities } : { ...legacy, requiredCapabilities };

    test.each(QUESTIONS)("%s says what it would have to declare", async (name, required) => {
      const expected = refused(required, { tool: "CLIENT_CAPABILITY_REQUIRED" });
      expect(await refusal(talker.callTool(name, { service: "api" }))).toEqual(expected);
    });

    test("prompts and resources say it too", async () => {
      const expected = refused(
        { elicitation: { form: {} } },
        { rpc: -32603, code: "CLIENT_CAPABILITY_REQUIRED" },
      );
      expect(await refusal(talker.prompt("briefing", { topic: "x" }))).toEqual(expected);
      expect(await refusal(talker.read("report://monday"))).toEqual(expected);
    });

    test("and all else is served", async () => {
      expect(await talker.value("work")).toBe("worked");
      expect(talker.asked).toEqual([]);
    });
  });

  describe("a client that can be asked", () => {
    let talker: Talker;

    beforeAll(async () => {
      talker = await talk(way);
    });

    beforeEach(async () => {
      await talker.value("journal");
    });

    afterAll(async () => {
      await talker.close();
    });

    test("is asked nothing by what completes an argument", async () => {
      const argument = { name: "day", value: "x" };
      const ref = { type: "ref/resource", uri: "report://{day}" };
      expect(await refusal(talker.request("completion/complete", { ref, argument }))).toMatchObject({
        rpc: -32603,
        code: "INTERNAL_ERROR",
      });
      expect(talker.asked).toEqual([]);
    });

    test("may fail to answer", async () => {
      talker.onSample = () => {
        throw new Error("The model is asleep.");
      };
      // Where every request stands alone, the client ends the call by itself: the server hears no more of it.
      const expected = way.era === "modern" ? { rpc: undefined } : { tool: "INPUT_INVALID" };
      expect(await refusal(talker.callTool("compose"))).toEqual(expected);
      expect(await talker.value("work")).toBe("worked");
    });

    test("may leave while it is asked", async () => {
      const controller = new AbortController();
      talker.onElicit = async () => {
        setTimeout(() => controller.abort("Enough."), 20);
        await pause(150);
        return { action: "accept", content: { confirm: true } };
      };
      const call = talker.callTool("careful", {}, { signal: controller.signal });
      expect(await call.catch(() => "left")).toBe("left");
      await pause(200);
      const [caught, ...rest] = (await talker.value("journal")) as string[];
      expect(caught).toMatch(way.era === "modern" ? /^caught Suspension$/ : /^caught \w*Error$/);
      expect(rest).toEqual(["finally"]);
      expect(await talker.value("work")).toBe("worked");
    });
  });
});
