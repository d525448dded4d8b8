/** JSON that is no message, or a message that asks for what cannot be. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Target, refused } from "../../support/target.ts";
import { type Answer, META, MODERN, modern, modernHeaders } from "../../support/wire.ts";

let target: Target;

beforeAll(async () => {
  target = await Target.start();
});

afterAll(async () => {
  await target.close();
});

const INVALID_REQUEST = refused(400, -32600);
const call = (id: unknown = 1) => modern("tools/call", { name: "echo", arguments: {} }, id) as Message;

interface Message {
  readonly [member: string]: unknown;
  readonly params: Record<string, unknown>;
}

const post = (message: unknown, headers = modernHeaders("tools/call", "echo")) =>
  target.send({ headers, body: JSON.stringify(message) });

/** A message of the 2025 era. */
const legacy = (method: string, params: object = {}, id: unknown = 1) => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});
const legacyCall = (id: unknown = 1) => legacy("tools/call", { name: "echo", arguments: {} }, id);

/** Posts a message as a 2025-era client of `version` does. */
const postLegacy = (message: unknown, version?: string) =>
  post(message, {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...(version !== undefined && { "mcp-protocol-version": version }),
  });

describe("what is no message", () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["null", null],
    ["a number", 1],
    ["text", "tools/call"],
    ["true", true],
    ["an empty object", {}],
    ["no jsonrpc", { ...call(), jsonrpc: undefined }],
    ...[1, 2, 2.0, "1.0", "2", "2.0 ", "2.00", null, ["2.0"], {}].map(
      (jsonrpc) => [`jsonrpc ${JSON.stringify(jsonrpc)}`, { ...call(), jsonrpc }] as const,
    ),
    ["no method", { ...call(), method: undefined }],
    ...[1, null, true, ["tools/call"], { name: "tools/call" }].map(
      (method) => [`method ${JSON.stringify(method)}`, { ...call(), method }] as const,
    ),
    ...[1, null, true, "a", [], [{}]].map(
      (params) => [`params ${JSON.stringify(params)}`, { ...call(), params }] as const,
    ),
    ["a result", { jsonrpc: "2.0", id: 1, result: {} }],
    ["an error", { jsonrpc: "2.0", id: 1, error: { code: -1, message: "x" } }],
    ["a result of null", { jsonrpc: "2.0", id: 1, result: null }],
    ["keys in another case", { jsonrpc: "2.0", ID: 1, Method: "tools/call", Params: call().params }],
    [
      "keys that fold to ours",
      { jsonrpc: "2.0", id: 1, ["methoď"]: "tools/call", ["paramſ"]: call().params },
    ],
  ];

  test.each(cases)("is refused: %s", async (_what, message) => {
    expect(await target.outcome(() => post(message))).toEqual(INVALID_REQUEST);
    expect(await target.outcome(() => postLegacy(message, "2025-11-25"))).toEqual(INVALID_REQUEST);
  });
});

describe("ids", () => {
  test.each([
    ["null", "null"],
    ["a fraction", "1.5"],
    ["true", "true"],
    ["false", "false"],
    ["an object", "{}"],
    ["a list", "[1]"],
    ["2^53", "9007199254740992"],
    ["-2^53", "-9007199254740992"],
    ["10^300", "1e300"],
    ["a tiny one", "1e-7"],
  ])("that are %s are refused, and not given back", async (_what, id) => {
    for (const message of [call("@"), legacyCall("@")]) {
      const body = JSON.stringify(message).replace('"@"', id);
      let answer: Answer | undefined;
      expect(await target.outcome(async () => (answer = await target.send({ body })))).toEqual(
        INVALID_REQUEST,
      );
      expect(answer?.json).not.toHaveProperty("id");
    }
  });

  test.each([
    ["beyond 2^53", "9007199254740993"],
    ["of 30 digits", "123456789012345678901234567890"],
    ["that overflow", "1e400"],
  ])("%s are refused with the body", async (_what, id) => {
    const body = JSON.stringify(call("@")).replace('"@"', id);
    expect(await target.outcome(() => target.send({ body }))).toEqual(refused(400, -32700));
  });

  test.each([
    0,
    -1,
    1,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    "",
    "1",
    "null",
    "é🎉\u2028\u0000",
    '"\\',
    "x".repeat(10_000),
    "\ud800",
  ])("come back as they were: %j", async (id) => {
    expect((await post(call(id))).json).toMatchObject({ jsonrpc: "2.0", id, result: {} });
    expect((await postLegacy(legacyCall(id))).json).toMatchObject({ jsonrpc: "2.0", id, result: {} });
    expect((await post({ ...call(id), params: 1 })).json).toMatchObject({ id, error: { code: -32600 } });
  });

  test("written as 1.0 or 1e0 are whole", async () => {
    for (const written of ["1.0", "1e0", "10e-1"]) {
      const { json } = await target.send({ body: JSON.stringify(call("@")).replace('"@"', written) });
      expect(json).toMatchObject({ id: 1, result: {} });
    }
  });
});

