/** The rounds of a call that asks (2026-07-28, "Multi Round-Trip Requests"), as they are on the wire. */

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  ClientCapabilityError,
  MCPServer,
  type MCPServerOptions,
  type RequestContext,
  ToolError,
  text,
} from "gantry-mcp";
import { RequestError, TestClient } from "gantry-mcp/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { capturedLog } from "../../support/captured-log.ts";
import { META, modern } from "../../support/wire.ts";

const FIXTURE = fileURLToPath(new URL("../../fixtures/talking-server.ts", import.meta.url));

const EVERYTHING = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const KEYS = ["a key of at least thirty-two characters"];

interface Round {
  readonly resultType: string;
  readonly inputRequests: Record<string, { method: string; params: Record<string, unknown> }>;
  readonly requestState: string;
  readonly content: readonly { text: string }[];
  readonly isError?: boolean;
}

type Responses = Record<string, unknown>;
type Handler = (args: { n: number }, ctx: RequestContext) => unknown;

const accept = (content: object) => ({ action: "accept", content });

/** A server with one tool, and a client that takes its rounds by hand. */
async function asking(
  handler: Handler,
  options: Partial<MCPServerOptions> = {},
  capabilities: object = EVERYTHING,
) {
  const log = capturedLog();
  const spy = vi.fn<Handler>(handler);
  const server = new MCPServer({ name: "rounds", version: "1.0.0", logger: log.logger, ...options }).tool(
    "ask",
    { description: "Asks.", input: z.object({ n: z.number().default(0) }), timeout: "2s" },
    spy,
  );
  const client = await TestClient.connect(server, {
    clientCapabilities: capabilities as Record<string, unknown>,
  });
  const round = async (inputResponses?: Responses, requestState?: unknown, args: object = {}) =>
    (await client.request("tools/call", {
      name: "ask",
      arguments: args,
      ...(inputResponses && { inputResponses }),
      ...(requestState !== undefined && { requestState }),
    })) as unknown as Round;
  return { server, client, round, spy, log };
}

const keysOf = ({ inputRequests }: Round) => Object.keys(inputRequests);
const messagesOf = ({ inputRequests }: Round) =>
  Object.values(inputRequests).map(({ params }) => params["message"]);

/** Answers each question of a round by its message. */
const answering = ({ inputRequests }: Round, answers: Record<string, unknown>): Responses =>
  Object.fromEntries(
    Object.entries(inputRequests).flatMap(([key, { params }]) => {
      const answer = answers[params["message"] as string];
      return answer === undefined ? [] : [[key, answer]];
    }),
  );

const valueOf = ({ content }: Round): unknown => JSON.parse(content[0]?.text ?? "");

const YesNo = z.object({ yes: z.boolean() });
const yes = accept({ yes: true });

