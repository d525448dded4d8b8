/** What authors can test with the test client: questions, reports, cancellation and changes. */

import { MCPServer, text } from "gantry-mcp";
import {
  RequestError,
  TestClient,
  type TestElicitation,
  type TestLogMessage,
  type TestProgress,
  ToolCallError,
} from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { capturedLog } from "../../support/captured-log.ts";
import { pause, talkingServer } from "../../support/talking-server.ts";

const SAMPLED = { role: "assistant", content: text("blue"), model: "m-1" } as const;
const LEGACY = ["2025-11-25", "2025-06-18", "2025-03-26"] as const;

describe("questions", () => {
  test("are answered, round after round, by whom the test names", async () => {
    const asked: TestElicitation[] = [];
    const client = await TestClient.connect(talkingServer(), {
      onElicit: async (question) => {
        asked.push(question);
        if (question.mode === "url") return { action: "accept" };
        const { properties } = question.requestedSchema as { properties: object };
        const content = "environment" in properties ? { environment: "staging" } : { confirm: true };
        return { action: "accept", content };
      },
      onSample: ({ systemPrompt = "none" }) => ({ ...SAMPLED, model: systemPrompt }),
      roots: [{ uri: "file:///work" }],
    });
    expect(await client.call("deploy", { service: "api" })).toMatchObject({
      environment: "staging",
      replicas: 2,
      note: {},
    });
    expect(asked.map(({ message }) => message)).toEqual([
      "Where to deploy api?",
      "Deploy api to staging?",
      "Anything to note?",
    ]);
    expect(await client.call("sign_in")).toEqual({ action: "accept" });
    expect(asked.at(-1)).toMatchObject({ mode: "url", url: "https://bank.example.com/connect?flow=7" });
    expect(await client.call("compose")).toMatchObject({ model: "none", content: { text: "blue" } });
    expect(await client.call("list_roots")).toEqual([{ uri: "file:///work" }]);
    await client.close();
  });

  test("of prompts and resources are answered too", async () => {
    const client = await TestClient.connect(talkingServer(), {
      onElicit: ({ message }) => ({
        action: "accept",
        content: message === "Who reads it?" ? { reader: "Ada" } : { unit: "km" },
      }),
    });
    const { messages } = await client.getPrompt("briefing", { topic: "tests" });
    expect(messages).toEqual([{ role: "user", content: { type: "text", text: "Brief Ada on tests." } }]);
    const { contents } = await client.readResource("report://monday");
    expect(contents).toEqual([expect.objectContaining({ text: '{"day":"monday","unit":"km"}' })]);
  });

  test("declare what there is an answer for, and no more", async () => {
    const server = new MCPServer({ name: "declares", version: "1.0.0" }).tool(
      "capabilities",
      { description: "Tells." },
      (_args, ctx) => ctx.clientCapabilities,
    );
    const declared = async (options: Parameters<typeof TestClient.connect>[1]) =>
      (await TestClient.connect(server, options)).call("capabilities");
    expect(await declared({})).toEqual({});
    expect(await declared({ onElicit: () => ({ action: "cancel" }) })).toEqual({
      elicitation: { form: {}, url: {} },
    });
    expect(await declared({ onSample: () => SAMPLED, roots: [] })).toEqual({ sampling: {}, roots: {} });
    expect(await declared({ roots: [], clientCapabilities: { elicitation: {} } })).toEqual({
      roots: {},
      elicitation: {},
    });
  });

  test("without an answer are an error of the client's, or the result where they were declared by hand", async () => {
    const without = await TestClient.connect(talkingServer());
    await expect(without.call("compose")).rejects.toMatchObject({
      name: "RequestError",
      status: 400,
      code: -32021,
      data: { requiredCapabilities: { sampling: {} } },
    });
    const byHand = await TestClient.connect(talkingServer(), { clientCapabilities: { sampling: {} } });
    expect(await byHand.request("tools/call", { name: "compose", arguments: {} })).toMatchObject({
      resultType: "input_required",
      inputRequests: { sampling: { method: "sampling/createMessage" } },
    });
  });

  test("that never end are ended", async () => {
    const server = new MCPServer({ name: "endless", version: "1.0.0" }).tool(
      "ask",
      { description: "Asks." },
      async (_args, ctx) => ctx.elicit("Again?", z.object({ yes: z.boolean() })),
    );
    const client = await TestClient.connect(server, { onElicit: () => ({ action: "accept", content: {} }) });
    await expect(client.call("ask")).rejects.toThrow("tools/call still asks after 32 rounds.");
  });

  test.each(LEGACY)("of %s are answered by an error, without a session", async (era) => {
    const client = await TestClient.connect(talkingServer(), { era, onElicit: () => ({ action: "accept" }) });
    await expect(client.call("sign_in")).rejects.toThrow(ToolCallError);
    await expect(client.call("sign_in")).rejects.toMatchObject({ code: "CLIENT_CAPABILITY_REQUIRED" });
  });
});