describe("notifications", () => {
  const note = (method: string, params?: object) => ({ jsonrpc: "2.0", method, params });
  const claiming = (version: unknown) =>
    note("notifications/x", { _meta: { "io.modelcontextprotocol/protocolVersion": version } });
  const headers = (version: string, method = "notifications/x") => ({
    ...modernHeaders(method),
    "mcp-protocol-version": version,
  });

  test.each([
    ["of the 2025 era", note("notifications/initialized"), { "content-type": "application/json" }],
    ["with a revision", note("notifications/initialized"), headers("2025-06-18", "anything")],
    ["of cancellation", note("notifications/cancelled", { requestId: 1 }), headers("2025-11-25")],
    ["unknown", note("notifications/x"), modernHeaders("notifications/x")],
    ["that name a method", note("tools/call", call().params), modernHeaders("tools/call", "echo")],
    ["with an envelope alone", claiming(MODERN), { "content-type": "application/json" }],
  ])("%s are accepted without an answer, and nothing runs", async (_what, message, sent) => {
    let answer: Answer | undefined;
    const outcome = await target.outcome(async () => (answer = await post(message, sent)));
    expect(outcome).toEqual({ status: 202, code: undefined, handled: 0, next: 200 });
    expect(answer?.text).toBe("");
    expect(answer?.headers["content-type"]).toBeUndefined();
  });

  test.each([
    ["of a revision that is not served", note("notifications/x"), headers("1999-01-01"), -32022],
    ["of one that came before HTTP", note("notifications/initialized"), headers("2024-11-05"), -32022],
    ["whose envelope names such a revision", claiming("2027-01-01"), headers("2027-01-01"), -32022],
    ["whose envelope names no revision", claiming(null), headers(MODERN), -32602],
    ["whose header names another revision", claiming(MODERN), headers("2025-11-25"), -32020],
    ["whose header names another method", claiming(MODERN), headers(MODERN, "tools/call"), -32020],
    ["without an envelope, likewise", note("notifications/x"), headers(MODERN, "tools/call"), -32020],
  ])("%s are refused", async (_what, message, sent, code) => {
    expect(await target.outcome(() => post(message, sent))).toEqual(refused(400, code));
    expect((await post(message, sent)).json).not.toHaveProperty("id");
  });
});