describe("a round", () => {
  test("ends with the question and a sealed state, and with nothing that says to keep it", async () => {
    const { round, client } = await asking(async (_args, ctx) => ctx.elicit("Go on?", YesNo, { key: "go" }));
    expect(await round()).toEqual({
      resultType: "input_required",
      inputRequests: {
        go: {
          method: "elicitation/create",
          params: {
            mode: "form",
            message: "Go on?",
            requestedSchema: { type: "object", properties: { yes: { type: "boolean" } }, required: ["yes"] },
          },
        },
      },
      requestState: expect.stringMatching(/^[\w-]{40,}$/),
      _meta: { "io.modelcontextprotocol/serverInfo": { name: "rounds", version: "1.0.0" } },
    });
    await client.close();
  });

  test("names a question by the author's key, else by its words", async () => {
    const { round } = await asking(async (_args, ctx) => {
      await Promise.all([
        ctx.elicit("One?", YesNo),
        ctx.elicit("Two?", YesNo),
        ctx.elicit("Two?", YesNo),
        ctx.elicitUrl("Three?", `https://example.com/${Math.random()}`),
        ctx.sample({ messages: [{ role: "user", content: text(String(Math.random())) }], maxTokens: 1 }),
        ctx.sample({ messages: [], maxTokens: 1 }),
        ctx.roots(),
        ctx.roots({ key: "mine" }),
      ]);
    });
    const [first, second] = [await round(), await round()];
    expect(keysOf(first)).toEqual(keysOf(second));
    expect(keysOf(first)).toEqual([
      expect.stringMatching(/^form_\w+$/),
      expect.stringMatching(/^form_\w+$/),
      expect.stringMatching(/^form_\w+_2$/),
      expect.stringMatching(/^form_\w+$/),
      "sampling",
      "sampling_2",
      "roots",
      "mine",
    ]);
    expect(new Set(keysOf(first)).size).toBe(8);
  });

  test("asks again for what is missing, and keeps what came", async () => {
    const { round } = await asking(async (_args, ctx) => {
      const [one, two] = await Promise.all([ctx.elicit("One?", YesNo), ctx.elicit("Two?", YesNo)]);
      return [one.action, two.action];
    });
    const first = await round();
    expect(messagesOf(first)).toEqual(["One?", "Two?"]);
    const second = await round(answering(first, { "One?": yes }), first.requestState);
    expect(messagesOf(second)).toEqual(["Two?"]);
    const third = await round(answering(second, { "Two?": { action: "decline" } }), second.requestState);
    expect(valueOf(third)).toEqual(["accept", "decline"]);
  });

  test("holds what the handler has begun to ask, though it waits for one after the other", async () => {
    const { round } = await asking(async (_args, ctx) => {
      const one = ctx.elicit("One?", YesNo);
      const two = ctx.elicit("Two?", YesNo);
      const effect = ctx.once("failing", async () => Promise.reject(new Error("broken")));
      const actions = [(await one).action, (await two).action];
      return [...actions, await effect.catch(() => "caught")];
    });
    const first = await round();
    expect(messagesOf(first)).toEqual(["One?", "Two?"]);
    const done = await round(answering(first, { "One?": yes, "Two?": yes }), first.requestState);
    expect(valueOf(done)).toEqual(["accept", "accept", "caught"]);
  });

  test("ignores answers to what was not asked", async () => {
    const { round } = await asking(
      async (_args, ctx) => (await ctx.elicit("Go on?", YesNo, { key: "go" })).action,
    );
    const { requestState } = await round();
    const done = await round(
      { other: yes, constructor: yes, toString: { action: "decline" }, go: yes },
      requestState,
    );
    expect(done.content).toEqual([{ type: "text", text: "accept" }]);
    const again = await round({ constructor: yes }, requestState);
    expect(keysOf(again)).toEqual(["go"]);
  });

  test("keeps no answer to what was not asked: it is asked when its turn comes", async () => {
    const { round } = await asking(async (_args, ctx) => {
      await ctx.elicit("One?", YesNo, { key: "one" });
      await ctx.elicit("Two?", YesNo, { key: "two" });
      return (await ctx.elicit("Three?", YesNo, { key: "three" })).action;
    });
    const first = await round();
    const second = await round({ one: yes, three: yes }, first.requestState);
    expect(keysOf(second)).toEqual(["two"]);
    expect(keysOf(await round({ two: yes }, second.requestState))).toEqual(["three"]);
  });

  const UNFIT = [
    null,
    7,
    "yes",
    [],
    {},
    { action: "maybe" },
    { action: "accept" },
    { action: "accept", content: null },
    { action: "accept", content: "yes" },
    { action: "accept", content: [] },
    { action: "accept", content: { yes: "true" } },
    { action: "accept", content: { no: true } },
    { method: "elicitation/create", result: yes },
    { result: yes },
  ];
  test.each(UNFIT)("asks again where the answer does not fit: %j", async (answer) => {
    const { round } = await asking(
      async (_args, ctx) => (await ctx.elicit("Go on?", YesNo, { key: "go" })).action,
    );
    const first = await round();
    const second = await round({ go: answer }, first.requestState);
    expect(second.resultType).toBe("input_required");
    expect(keysOf(second)).toEqual(["go"]);
    const done = await round({ go: yes }, second.requestState);
    expect(done.content).toEqual([{ type: "text", text: "accept" }]);
  });

  test.each([
    [{ model: "m", role: "assistant", content: { type: "text", text: "x" } }, true],
    [{ model: "m", role: "assistant", content: [{ type: "text", text: "x" }] }, true],
    [{ model: "m", role: "assistant", content: "x" }, false],
    [{ model: "m", role: "nobody", content: { type: "text", text: "x" } }, false],
    [{ role: "assistant", content: { type: "text", text: "x" } }, false],
    [{ model: "m", role: "assistant" }, false],
    [{}, false],
  ])("takes what a model wrote only in its form: %j", async (answer, fits) => {
    const { round } = await asking(async (_args, ctx) => ctx.sample({ messages: [], maxTokens: 5 }));
    const first = await round();
    const second = await round({ sampling: answer }, first.requestState);
    expect(second.resultType).toBe(fits ? "complete" : "input_required");
  });

  test.each([
    [{ roots: [] }, true],
    [{ roots: [{ uri: "file:///a" }] }, true],
    [{ roots: [{ uri: 5 }] }, false],
    [{ roots: ["file:///a"] }, false],
    [{ roots: {} }, false],
    [{}, false],
  ])("takes roots only in their form: %j", async (answer, fits) => {
    const { round } = await asking(async (_args, ctx) => ctx.roots());
    const first = await round();
    expect((await round({ roots: answer }, first.requestState)).resultType).toBe(
      fits ? "complete" : "input_required",
    );
  });

  test("an answer counts for the question as it was asked, in whatever order the handler comes to it", async () => {
    let swap = false;
    const { round } = await asking(async (_args, ctx) => {
      const [slow, quick] = swap ? [20, 0] : [0, 20];
      const [keep, erase] = await Promise.all([
        pause(slow).then(() => ctx.elicit("Keep?", YesNo)),
        pause(quick).then(() => ctx.elicit("Erase?", YesNo)),
      ]);
      return { keep: keep.action, erase: erase.action };
    });
    let answered = await round();
    const answers = { "Keep?": yes, "Erase?": { action: "decline" } };
    for (let i = 0; i < 4 && answered.resultType === "input_required"; i++) {
      swap = !swap;
      answered = await round(answering(answered, answers), answered.requestState);
    }
    expect(valueOf(answered)).toEqual({ keep: "accept", erase: "decline" });
  });

  test("a question whose words have changed is asked anew", async () => {
    let count = 3;
    const { round } = await asking(async (_args, ctx) => {
      const sure = await ctx.elicit(`Delete ${count} files?`, YesNo);
      return `${sure.action} ${count}`;
    });
    const first = await round();
    count = 500;
    const second = await round(answering(first, { "Delete 3 files?": yes }), first.requestState);
    expect(messagesOf(second)).toEqual(["Delete 500 files?"]);
    const third = await round(answering(second, { "Delete 500 files?": yes }), second.requestState);
    expect(third.content[0]?.text).toBe("accept 500");
  });
});

