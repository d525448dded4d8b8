/** Sessions of 2025-era clients: opened by a handshake, under the same policies as everything else. */

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { type ListeningServer, MCPServer, memoryEventStore, text as block } from "gantry-mcp";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";
import { WATCHED, pause, talkingServer } from "../../support/talking-server.ts";
import { connectTo } from "../../support/talkers.ts";
import { type Answer, type Sending, envelope, send } from "../../support/wire.ts";

const VERSION = "2025-11-25";
const sdk = { client: "sdk 1.32", era: "legacy", over: "sessions" } as const;

const HEADERS = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
  "mcp-protocol-version": VERSION,
};

const message = (method: string, params: object = {}, id: unknown = 1) =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });

const CLIENT = {
  protocolVersion: VERSION,
  capabilities: {},
  clientInfo: { name: "by-hand", version: "1.0.0" },
};

const HANDSHAKE = message("initialize", CLIENT);

/** Shakes hands and gives the session's id. */
async function open(url: string, client: object = CLIENT): Promise<string> {
  const answer = await send(url, { headers: HEADERS, body: message("initialize", client) });
  expect(answer.status).toBe(200);
  const id = answer.headers["mcp-session-id"] as string;
  await send(url, {
    headers: { ...HEADERS, "mcp-session-id": id },
    body: JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }),
  });
  return id;
}

/** The messages of an answer, with the ids of their events. */
function events({
  text,
}: Pick<Answer, "text">): { id: string | undefined; message: Record<string, unknown> }[] {
  return text.split("\n\n").flatMap((event) => {
    const lines = event.split("\n");
    const field = (name: string) =>
      lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const data = field("data");
    return data ? [{ id: field("id"), message: JSON.parse(data) as Record<string, unknown> }] : [];
  });
}

const running: ListeningServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function start(server: MCPServer): Promise<ListeningServer> {
  const started = await listen(server);
  running.push(started);
  return started;
}