describe("batches", () => {
  const batch = (size: number) => Array.from({ length: size }, (_, index) => legacyCall(index));

  test.each([undefined, "2025-03-26"])("of up to 20 are answered in revision %s", async (version) => {
    for (const size of [1, 2, 20]) {
      const before = target.handled.length;
      const { status, json } = await postLegacy(batch(size), version);
      expect(status).toBe(200);
      expect(json).toHaveLength(size);
      expect((json as unknown as { id: number }[]).map(({ id }) => id)).toEqual(
        batch(size).map(({ id }) => id),
      );
      expect(target.handled.length - before).toBe(size);
    }
  });

  test("of notifications alone are accepted without an answer", async () => {
    const { status, text } = await postLegacy([
      { jsonrpc: "2.0", method: "notifications/initialized" },
      { jsonrpc: "2.0", method: "notifications/x" },
    ]);
    expect({ status, text }).toEqual({ status: 202, text: "" });
  });

  test("are answered one by one: what is wrong in one does not touch the others", async () => {
    const before = target.handled.length;
    const { status, json } = await postLegacy([
      legacyCall("good"),
      { jsonrpc: "2.0", method: "notifications/x" },
      1,
      [],
      { jsonrpc: "2.0", id: null, method: "tools/call" },
      legacy("nope", {}, "unknown"),
      legacy("initialize", { protocolVersion: "2025-03-26", capabilities: {}, clientInfo: {} }, "hello"),
      call("modern"),
      legacyCall("good too"),
    ]);
    expect(status).toBe(200);
    expect(json).toMatchObject([
      { id: "good", result: {} },
      { error: { code: -32600 } },
      { error: { code: -32600 } },
      { error: { code: -32600 } },
      { id: "unknown", error: { code: -32601 } },
      { id: "hello", error: { code: -32600 } },
      { id: "modern", error: { code: -32600 } },
      { id: "good too", result: {} },
    ]);
    expect(target.handled.length - before).toBe(2);
  });

  test.each([
    ["empty", [], undefined],
    ["empty", [], "2025-03-26"],
    ["of 21", batch(21), undefined],
    ["of 21", batch(21), "2025-03-26"],
    ["of 10,000", batch(10_000), "2025-03-26"],
    ["of one, in 2025-06-18", batch(1), "2025-06-18"],
    ["of one, in 2025-11-25", batch(1), "2025-11-25"],
    ["of one, in 2026-07-28", [call()], MODERN],
    ["of two, in a revision that is not known", batch(2), "1999-01-01"],
  ])("%s are refused", async (_what, messages, version) => {
    expect(await target.outcome(() => postLegacy(messages, version))).toEqual(INVALID_REQUEST);
  });
});

describe("the envelope of a modern request", () => {
  const PREFIX = "io.modelcontextprotocol/";
  const withMeta = (meta: unknown): Message => ({ ...call(), params: { ...call().params, _meta: meta } });
  const changed = (key: string, value: unknown) => withMeta({ ...META, [PREFIX + key]: value });
  const without = (key: string) => {
    const { [PREFIX + key]: _left, ...rest } = META as Record<string, unknown>;
    return withMeta(rest);
  };

  const broken: readonly (readonly [string, Message])[] = [
    ["no protocolVersion", without("protocolVersion")],
    ["no clientCapabilities", without("clientCapabilities")],
    ["no _meta", withMeta(undefined)],
    ...[null, 1, "x", []].map((meta) => [`_meta ${JSON.stringify(meta)}`, withMeta(meta)] as const),
    ["an empty _meta", withMeta({})],
    ...[null, 1, true, [], {}, [MODERN]].map(
      (value) => [`protocolVersion ${JSON.stringify(value)}`, changed("protocolVersion", value)] as const,
    ),
    ...[null, 1, true, "x", []].map(
      (value) =>
        [`clientCapabilities ${JSON.stringify(value)}`, changed("clientCapabilities", value)] as const,
    ),
    ...[
      null,
      1,
      "x",
      [],
      {},
      { name: "x" },
      { version: "1" },
      { name: 1, version: "1" },
      { name: "x", version: 1 },
    ].map((value) => [`clientInfo ${JSON.stringify(value)}`, changed("clientInfo", value)] as const),
    ...[null, 1, "verbose", "", "DEBUG", []].map(
      (value) => [`logLevel ${JSON.stringify(value)}`, changed("logLevel", value)] as const,
    ),
    ...[null, 1.5, true, [], {}].map(
      (value) =>
        [`progressToken ${JSON.stringify(value)}`, withMeta({ ...META, progressToken: value })] as const,
    ),
  ];

  test.each(broken)("is refused with %s", async (_what, message) => {
    expect(await target.outcome(() => post(message))).toEqual(refused(400, -32602));
  });

  test("needs no clientInfo, and may carry more", async () => {
    expect((await post(without("clientInfo"))).status).toBe(200);
    const more = { ...META, "example.com/trace": [1], progressToken: "p", [`${PREFIX}logLevel`]: "debug" };
    expect((await post(withMeta(more))).status).toBe(200);
  });

  test("is none in the 2025 era, where _meta is held to its form all the same", async () => {
    const wrong = [null, 1, "x", [], { progressToken: null }, { progressToken: 1.5 }, { progressToken: {} }];
    for (const _meta of wrong) {
      const attempt = () => postLegacy(legacy("tools/call", { name: "echo", _meta }));
      expect(await target.outcome(attempt)).toEqual(refused(200, -32602));
      expect(await postLegacy(legacy("ping", { _meta }))).toMatchObject({ status: 200, code: -32602 });
    }
    for (const _meta of [{}, { progressToken: 1 }, { progressToken: "p", "example.com/x": null }])
      expect((await postLegacy(legacy("tools/call", { name: "echo", _meta }))).code).toBeUndefined();
  });
});