describe("effects", () => {
  test("run once over all rounds, also those that were under way when the call ended", async () => {
    const charge = vi.fn<() => Promise<object>>(async () => {
      await pause(30);
      return { id: 7, at: new Date(0), nothing: undefined };
    });
    const seen: unknown[] = [];
    const { round } = await asking(async (_args, ctx) => {
      const [answer, receipt] = await Promise.all([ctx.elicit("Go on?", YesNo), ctx.once("charge", charge)]);
      seen.push(await ctx.once("charge", charge), receipt);
      return answer.action;
    });
    const first = await round();
    expect(charge).toHaveBeenCalledTimes(1);
    await round(answering(first, { "Go on?": yes }), first.requestState);
    expect(charge).toHaveBeenCalledTimes(1);
    expect(seen).toEqual([
      { id: 7, at: "1970-01-01T00:00:00.000Z" },
      { id: 7, at: "1970-01-01T00:00:00.000Z" },
    ]);
  });

  test("give in the first round what they give in later ones: plain JSON", async () => {
    const seen: unknown[] = [];
    const { round } = await asking(async (_args, ctx) => {
      seen.push(await ctx.once("when", () => new Date(0)), await ctx.once("nothing", () => undefined));
      return (await ctx.elicit("Go on?", YesNo)).action;
    });
    const first = await round();
    await round(answering(first, { "Go on?": yes }), first.requestState);
    expect(seen).toEqual(["1970-01-01T00:00:00.000Z", null, "1970-01-01T00:00:00.000Z", null]);
  });

  test("run once where several ask for the same one at once, and again where they failed", async () => {
    const effect = vi.fn<() => Promise<void>>(async () => pause(5));
    const failing = vi.fn<() => Promise<string>>(async () => {
      if (failing.mock.calls.length < 2) throw new Error("not yet");
      return "now";
    });
    const { round } = await asking(async (_args, ctx) => {
      await Promise.all([ctx.once("same", effect), ctx.once("same", effect)]);
      const first = await ctx.once("failing", failing).catch(() => "failed");
      return [first, await ctx.once("failing", failing)];
    });
    expect(valueOf(await round())).toEqual(["failed", "now"]);
    expect(effect).toHaveBeenCalledTimes(1);
    expect(failing).toHaveBeenCalledTimes(2);
  });

  test("do not begin when the call has ended with its questions", async () => {
    const charge = vi.fn<() => void>();
    const { round } = await asking(async (_args, ctx) => {
      const [answer] = await Promise.all([
        ctx.elicit("Go on?", YesNo),
        pause(20).then(() => ctx.once("charge", charge)),
      ]);
      return answer.action;
    });
    const first = await round();
    await pause(40);
    expect(charge).not.toHaveBeenCalled();
    await round(answering(first, { "Go on?": yes }), first.requestState);
    expect(charge).toHaveBeenCalledTimes(1);
  });
});