describe("a session", () => {
  test("is named by the handshake, found by its name, and ended by DELETE", async () => {
    const { url } = await start(talkingServer({ http: { sessions: true } }));
    const [one, two] = [await open(url), await open(url)];
    expect(one).toMatch(/^[\x21-\x7e]{32,}$/);
    expect(one).not.toBe(two);
    const call = (id: string | undefined) =>
      send(url, {
        headers: { ...HEADERS, ...(id && { "mcp-session-id": id }) },
        body: message("tools/list"),
      });
    expect(await call(one)).toMatchObject({ status: 200 });
    expect(await call("unknown")).toMatchObject({ status: 404, code: -32600 });
    const end = (id: string) =>
      send(url, { method: "DELETE", headers: { ...HEADERS, "mcp-session-id": id } });
    expect(await end("unknown")).toMatchObject({ status: 404 });
    expect(await end(one)).toMatchObject({ status: 200 });
    expect(await end(one)).toMatchObject({ status: 404 });
    expect(await call(one)).toMatchObject({ status: 404 });
    expect(await call(two)).toMatchObject({ status: 200 });
  });

  test("needs its name where there is nothing else to go by", async () => {
    const { url } = await start(talkingServer({ http: { sessions: true } }));
    expect(await send(url, { method: "GET", headers: { accept: "text/event-stream" } })).toMatchObject({
      status: 400,
    });
    expect(await send(url, { method: "DELETE" })).toMatchObject({ status: 400 });
    const id = await open(url);
    const json = { ...HEADERS, accept: "application/json", "mcp-session-id": id };
    expect(await send(url, { method: "GET", headers: json })).toMatchObject({ status: 406 });
    expect(await send(url, { method: "PUT", headers: { ...HEADERS, "mcp-session-id": id } })).toMatchObject({
      status: 405,
      headers: { allow: "POST, GET, DELETE" },
    });
  });

  test.each([
    ["2025-11-25", "2025-11-25"],
    ["2025-06-18", "2025-06-18"],
    ["2025-03-26", "2025-03-26"],
    ["2024-11-05", "2025-11-25"],
    ["1999-01-01", "2025-11-25"],
    ["2026-07-28", "2025-11-25"],
  ])("agrees with a client that speaks %s on %s, as without sessions", async (protocolVersion, agreed) => {
    const [one, two] = await Promise.all([
      start(talkingServer({ http: { sessions: true } })),
      start(talkingServer()),
    ]);
    const body = message("initialize", {
      protocolVersion,
      capabilities: {},
      clientInfo: { name: "c", version: "1" },
    });
    const headers = { "content-type": HEADERS["content-type"], accept: HEADERS.accept };
    const [inSession] = events(await send(one.url, { headers, body }));
    expect(inSession?.message["result"]).toMatchObject({ protocolVersion: agreed });
    expect((await send(two.url, { headers, body })).json?.result).toMatchObject({ protocolVersion: agreed });
  });

  test.each([
    ["2025-11-25", ["form", "url"]],
    ["2025-06-18", ["form"]],
    ["2025-03-26", []],
  ])("of %s is asked what its revision knows, whatever its client declares", async (version, modes) => {
    const { url } = await start(talkingServer({ http: { sessions: true }, requestState: { ttl: "100ms" } }));
    const id = await open(url, {
      ...CLIENT,
      protocolVersion: version,
      capabilities: { elicitation: { form: {}, url: {} } },
    });
    const asked: unknown[] = [];
    for (const name of ["deploy", "sign_in"]) {
      const headers = { ...HEADERS, "mcp-protocol-version": version, "mcp-session-id": id };
      const call = message("tools/call", { name, arguments: { service: "api" } }, name);
      const said = events(await send(url, { headers, body: call })).map((event) => event.message);
      const questions = said.filter(({ method }) => method === "elicitation/create");
      asked.push(...questions.map(({ params }) => (params as { mode: unknown }).mode));
      const isRefused = JSON.stringify(said).includes("CLIENT_CAPABILITY_REQUIRED");
      expect(isRefused).toBe(!modes.includes(name === "deploy" ? "form" : "url"));
    }
    expect(asked).toEqual(modes);
  });

  test("is not for clients of 2026-07-28, and not asked of those that have none", async () => {
    const { url } = await start(talkingServer({ http: { sessions: { max: 1 } } }));
    for (let i = 0; i < 3; i++) {
      const modern = await fetch(url, envelope("tools/list", {}, { "mcp-session-id": "whatever" }));
      expect(modern.status).toBe(200);
      expect(modern.headers.get("mcp-session-id")).toBeNull();
      expect(await send(url, { headers: HEADERS, body: message("tools/list") })).toMatchObject({
        status: 200,
      });
    }
  });

  test("is refused where there are too many, and opens again when one has ended", async () => {
    const { url } = await start(talkingServer({ http: { sessions: { max: 2 } } }));
    const first = await open(url);
    await open(url);
    const refused = await send(url, { headers: HEADERS, body: HANDSHAKE });
    expect(refused).toMatchObject({ status: 503, headers: { "retry-after": expect.any(String) } });
    await send(url, { method: "DELETE", headers: { ...HEADERS, "mcp-session-id": first } });
    await open(url);
  });

  test("refuses params that do not fit", async () => {
    const { url } = await start(talkingServer({ http: { sessions: true } }));
    const headers = { ...HEADERS, "mcp-session-id": await open(url) };
    const { text } = await send(url, {
      headers,
      body: message("resources/read", { uri: "x".repeat(9_000) }),
    });
    expect(events({ text })).toMatchObject([{ message: { error: { code: -32602 } } }]);
  });

  test("says nothing of what cannot be written but that it failed, and knows no other methods", async () => {
    const server = new MCPServer({
      name: "unwritable",
      version: "1.0.0",
      http: { sessions: true },
      logger: capturedLog().logger,
    }).tool("bad", { description: "Cannot be sent." }, () => block("hidden", { _meta: { n: 1n } }));
    const { url } = await start(server);
    const headers = { ...HEADERS, "mcp-session-id": await open(url) };
    const bad = await send(url, { headers, body: message("tools/call", { name: "bad" }) });
    expect(events(bad)).toMatchObject([{ message: { error: { code: -32603 } } }]);
    expect(bad.text).not.toMatch(/hidden|bigint|serialize/i);
    const unknown = await send(url, { headers, body: message("tools/none") });
    expect(events(unknown)).toMatchObject([{ message: { error: { code: -32601 } } }]);
  });

  test("withdraws a question whose call is cancelled", async () => {
    const { url } = await start(talkingServer({ http: { sessions: true } }));
    const client = new Client({ name: "asks", version: "1.0.0" }, { capabilities: { elicitation: {} } });
    const withdrawn: unknown[] = [];
    const cancelled = new AbortController();
    client.setRequestHandler(ElicitRequestSchema, ({ params: { message: question } }, { signal }) => {
      // This client takes no notice of what concerns the request with the id 0, the first one.
      if (question.startsWith("Where")) return { action: "accept", content: { environment: "staging" } };
      signal.addEventListener("abort", () => withdrawn.push(signal.reason));
      cancelled.abort("Changed my mind");
      return new Promise(() => {});
    });
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    const call = client.callTool({ name: "deploy", arguments: { service: "api" } }, undefined, {
      signal: cancelled.signal,
    });
    await expect(call).rejects.toThrow("Changed my mind");
    await expect.poll(() => withdrawn).toEqual([expect.stringContaining("cancelled the request")]);
    await client.close();
  });

  test("opens no stream where there are too many", async () => {
    const { url } = await start(talkingServer({ http: { sessions: true, maxStreams: 1 } }));
    const listenTo = (id: string) =>
      fetch(url, { headers: { ...HEADERS, accept: "text/event-stream", "mcp-session-id": id } });
    const [one, two] = [await open(url), await open(url)];
    const first = await listenTo(one);
    expect(first.status).toBe(200);
    expect((await listenTo(two)).status).toBe(503);
    await first.body?.cancel();
    await expect.poll(async () => (await listenTo(two)).status).toBe(200);
  });

  test("answers 503 above the limit of requests under way, and takes what answers one", async () => {
    const { url } = await start(talkingServer({ http: { sessions: true, maxInFlight: 1 } }));
    const headers = { ...HEADERS, "mcp-session-id": await open(url) };
    const controller = new AbortController();
    const body = message("tools/call", { name: "wait", arguments: {} }, 7);
    const waiting = fetch(url, { method: "POST", headers, body, signal: controller.signal });
    waiting.catch(() => {});
    const status = async () => (await send(url, { headers, body: message("ping") })).status;
    await expect.poll(status).toBe(503);
    const cancelled = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } };
    expect((await send(url, { headers, body: JSON.stringify(cancelled) })).status).toBe(202);
    await expect.poll(status).toBe(200);
    controller.abort();
  });

  test("takes no place by a handshake that fails", async () => {
    const { url } = await start(talkingServer({ http: { sessions: { max: 1 } } }));
    const failing: Sending[] = [
      { headers: { ...HEADERS, accept: "application/json" }, body: HANDSHAKE },
      { headers: HEADERS, body: message("initialize", {}) },
      { headers: HEADERS, body: JSON.stringify({ jsonrpc: "2.0", method: "initialize" }) },
    ];
    for (const sending of failing) {
      const answer = await send(url, sending);
      expect(answer.headers["mcp-session-id"]).toBeUndefined();
    }
    await open(url);
  });

  test("ends when nobody has used it for long, and not while a stream is open", async () => {
    const { url } = await start(talkingServer({ http: { sessions: { idle: "300ms" } } }));
    const [left, held] = [await open(url), await open(url)];
    const controller = new AbortController();
    const stream = await fetch(url, {
      headers: { ...HEADERS, accept: "text/event-stream", "mcp-session-id": held },
      signal: controller.signal,
    });
    expect(stream.status).toBe(200);
    const status = async (id: string) =>
      (await send(url, { headers: { ...HEADERS, "mcp-session-id": id }, body: message("ping") })).status;
    await pause(2_200);
    expect(await status(left)).toBe(404);
    expect(await status(held)).toBe(200);
    controller.abort();
    await pause(2_200);
    expect(await status(held)).toBe(404);
  });

  test("knows nothing of another: levels, followed resources and answers", async () => {
    const { url } = await start(talkingServer({ http: { sessions: true } }));
    const [loud, quiet] = await Promise.all([connectTo(url, sdk), connectTo(url, sdk)]);
    await loud.logLevel("debug");
    await quiet.logLevel("emergency");
    await loud.listen({ resourceSubscriptions: [WATCHED] });
    await Promise.all([loud.value("chat"), quiet.value("chat"), quiet.value("touch")]);
    const heard = ({ heard: all }: typeof loud) =>
      all
        .map(({ method, params }) => `${method.slice(14)} ${String(params?.["level"] ?? params?.["uri"])}`)
        .toSorted();
    await expect
      .poll(() => heard(loud))
      .toEqual([
        "message debug",
        "message emergency",
        "message info",
        "message warning",
        `resources/updated ${WATCHED}`,
      ]);
    expect(heard(quiet)).toEqual(["message emergency"]);
    loud.onElicit = () => ({ action: "accept", content: { confirm: true } });
    quiet.onElicit = () => ({ action: "decline" });
    // Both clients number their requests alike.
    const calls = await Promise.all([loud.value("careful"), quiet.value("careful")]);
    expect(calls).toEqual([{ answer: "accept" }, { answer: "decline" }]);
    await Promise.all([loud.close(), quiet.close()]);
  });

  test("follows resources that are there, a thousand of them at most", async () => {
    const { url } = await start(
      new MCPServer({ name: "many", version: "1.0.0", http: { sessions: true } }).resource(
        "item://{id}",
        { name: "item", description: "Item." },
        ({ id }) => id,
      ),
    );
    const id = await open(url);
    const follow = async (uri: unknown, method = "resources/subscribe") => {
      const [answer] = events(
        await send(url, { headers: { ...HEADERS, "mcp-session-id": id }, body: message(method, { uri }) }),
      );
      return (answer?.message["error"] as { code: number } | undefined)?.code ?? answer?.message["result"];
    };
    expect(await follow("item://1")).toEqual({});
    expect(await follow("other://1")).toBe(-32602);
    expect(await follow(7)).toBe(-32602);
    expect(await follow("item://1", "resources/unsubscribe")).toEqual({});
    for (let i = 0; i < 1_000; i++) await follow(`item://${i}`);
    expect(await follow("item://1000")).toBe(-32602);
  });

  test("is told of a resource by whichever of its two spellings", async () => {
    const server = new MCPServer({ name: "cities", version: "1.0.0", http: { sessions: true } }).resource(
      "city://{name}",
      { name: "city", description: "City." },
      ({ name }) => name,
    );
    const { url } = await start(server);
    const talker = await connectTo(url, sdk);
    await talker.listen({ resourceSubscriptions: ["city://K%C3%B6ln"] });
    server.notify.resourceUpdated("city://Köln");
    await expect.poll(() => talker.heard.map(({ params }) => params?.["uri"])).toEqual(["city://K%C3%B6ln"]);
    await talker.close();
  });

  test("sees what is added to the server, also where there was nothing of the kind", async () => {
    const server = new MCPServer({ name: "grows", version: "1.0.0", http: { sessions: true } });
    const { url } = await start(server);
    const talker = await connectTo(url, sdk);
    server
      .tool("new", { description: "New.", output: z.number() }, () => 7)
      .prompt("new", { description: "New." }, () => "hello")
      .resource("new://it", { name: "new", description: "New." }, () => "it");
    // What the handshake did not promise, this client does not ask for by its own methods.
    const later = await connectTo(url, sdk);
    expect(await later.list("tools")).toMatchObject([{ name: "new" }]);
    expect(await later.callTool("new")).toMatchObject({ structuredContent: { result: 7 } });
    expect(await later.prompt("new")).toMatchObject({ messages: [{ content: { text: "hello" } }] });
    expect(await later.read("new://it")).toMatchObject([{ text: "it" }]);
    expect(await talker.callTool("new")).toMatchObject({ structuredContent: { result: 7 } });
    await Promise.all([talker.close(), later.close()]);
  });

  test("carries the request's id into its errors", async () => {
    const { url } = await start(
      new MCPServer({
        name: "fails",
        version: "1.0.0",
        http: { sessions: true },
        logger: capturedLog().logger,
      }).tool("fail", { description: "Fails." }, () => {
        throw new Error("secret");
      }),
    );
    const id = await open(url);
    const answer = await send(url, {
      headers: { ...HEADERS, "mcp-session-id": id, "x-request-id": "trace-7" },
      body: message("tools/call", { name: "fail" }),
    });
    expect(answer.headers["x-request-id"]).toBe("trace-7");
    expect(answer.text).toContain(String.raw`\"requestId\":\"trace-7\"`);
    expect(answer.text).not.toContain("secret");
  });
});