describe("methods", () => {
  const unknown = [
    "ping",
    "initialize",
    "logging/setLevel",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "resources/subscribe",
    "resources/unsubscribe",
    "sampling/createMessage",
    "roots/list",
    "elicitation/create",
    "notifications/initialized",
    "tools",
    "tools/",
    "tools/call/",
    "Tools/Call",
    "TOOLS/LIST",
    "tools/cäll",
    "toString",
    "constructor",
    "hasOwnProperty",
    "",
    " ",
    "x".repeat(1_000),
  ];

  test.each(unknown.map((method) => [method.slice(0, 40), method]))(
    "that are not served are refused: '%s'",
    async (_shown, method) => {
      const header = /^[\x21-\x7e]+$/.test(method) ? method : undefined;
      const { "mcp-method": _method, ...rest } = modernHeaders(method);
      const headers = header === undefined ? rest : { ...rest, "mcp-method": header };
      // A method that no header can carry is refused as missing.
      expect(await target.outcome(() => post(modern(method), headers))).toEqual(
        header === undefined ? refused(400, -32020) : refused(404, -32601),
      );
    },
  );

  test("that are not served are refused in the 2025 era, with 200", async () => {
    const gone = unknown.filter((method) => !["ping", "initialize", "logging/setLevel"].includes(method));
    const cases = gone.map((method) => [method, legacy(method)] as const);
    expect(await target.deviations(cases, refused(200, -32601), (message) => postLegacy(message))).toEqual(
      [],
    );
  });

  test("that are told back are told in part", async () => {
    const { json } = await postLegacy(legacy("m".repeat(100_000)));
    expect(json?.error?.message.length).toBeLessThan(200);
  });

  test("of the 2025 era are served there", async () => {
    expect((await postLegacy(legacy("ping"))).json).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
    const hello = (
      protocolVersion: unknown,
      rest: object = { capabilities: {}, clientInfo: { name: "x", version: "1" } },
    ) => postLegacy(legacy("initialize", { protocolVersion, ...rest }));
    for (const version of ["2025-03-26", "2025-06-18", "2025-11-25"])
      expect((await hello(version)).json?.result).toMatchObject({ protocolVersion: version });
    for (const version of ["2024-11-05", "2099-01-01", MODERN, ""])
      expect((await hello(version)).json?.result).toMatchObject({ protocolVersion: "2025-11-25" });
    for (const wrong of [
      hello(1),
      hello(null),
      hello("2025-11-25", {}),
      hello("2025-11-25", { capabilities: [] }),
      hello("2025-11-25", { capabilities: {}, clientInfo: { name: "x" } }),
      hello("2025-11-25", { capabilities: {}, clientInfo: { name: 1, version: "1" } }),
    ])
      expect(await wrong).toMatchObject({ status: 200, code: -32602 });
    expect((await postLegacy(legacy("logging/setLevel", { level: "notice" }))).json?.result).toEqual({});
    for (const level of [undefined, null, "loud", "INFO", 3, {}])
      expect(await postLegacy(legacy("logging/setLevel", { level }))).toMatchObject({
        status: 200,
        code: -32602,
      });
  });
});