describe("a handler that is interrupted", () => {
  test.each<[string, Handler]>([
    ["returns something else", async (_args, ctx) => ctx.elicit("Go on?", YesNo).catch(() => "caught")],
    [
      "throws something else",
      async (_args, ctx) =>
        ctx.elicit("Go on?", YesNo).catch((cause: unknown) => {
          throw new ToolError("Nobody to ask", { cause });
        }),
    ],
    [
      "does not wait for the answer",
      async (_args, ctx) => {
        void ctx.elicit("Go on?", YesNo);
        return "done";
      },
    ],
    [
      "is not even asynchronous",
      (_args, ctx) => {
        void ctx.elicit("Go on?", YesNo);
        return "done";
      },
    ],
  ])("and %s still asks", async (_how, handler) => {
    const { round, log } = await asking(handler);
    expect(messagesOf(await round())).toEqual(["Go on?"]);
    expect(log.entries()).toEqual([]);
  });

  test("fails where it fails for another reason, once it has its answer", async () => {
    const { round } = await asking(async (_args, ctx) => {
      await ctx.elicit("Go on?", YesNo);
      throw new ToolError("No more paper");
    });
    const first = await round();
    const second = await round(answering(first, { "Go on?": yes }), first.requestState);
    expect(second).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining("No more paper") }],
    });
  });

  test("runs in a middleware that sees a result, not an exception", async () => {
    const seen: string[] = [];
    const layered = new MCPServer({ name: "layered", version: "1.0.0" })
      .use(async (ctx, next) => {
        if (ctx.operation.kind !== "tool") return next();
        try {
          const result = await next();
          seen.push((result as object).constructor.name);
          return result;
        } catch {
          seen.push("exception");
          throw new Error("unexpected");
        }
      })
      .tool(
        "ask",
        { description: "Asks." },
        async (_args, ctx) => (await ctx.elicit("Go on?", YesNo)).action,
      );
    const client = await TestClient.connect(layered, { clientCapabilities: EVERYTHING });
    expect(await client.request("tools/call", { name: "ask" })).toMatchObject({
      resultType: "input_required",
    });
    expect(seen).toEqual(["InputRequired"]);
  });

  test("may be a middleware that asks", async () => {
    const server = new MCPServer({ name: "layered", version: "1.0.0" })
      .use(async (ctx, next) => {
        if (ctx.operation.kind !== "tool") return next();
        const sure = await ctx.elicit("Sure?", YesNo, { key: "sure" });
        return sure.action === "accept" ? next() : "Not done.";
      })
      .tool("act", { description: "Acts." }, () => "Done.");
    const client = await TestClient.connect(server, { clientCapabilities: EVERYTHING });
    const call = { name: "act", arguments: {} };
    const { requestState } = await client.request("tools/call", call);
    const done = await client.request("tools/call", { ...call, requestState, inputResponses: { sure: yes } });
    expect(done).toMatchObject({ resultType: "complete", content: [{ type: "text", text: "Done." }] });
    const not = { ...call, requestState, inputResponses: { sure: { action: "cancel" } } };
    expect(await client.request("tools/call", not)).toMatchObject({ content: [{ text: "Not done." }] });
  });
});

