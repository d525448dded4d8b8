/** Asking the user, the model and the file system, by every way on which a client can be asked. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Answer, TALKING_WAYS, type Talker, talk } from "../../support/talkers.ts";

const accept = (content: object): Answer => ({ action: "accept", content });

describe.each(TALKING_WAYS)("$client, $era, over $over", (way) => {
  let talker: Talker;

  beforeAll(async () => {
    talker = await talk(way);
  });

  beforeEach(async () => {
    talker.asked.length = 0;
    talker.onElicit = () => ({ action: "cancel" });
    await talker.value("journal");
  });

  afterAll(async () => {
    await talker.close();
  });

  test("speaks the revision that both know best", () => {
    const told = way.client === "client 2.4" || way.over !== "stdio";
    const best = way.era === "modern" ? "2026-07-28" : "2025-11-25";
    expect(talker.protocolVersion).toBe(told ? best : undefined);
  });

  test("three questions in a row, each asked once, with their schemas as forms take them", async () => {
    const answers = [
      accept({ environment: "production" }),
      accept({ confirm: true }),
      accept({ note: "go", tags: ["hot"] }),
    ];
    talker.onElicit = () => answers.shift() as Answer;
    expect(await talker.value("deploy", { service: "api" })).toEqual({
      service: "api",
      environment: "production",
      replicas: 2,
      note: { note: "go", tags: ["hot"] },
    });
    expect(talker.asked.map(({ params }) => params["message"])).toEqual([
      "Where to deploy api?",
      "Deploy api to production?",
      "Anything to note?",
    ]);
    expect(talker.asked[0]?.params).toMatchObject({
      mode: "form",
      requestedSchema: {
        type: "object",
        properties: {
          environment: { type: "string", enum: ["staging", "production"] },
          replicas: { type: "integer", minimum: 1, maximum: 9, default: 2 },
        },
        required: ["environment"],
      },
    });
    // Where every request stands alone, the handler runs once more for each answer.
    const runs = (await talker.value("journal")) as string[];
    expect(runs).toEqual(Array.from({ length: way.era === "modern" ? 4 : 1 }, () => "deploy runs"));
  });

  test.each(["decline", "cancel"] as const)("%s is a value for the handler to act on", async (action) => {
    talker.onElicit = () => ({ action });
    expect(await talker.value("deploy", { service: "api" })).toBe(`Not deployed: ${action}.`);
    talker.onElicit = ({ message }) =>
      message === "Where to deploy api?" ? accept({ environment: "staging" }) : { action };
    expect(await talker.value("deploy", { service: "api" })).toBe(`Not deployed: ${action}.`);
  });

  test("questions asked at once get each its own answer", async () => {
    talker.onElicit = ({ message }) => accept(message === "Which size?" ? { size: 4 } : { colour: "green" });
    expect(await talker.value("ask_all")).toEqual({
      colour: accept({ colour: "green" }),
      size: accept({ size: 4 }),
      poem: { role: "assistant", content: { type: "text", text: "blue" }, model: "m-1" },
      roots: [{ uri: "file:///work", name: "work" }],
    });
    expect(talker.asked.map(({ method }) => method).toSorted()).toEqual([
      "elicitation/create",
      "elicitation/create",
      "roots/list",
      "sampling/createMessage",
    ]);
  });

  test.each(["accept", "decline", "cancel"] as const)("a page for the user to open: %s", async (action) => {
    talker.onElicit = () => ({ action });
    expect(await talker.value("sign_in")).toEqual({ action });
    expect(talker.asked).toHaveLength(1);
    expect(talker.asked[0]?.params).toMatchObject({
      mode: "url",
      message: "Sign in with the bank",
      url: "https://bank.example.com/connect?flow=7",
    });
  });

  test("the client's model answers", async () => {
    talker.onSample = ({ messages, maxTokens }) => {
      expect({ messages, maxTokens }).toEqual({
        messages: [{ role: "user", content: { type: "text", text: "Name a colour" } }],
        maxTokens: 10,
      });
      return {
        role: "assistant",
        content: { type: "text", text: "red" },
        model: "m-2",
        stopReason: "endTurn",
      };
    };
    expect(await talker.value("compose")).toEqual({
      role: "assistant",
      content: { type: "text", text: "red" },
      model: "m-2",
      stopReason: "endTurn",
    });
  });

  test("the client's roots", async () => {
    talker.roots = [{ uri: "file:///a" }, { uri: "file:///b", name: "b" }];
    expect(await talker.value("list_roots")).toEqual([{ uri: "file:///a" }, { uri: "file:///b", name: "b" }]);
  });

  test("an effect runs once over all rounds, and its result is there in each", async () => {
    talker.onElicit = () => accept({ confirm: true });
    expect(await talker.value("charge")).toEqual({
      receipt: { id: "r-1", amount: 12.5 },
      first: "accept",
      second: "accept",
    });
    expect(await talker.value("journal")).toEqual(["charged"]);
  });

  test("a handler that catches everything still asks, and its finally blocks run", async () => {
    talker.onElicit = () => accept({ confirm: false });
    expect(await talker.value("careful")).toEqual({ answer: "accept" });
    expect(talker.asked).toHaveLength(1);
    expect(await talker.value("journal")).toEqual(
      way.era === "modern" ? ["caught Suspension", "finally", "finally"] : ["finally"],
    );
  });

  test("the time a user takes is not the tool's", async () => {
    talker.onElicit = async () => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      return accept({ confirm: true });
    };
    expect(await talker.value("patient")).toBe("accept");
  });

  test("prompts and resources ask too", async () => {
    talker.onElicit = ({ message }) =>
      accept(message === "Who reads it?" ? { reader: "Ada" } : { unit: "km" });
    expect(await talker.prompt("briefing", { topic: "streams" })).toMatchObject({
      messages: [{ role: "user", content: { type: "text", text: "Brief Ada on streams." } }],
    });
    expect(await talker.read("report://monday")).toEqual([
      { uri: "report://monday", mimeType: "application/json", text: '{"day":"monday","unit":"km"}' },
    ]);
    expect(talker.asked).toHaveLength(2);
  });

  test("no client has found anything to complain of", () => {
    expect(talker.complaints).toEqual([]);
  });
});