describe.each(["2026-07-28", ...LEGACY] as const)("on %s", (era) => {
  test("a call tells how far it is", async () => {
    const client = await TestClient.connect(talkingServer(), { era });
    const reports: TestProgress[] = [];
    expect(await client.call("work", { steps: 2 }, { onProgress: (report) => reports.push(report) })).toBe(
      "worked",
    );
    expect(reports).toEqual([
      { progress: 1, total: 2, message: "Step 1" },
      { progress: 2, total: 2, message: "Step 2" },
    ]);
    // Nobody asked this time.
    expect(await client.call("work", { steps: 2 })).toBe("worked");
    expect(reports).toHaveLength(2);
  });

  test("a call's log messages", async () => {
    const client = await TestClient.connect(talkingServer(), { era });
    const messages: TestLogMessage[] = [];
    const result = await client.callTool("chat", {}, { onLog: (message) => messages.push(message) });
    expect(result.content).toEqual([{ type: "text", text: "logged" }]);
    const details = era === "2026-07-28" ? [{ level: "debug", data: "details" }] : [];
    expect(messages).toEqual([
      ...details,
      { level: "info", logger: "chat", data: { event: "started" } },
      { level: "warning", data: ["low", "disk"] },
      { level: "emergency", data: "the end" },
    ]);
  });

  test("a call is cancelled", async () => {
    const journal: string[] = [];
    const log = capturedLog();
    const client = await TestClient.connect(talkingServer({ logger: log.logger }, journal), { era });
    const controller = new AbortController();
    const call = client.call("wait", {}, { signal: controller.signal });
    await expect.poll(() => journal).toEqual(["waiting"]);
    controller.abort(new Error("Enough."));
    await expect(call).rejects.toThrow("Enough.");
    await expect.poll(() => journal).toEqual(["waiting", "aborted: The client disconnected."]);
    await expect(client.call("work", {}, { signal: controller.signal })).rejects.toThrow("Enough.");
    expect(await client.call("quick")).toBe("done");
    // A handler that heeds its signal is no fault for operators to look into.
    expect(log.entries()).toMatchObject([{ level: "debug", operation: "tool", name: "wait" }]);
  });
});

test("log messages from a level on", async () => {
  const client = await TestClient.connect(talkingServer());
  const levels: string[] = [];
  await client.call("chat", {}, { logLevel: "warning", onLog: ({ level }) => levels.push(level) });
  expect(levels).toEqual(["warning", "emergency"]);
});

describe("changes", () => {
  test("are heard one after the other, until the test has heard enough", async () => {
    const server = talkingServer();
    const client = await TestClient.connect(server);
    const changes = await client.listen({
      toolsListChanged: true,
      resourceSubscriptions: ["board://status", "no://where"],
    });
    expect(changes.acknowledged).toEqual({
      toolsListChanged: true,
      resourceSubscriptions: ["board://status"],
    });
    await client.call("touch");
    expect(await changes.next()).toEqual({
      method: "notifications/resources/updated",
      params: { uri: "board://status" },
    });
    server.disable({ tool: "extra" });
    for await (const change of changes) {
      expect(change).toEqual({ method: "notifications/tools/list_changed", params: {} });
      break;
    }
    await changes.close();
    expect(changes.endedGracefully).toBe(false);
    await client.close();
  });

  test("end with the server", async () => {
    const client = await TestClient.connect(talkingServer());
    const changes = await client.listen({ promptsListChanged: true });
    await client.close();
    expect(await changes.next()).toBeUndefined();
    expect(changes.endedGracefully).toBe(true);
  });

  test("cannot be heard before 2026-07-28, or with a filter of no form", async () => {
    const old = await TestClient.connect(talkingServer(), { era: "2025-11-25" });
    await expect(old.listen({ toolsListChanged: true })).rejects.toThrow(
      "listen() needs revision 2026-07-28",
    );
    const client = await TestClient.connect(talkingServer());
    const wrong = { toolsListChanged: "yes" } as unknown as { toolsListChanged: boolean };
    await expect(client.listen(wrong)).rejects.toThrow(RequestError);
  });
});

describe("parameters that headers mirror", () => {
  test("are mirrored without the test's doing, in whatever they must be written", async () => {
    const input = z.object({
      region: z.string().meta({ "x-mcp-header": "Region" }),
      retries: z.int().optional().meta({ "x-mcp-header": "Retries" }),
      deep: z.object({ dry: z.boolean().meta({ "x-mcp-header": "Dry" }) }).optional(),
    });
    const lists: string[] = [];
    const server = new MCPServer({ name: "mirrors", version: "1.0.0", pageSize: 1 })
      .use(async (ctx, next) => {
        if (ctx.operation.kind === "list") lists.push(ctx.operation.name);
        return next();
      })
      .tool("other", { description: "Before it in the list." }, () => "x")
      .tool("run", { description: "Runs.", input }, (args) => args)
      .tool("last", { description: "After it in the list." }, () => "x");
    const client = await TestClient.connect(server);
    const calls = [
      { region: "eu-west" },
      { region: "Zürich 世界", retries: -3, deep: { dry: true } },
      { region: " padded ", deep: { dry: false } },
      { region: "=?base64?eA==?=" },
      { region: "" },
    ];
    for (const args of calls) expect(await client.call("run", args)).toEqual(args);
    expect(lists).toEqual(["tools", "tools"]);
  });

  test("that are missing for good stay an error", async () => {
    const client = await TestClient.connect(talkingServer());
    await expect(client.request("tools/call", { name: 5 })).rejects.toBeInstanceOf(RequestError);
    await pause(0);
  });
});