describe("a state that is not this call's", () => {
  /** What a refused retry comes to: its code, and how often the handler ran for it. */
  async function refused(
    { spy }: { spy: { mock: { calls: unknown[] } } },
    attempt: () => Promise<unknown>,
  ): Promise<readonly unknown[]> {
    const before = spy.mock.calls.length;
    const error = await attempt().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(RequestError);
    return [(error as RequestError).code, spy.mock.calls.length - before];
  }

  const handler: Handler = async (_args, ctx) => (await ctx.elicit("Go on?", YesNo, { key: "go" })).action;

  test("is refused before the handler runs: altered, of no form, for other arguments, by another tool", async () => {
    const one = await asking(handler, { requestState: { keys: KEYS } });
    one.server.tool(
      "other",
      { description: "Asks too.", input: z.object({ n: z.number().default(0) }) },
      one.spy,
    );
    const { requestState } = await one.round(undefined, undefined, { n: 1 });
    const flipped = `${requestState.slice(0, 30)}${requestState[30] === "A" ? "B" : "A"}${requestState.slice(31)}`;
    for (const state of [flipped, requestState.slice(0, -1), `${requestState}A`, "", 7, null, {}, ["x"]])
      expect(await refused(one, () => one.round({ go: yes }, state, { n: 1 }))).toEqual([-32602, 0]);
    expect(await refused(one, () => one.round({ go: yes }, requestState, { n: 2 }))).toEqual([-32602, 0]);
    expect(await refused(one, () => one.round({ go: yes }, requestState))).toEqual([-32602, 0]);
    const elsewhere = { name: "other", arguments: { n: 1 }, requestState, inputResponses: { go: yes } };
    expect(await refused(one, () => one.client.request("tools/call", elsewhere))).toEqual([-32602, 0]);
    expect((await one.round({ go: yes }, requestState, { n: 1 })).content[0]?.text).toBe("accept");
  });

  test("is refused over stdio too", async () => {
    const server = spawn(process.execPath, ["--import", "tsx", FIXTURE], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    const params = { name: "deploy", arguments: { service: "api" }, requestState: "altered", _meta: META };
    server.stdin.end(`${JSON.stringify(modern("tools/call", params))}\n`);
    let output = "";
    for await (const chunk of server.stdout.setEncoding("utf8")) output += String(chunk);
    expect(JSON.parse(output)).toMatchObject({ id: 1, error: { code: -32602 } });
  });

  test("is refused at a server of another name or with other keys, and opens at its equal", async () => {
    const one = await asking(handler, { requestState: { keys: KEYS } });
    const { requestState } = await one.round();
    const others = [
      { name: "another", requestState: { keys: KEYS } },
      { requestState: { keys: [KEYS[0]!.toUpperCase()] } },
      {},
    ];
    for (const options of others) {
      const other = await asking(handler, options);
      expect(await refused(other, () => other.round({ go: yes }, requestState))).toEqual([-32602, 0]);
    }
    const equal = await asking(handler, {
      requestState: { keys: ["a newer key, which seals from now on.", ...KEYS] },
    });
    expect((await equal.round({ go: yes }, requestState)).content[0]?.text).toBe("accept");
  });

  test("is refused when its time is over", async () => {
    const one = await asking(handler, { requestState: { ttl: "60ms" } });
    const { requestState } = await one.round();
    await pause(80);
    expect(await refused(one, () => one.round({ go: yes }, requestState))).toEqual([-32602, 0]);
  });

  test("is refused with answers of no form", async () => {
    const one = await asking(handler);
    const { requestState } = await one.round();
    for (const responses of [7, "x", [], null] as unknown as Responses[])
      expect(
        await refused(one, () =>
          one.client.request("tools/call", {
            name: "ask",
            arguments: {},
            requestState,
            inputResponses: responses,
          }),
        ),
      ).toEqual([-32602, 0]);
  });
});

describe("a client that cannot be asked", () => {
  const kinds: readonly [string, Handler, object][] = [
    ["a form", async (_args, ctx) => ctx.elicit("Go on?", YesNo), { elicitation: { form: {} } }],
    [
      "a page",
      async (_args, ctx) => ctx.elicitUrl("Go on?", "https://example.com/"),
      { elicitation: { url: {} } },
    ],
    ["a model", async (_args, ctx) => ctx.sample({ messages: [], maxTokens: 1 }), { sampling: {} }],
    ["roots", async (_args, ctx) => ctx.roots(), { roots: {} }],
  ];

  test.each(kinds)(
    "for %s: the author gets a typed error, the client what it lacks",
    async (_what, handler, required) => {
      const thrown: unknown[] = [];
      const watched: Handler = async (args, ctx) => {
        try {
          return await handler(args, ctx);
        } catch (error) {
          thrown.push(error);
          throw error;
        }
      };
      const { round, log } = await asking(watched, {}, {});
      await expect(round()).rejects.toMatchObject({
        status: 400,
        code: -32021,
        data: { requiredCapabilities: required },
      });
      expect(thrown).toEqual([expect.any(ClientCapabilityError)]);
      expect(thrown[0]).toMatchObject({ code: "CLIENT_CAPABILITY_REQUIRED", requiredCapabilities: required });
      expect(log.entries()).toEqual([]);
    },
  );

  test.each([
    [{ elicitation: {} }, "form", true],
    [{ elicitation: { form: {} } }, "form", true],
    [{ elicitation: { url: {} } }, "form", false],
    [{ elicitation: { url: {} } }, "url", true],
    [{ elicitation: {} }, "url", false],
    [{ elicitation: { form: {} } }, "url", false],
    // What is declared by null, or by anything that is no object, is not declared.
    [{ elicitation: { form: null, url: {} } }, "form", false],
    [{ elicitation: { url: null } }, "url", false],
    [{ elicitation: { url: null } }, "form", true],
    [{ elicitation: null }, "form", false],
    [{ elicitation: true }, "form", false],
  ])("with %j, a %s: %s", async (capabilities, mode, possible) => {
    const handler: Handler = async (_args, ctx) =>
      mode === "form" ? ctx.elicit("Go on?", YesNo) : ctx.elicitUrl("Go on?", "https://example.com/");
    const { round } = await asking(handler, {}, capabilities);
    const outcome = await round().then(
      ({ resultType }) => resultType,
      ({ code }: RequestError) => code,
    );
    expect(outcome).toBe(possible ? "input_required" : -32021);
  });

  test("is asked nothing where one of several questions is too much for it", async () => {
    const handler: Handler = async (_args, ctx) => Promise.all([ctx.elicit("Go on?", YesNo), ctx.roots()]);
    const { round } = await asking(handler, {}, { elicitation: {} });
    await expect(round()).rejects.toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { roots: {} } },
    });
  });

  test.each(["2025-11-25", "2025-06-18", "2025-03-26"] as const)(
    "over HTTP of %s, without a session",
    async (era) => {
      const thrown: unknown[] = [];
      const server = new MCPServer({ name: "rounds", version: "1.0.0" })
        .tool("ask", { description: "Asks." }, async (_args, ctx) =>
          ctx.elicit("Go on?", YesNo).catch((error: unknown) => {
            thrown.push(error);
            throw error;
          }),
        )
        .prompt(
          "ask",
          { description: "Asks." },
          async (_args, ctx) => (await ctx.elicit("Go on?", YesNo)).action,
        )
        .resource("ask://it", { name: "ask", description: "Asks." }, async (_args, ctx) => ctx.roots());
      const client = await TestClient.connect(server, { era, clientCapabilities: EVERYTHING });
      const result = await client.callTool("ask");
      expect(result.isError).toBe(true);
      expect(JSON.parse((result.content[0] as { text: string }).text)).toEqual({
        error: {
          code: "CLIENT_CAPABILITY_REQUIRED",
          message:
            "The client cannot be asked: before revision 2026-07-28 that needs a session, and this request has none.",
          retryable: false,
          details: { requiredCapabilities: { elicitation: { form: {} } } },
          requestId: expect.any(String),
        },
      });
      expect(thrown).toEqual([expect.any(ClientCapabilityError)]);
      await expect(client.getPrompt("ask")).rejects.toMatchObject({
        code: -32603,
        data: { code: "CLIENT_CAPABILITY_REQUIRED" },
      });
      await expect(client.readResource("ask://it")).rejects.toMatchObject({
        data: { code: "CLIENT_CAPABILITY_REQUIRED" },
      });
    },
  );

  test("is not asked by what answers nobody: lists, completions, discovery", async () => {
    const log = capturedLog();
    const server = new MCPServer({ name: "rounds", version: "1.0.0", logger: log.logger }).prompt(
      "ask",
      {
        description: "Asks.",
        input: z.object({ who: z.string() }),
        complete: { who: async (_value, ctx) => [(await ctx.elicit("Go on?", YesNo)).action] },
      },
      () => "x",
    );
    const client = await TestClient.connect(server, { clientCapabilities: EVERYTHING });
    await expect(client.complete({ prompt: "ask" }, { name: "who", value: "a" })).rejects.toMatchObject({
      code: -32603,
    });
    expect(log.entries()).toMatchObject([
      {
        level: "error",
        err: { message: "A completion cannot ask the client: tools, prompts and resources can." },
      },
    ]);
  });
});