describe("revisions", () => {
  const versions = [
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    "2026-07-29",
    "2026-07-27",
    "2099-01-01",
    "1",
    "draft",
    "v".repeat(300),
  ];

  test.each(versions)("that are not modern are refused in the envelope: %s", async (version) => {
    const message = {
      ...call(),
      params: { ...call().params, _meta: { ...META, "io.modelcontextprotocol/protocolVersion": version } },
    };
    const headers = { ...modernHeaders("tools/call", "echo"), "mcp-protocol-version": version };
    expect(await target.outcome(() => post(message, headers))).toEqual(refused(400, -32022));
    expect((await post(message, headers)).json).toMatchObject({
      id: 1,
      error: { code: -32022, data: { supported: [MODERN], requested: version } },
    });
  });

  test.each(["2024-11-05", "1999-01-01", "2025-11-26", "x", ""])(
    "that are not known are refused in the header of a 2025-era request: '%s'",
    async (version) => {
      expect(await target.outcome(() => postLegacy(legacyCall(), version))).toEqual(refused(400, -32022));
      for (const message of [legacyCall(), legacy("tools/list")])
        expect((await postLegacy(message, version)).json?.error?.data).toEqual({
          supported: [MODERN, "2025-11-25", "2025-06-18", "2025-03-26"],
          requested: version,
        });
    },
  );

  test("that the header names without an envelope are refused", async () => {
    expect(await target.outcome(() => postLegacy(legacyCall(), MODERN))).toEqual(refused(400, -32602));
    expect(await target.outcome(() => postLegacy(legacy("initialize"), MODERN))).toEqual(
      refused(400, -32602),
    );
  });

  test("do not stick to a connection", async () => {
    for (let round = 0; round < 50; round++) {
      expect((await post(call())).json?.result).toHaveProperty("resultType", "complete");
      expect((await postLegacy(legacyCall(), "2025-06-18")).json?.result).not.toHaveProperty("resultType");
    }
  });
});

describe("params", () => {
  const cases: readonly (readonly [method: string, params: object])[] = [
    ...[undefined, null, 1, [], {}].map((name) => ["tools/call", { name }] as const),
    ...[null, 1, "{}", [], true].map((args) => ["tools/call", { name: "echo", arguments: args }] as const),
    ...[undefined, null, 1, [], {}].map((name) => ["prompts/get", { name }] as const),
    ...[null, 1, "x", []].map((args) => ["prompts/get", { name: "greet", arguments: args }] as const),
    ...[undefined, null, 1, [], {}].map((uri) => ["resources/read", { uri }] as const),
    ...["tools/list", "resources/list", "resources/templates/list", "prompts/list"].flatMap((method) =>
      [null, 1, {}, [], true].map((cursor) => [method, { cursor }] as const),
    ),
    ...[
      {},
      { ref: null, argument: { name: "a", value: "" } },
      { ref: { type: "ref/prompt" }, argument: { name: "a", value: "" } },
      { ref: { type: "ref/other", name: "greet" }, argument: { name: "a", value: "" } },
      { ref: { type: "ref/resource", name: "greet" }, argument: { name: "a", value: "" } },
      { ref: { type: "ref/prompt", name: "greet" } },
      { ref: { type: "ref/prompt", name: "greet" }, argument: { name: "a" } },
      { ref: { type: "ref/prompt", name: "greet" }, argument: { name: 1, value: "" } },
      { ref: { type: "ref/prompt", name: "greet" }, argument: { name: "a", value: 1 } },
      { ref: { type: "ref/prompt", name: "greet" }, argument: { name: "a", value: "" }, context: 1 },
      {
        ref: { type: "ref/prompt", name: "greet" },
        argument: { name: "a", value: "" },
        context: { arguments: [] },
      },
      {
        ref: { type: "ref/prompt", name: "greet" },
        argument: { name: "a", value: "" },
        context: { arguments: null },
      },
      {
        ref: { type: "ref/prompt", name: "greet" },
        argument: { name: "a", value: "" },
        context: { arguments: { b: 1 } },
      },
    ].map((params) => ["completion/complete", params] as const),
  ];

  test.each(cases)("of %s that do not fit are refused: %j", async (method, params) => {
    const { name } = params as { name?: unknown };
    const headers = { ...modernHeaders(method, typeof name === "string" ? name : undefined) };
    expect(await target.outcome(() => post(modern(method, params), headers))).toEqual(refused(200, -32602));
    expect(await target.outcome(() => postLegacy(legacy(method, params)))).toEqual(refused(200, -32602));
  });
});