describe("the policies of the stateless path hold within a session", () => {
  let server: ListeningServer;
  let session: string;

  beforeAll(async () => {
    server = await listen(talkingServer({ http: { sessions: true, maxBodyBytes: 4_096 } }));
    session = await open(server.url);
  });

  afterAll(async () => {
    await server.close();
  });

  const list = message("tools/list");
  const deep = `${"[".repeat(65)}${"]".repeat(65)}`;
  test.each<[string, Sending, number]>([
    ["a Host from elsewhere", { headers: { host: "evil.example" }, body: list }, 403],
    ["an Origin from elsewhere", { headers: { origin: "https://evil.example" }, body: list }, 403],
    ["no Origin at all: null", { headers: { origin: "null" }, body: list }, 403],
    ["another media type", { headers: { "content-type": "text/plain" }, body: list }, 415],
    ["another charset", { headers: { "content-type": "application/json; charset=latin1" }, body: list }, 415],
    ["a content coding", { headers: { "content-encoding": "gzip" }, body: list }, 415],
    ["a body too large", { body: message("tools/list", { padding: "x".repeat(5_000) }) }, 413],
    ["a body too large, in pieces", { body: ["x".repeat(3_000), "x".repeat(3_000)] }, 413],
    ["no JSON", { body: "{" }, 400],
    ["nothing", { body: "" }, 400],
    ["no UTF-8", { body: Buffer.from([0x7b, 0xff, 0x7d]) }, 400],
    ["a key twice", { body: '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}' }, 400],
    ["__proto__", { body: '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"__proto__":{}}}' }, 400],
    ["nesting too deep", { body: `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${deep}}}` }, 400],
    ["an unknown revision", { headers: { "mcp-protocol-version": "1999-01-01" }, body: list }, 400],
    ["a client that takes no JSON", { headers: { accept: "text/plain" }, body: list }, 406],
  ])("%s is refused alike", async (_what, { headers, ...sending }, status) => {
    const within = { ...sending, headers: { ...HEADERS, ...headers, "mcp-session-id": session } };
    const beside = { ...sending, headers: { ...HEADERS, ...headers } };
    const [inSession, stateless] = [await send(server.url, within), await send(server.url, beside)];
    expect(inSession.status).toBe(status);
    expect({ status: inSession.status, code: inSession.code }).toEqual({
      status: stateless.status,
      code: stateless.code,
    });
  });

  test("an unknown revision is refused with those that a session can speak", async () => {
    const headers = { ...HEADERS, "mcp-session-id": session, "mcp-protocol-version": "1999-01-01" };
    expect((await send(server.url, { headers, body: list })).json?.error).toMatchObject({
      code: -32022,
      data: { requested: "1999-01-01", supported: ["2025-11-25", "2025-06-18", "2025-03-26"] },
    });
  });

  test.each(["GET", "DELETE"])("%s is refused to other hosts and origins", async (method) => {
    const headers = { accept: "text/event-stream", "mcp-session-id": session };
    expect(await send(server.url, { method, headers: { ...headers, host: "evil.example" } })).toMatchObject({
      status: 403,
    });
    expect(
      await send(server.url, { method, headers: { ...headers, origin: "https://evil.example" } }),
    ).toMatchObject({ status: 403 });
    expect(
      await send(server.url, { headers: { ...HEADERS, "mcp-session-id": session }, body: message("ping") }),
    ).toMatchObject({ status: 200 });
  });

  test("a page of an allowed origin may open, use, follow and end one", async () => {
    const origin = "http://localhost:5173";
    const preflight = await send(server.url, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "DELETE",
        "access-control-request-headers":
          "mcp-session-id, Last-Event-ID, Mcp-Param-Region, x-evil, mcp-param-a b",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers["access-control-allow-origin"]).toBe(origin);
    expect(preflight.headers["access-control-allow-methods"]).toBe("POST, GET, DELETE");
    const allowed = String(preflight.headers["access-control-allow-headers"]).split(", ");
    expect(allowed).toEqual(expect.arrayContaining(["mcp-session-id", "last-event-id", "mcp-param-region"]));
    expect(allowed.filter((name) => /evil| b$/.test(name))).toEqual([]);
    const opened = await send(server.url, { headers: { ...HEADERS, origin }, body: HANDSHAKE });
    expect(String(opened.headers["access-control-expose-headers"]).split(", ")).toContain("mcp-session-id");
  });
});