describe("what may not be asked", () => {
  const SECRETS = [
    "password",
    "passphrase",
    "api_key",
    "apiKey",
    "accessToken",
    "client_secret",
    "credentials",
    "privateKey",
    "cardNumber",
    "cvv",
  ];
  test.each(SECRETS)("a form with the field %s", async (field) => {
    const { round, log } = await asking(async (_args, ctx) =>
      ctx.elicit("?", z.object({ [field]: z.string() })),
    );
    expect((await round()).isError).toBe(true);
    expect(log.entries()).toMatchObject([
      {
        err: {
          message: expect.stringContaining("Secrets must not pass through the client: use ctx.elicitUrl"),
        },
      },
    ]);
  });

  test.each([
    ["an object", z.object({ deep: z.object({ a: z.string() }) })],
    ["a list of objects", z.object({ list: z.array(z.object({ a: z.string() })) })],
    ["free text in a list", z.object({ list: z.array(z.string()) })],
    ["a union", z.object({ either: z.union([z.string(), z.number()]) })],
    ["anything", z.object({ any: z.unknown() })],
  ])("a form with %s", async (_what, schema) => {
    const { round, log } = await asking(async (_args, ctx) => ctx.elicit("?", schema));
    expect((await round()).isError).toBe(true);
    expect(log.entries()).toMatchObject([
      { err: { message: expect.stringContaining("which no form can show") } },
    ]);
  });

  test.each([
    "http://example.com/",
    "ftp://example.com/",
    "javascript:alert(1)",
    "/connect",
    "",
    "https://",
    "http://localhost.evil.example/",
    "https://user:pass@example.com/",
  ])("the page %s", async (url) => {
    const { round, log } = await asking(async (_args, ctx) => ctx.elicitUrl("?", url));
    expect((await round()).isError).toBe(true);
    expect(log.entries()).toMatchObject([{ err: { message: expect.stringContaining("ctx.elicitUrl") } }]);
  });

  test.each([
    "https://example.com/connect?flow=7",
    "http://localhost:3000/x",
    "http://127.0.0.1/x",
    "http://[::1]:80/x",
  ])("but the page %s may", async (url) => {
    const { round } = await asking(async (_args, ctx) => ctx.elicitUrl("?", url));
    expect((await round()).resultType).toBe("input_required");
  });
});

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

describe("what an author gets wrong", () => {
  test("a key for two questions is refused, instead of one answer for both, again and again", async () => {
    const { client, log } = await asking(async (_args, ctx) => {
      for (;;) {
        const answer = await ctx.elicit("Go on?", YesNo, { key: "go" });
        if (answer.action !== "accept") return "stopped";
      }
    });
    const first = (await client.request("tools/call", { name: "ask", arguments: {} })) as unknown as Round;
    const { requestState, inputRequests } = first;
    expect(Object.keys(inputRequests)).toEqual(["go"]);
    const round = { inputResponses: { go: yes }, requestState };
    expect(await client.request("tools/call", { name: "ask", arguments: {}, ...round })).toMatchObject({
      isError: true,
    });
    expect(log.entries()).toMatchObject([
      { err: { message: 'Two questions of one call have the key "go". Give each its own, or none.' } },
    ]);
  });

  test("what is too much to travel is refused before the user is asked, and logged", async () => {
    const { round, log } = await asking(async (_args, ctx) => {
      await ctx.once("document", () => "x".repeat(300_000));
      return ctx.elicit("Go on?", YesNo);
    });
    const { isError, content } = await round();
    expect(isError).toBe(true);
    expect(content[0]?.text).toContain('"code":"INTERNAL_ERROR"');
    expect(log.entries()).toMatchObject([
      { level: "error", err: { message: expect.stringContaining("Keep ids in ctx.once") } },
    ]);
  });
});