describe("a connection that breaks", () => {
  /** Reads the stream of a call until `enough`, then cuts it. */
  async function cutAfter(url: string, session: string, body: string, enough: (text: string) => boolean) {
    const controller = new AbortController();
    const response = await fetch(url, {
      method: "POST",
      headers: { ...HEADERS, "mcp-session-id": session },
      body,
      signal: controller.signal,
    });
    let text = "";
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    while (!enough(text)) text += new TextDecoder().decode((await reader.read()).value);
    controller.abort();
    return events({ text });
  }

  test("is resumed where it was, and the call has gone on meanwhile", async () => {
    const journal: string[] = [];
    const { url } = await start(talkingServer({ http: { sessions: true } }, journal));
    const session = await open(url);
    const call = message(
      "tools/call",
      { name: "work", arguments: { steps: 10 }, _meta: { progressToken: 7 } },
      5,
    );
    const before = await cutAfter(url, session, call, (text) => text.includes('"progress":3'));
    const resume = (lastEventId: string, id = session) =>
      send(url, {
        method: "GET",
        headers: {
          ...HEADERS,
          accept: "text/event-stream",
          "mcp-session-id": id,
          "last-event-id": lastEventId,
        },
      });
    const after = events(await resume(before.at(-1)?.id as string));
    const all = [...before, ...after].map(
      ({ message: { params, id } }) => (params as { progress: number } | undefined)?.progress ?? id,
    );
    expect(all.filter((entry) => entry !== undefined)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 5]);
    expect(after.at(-1)?.message).toMatchObject({
      id: 5,
      result: { content: [{ type: "text", text: "worked" }] },
    });
    // Nobody else's session may hear of it.
    const other = await open(url);
    expect((await resume(before.at(-1)?.id as string, other)).text).not.toContain("worked");
    expect(await resume("nonsense")).toMatchObject({ status: 400 });
  });

  test("is resumed by the official client by itself", async () => {
    const { url } = await start(talkingServer({ http: { sessions: { retry: "20ms" } } }));
    let cut = 0;
    const breaking: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      const isCall = typeof init?.body === "string" && init.body.includes("tools/call");
      if (!isCall || cut > 0 || !response.body) return response;
      cut++;
      let text = "";
      const cutting = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          text += new TextDecoder().decode(chunk);
          controller.enqueue(chunk);
          if (text.includes('"progress":3')) controller.error(new Error("The line is cut."));
        },
      });
      return new Response(response.body.pipeThrough(cutting), response);
    };
    const client = new Client({ name: "resumes", version: "1.0.0" });
    const transport = new StreamableHTTPClientTransport(new URL(url), {
      fetch: breaking,
      reconnectionOptions: {
        initialReconnectionDelay: 10,
        maxReconnectionDelay: 50,
        reconnectionDelayGrowFactor: 1,
        maxRetries: 5,
      },
    });
    await client.connect(transport);
    const reports: number[] = [];
    const result = await client.callTool({ name: "work", arguments: { steps: 30 } }, undefined, {
      onprogress: ({ progress }) => reports.push(progress),
    });
    expect(result.content).toEqual([{ type: "text", text: "worked" }]);
    expect(cut).toBe(1);
    expect(reports).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    await client.close();
  });

  test("keeps its messages in the store that the author names, until the session ends", async () => {
    const store = memoryEventStore();
    const appended: string[] = [];
    const forgotten: string[] = [];
    const { url } = await start(
      talkingServer({
        http: {
          sessions: {
            eventStore: {
              append: (streamId, stored) => {
                appended.push(streamId);
                return store.append(streamId, stored);
              },
              after: (eventId) => store.after(eventId),
              forget: (prefix) => {
                forgotten.push(prefix);
                return store.forget(prefix);
              },
            },
          },
        },
      }),
    );
    const session = await open(url);
    await send(url, {
      headers: { ...HEADERS, "mcp-session-id": session },
      body: message("tools/call", { name: "quick" }),
    });
    expect(appended.length).toBeGreaterThan(0);
    expect(appended.every((streamId) => streamId.startsWith(`${session}/`))).toBe(true);
    await send(url, { method: "DELETE", headers: { ...HEADERS, "mcp-session-id": session } });
    await expect.poll(() => forgotten).toEqual([`${session}/`]);
  });
});
