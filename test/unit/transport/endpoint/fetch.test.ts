/** The web-standard face: held to the same limits as the server on `node:http`. */

import { MCPServer } from "gantry-mcp";
import { expect, test } from "vitest";
import { envelope, modern, modernHeaders } from "../../../support/wire.ts";

const handled: unknown[] = [];
const server = new MCPServer({ name: "fetch", version: "1.0.0", http: { maxBodyBytes: 1_000 } }).tool(
  "echo",
  { description: "Gives back its arguments.", input: { type: "object" } },
  (args) => {
    handled.push(args);
    return args;
  },
);

const post = (
  body: RequestInit["body"],
  headers: Record<string, string> = {},
  url = "http://localhost/mcp",
) =>
  server.fetch(
    new Request(url, {
      method: "POST",
      headers: { ...modernHeaders("tools/call", "echo"), ...headers },
      body: body ?? null,
      duplex: "half",
    }),
  );

const call = (pad: string) => JSON.stringify(modern("tools/call", { name: "echo", arguments: { pad } }));

/** What came of a request: status, code, and how many handlers ran. */
async function outcome(response: Promise<Response>): Promise<object> {
  const before = handled.length;
  const answer = await response;
  const { error } = (await answer.json()) as { error?: { code: number } };
  return { status: answer.status, code: error?.code, handled: handled.length - before };
}

test("serves a call, and echoes the request's id", async () => {
  const answer = await server.fetch(
    new Request("http://localhost/mcp", envelope("tools/call", { name: "echo" }, { "x-request-id": "mine" })),
  );
  expect(answer.status).toBe(200);
  expect(answer.headers.get("x-request-id")).toBe("mine");
  expect(answer.headers.get("content-type")).toBe("application/json");
});

test("opens no more event streams than may be open", async () => {
  const small = new MCPServer({ name: "fetch", version: "1.0.0", http: { maxStreams: 1 } });
  small.tool("echo", { description: "Says nothing." }, () => "");
  const listen = () =>
    small.fetch(
      new Request(
        "http://localhost/mcp",
        envelope("subscriptions/listen", { notifications: { toolsListChanged: true } }),
      ),
    );
  const open = await listen();
  expect(open.headers.get("content-type")).toBe("text/event-stream");
  const refused = await listen();
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  await open.body?.cancel();
  await expect.poll(async () => (await listen()).status).toBe(200);
  await small.close();
});

test("measures bodies in bytes, whole and in pieces", async () => {
  const fits = call("é".repeat((1_000 - Buffer.byteLength(call(""))) >> 1));
  expect(Buffer.byteLength(fits)).toBeGreaterThan(998);
  expect((await post(fits)).status).toBe(200);
  const over = call("é".repeat(500));
  expect(over.length).toBeLessThan(1_000);
  const refused = { status: 413, code: -32600, handled: 0 };
  expect(await outcome(post(over))).toEqual(refused);
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      pulled++;
      controller.enqueue(new Uint8Array(100));
    },
  });
  expect(await outcome(post(endless))).toEqual(refused);
  expect(pulled).toBeLessThan(50);
});

test("refuses what the server on node:http refuses", async () => {
  const good = call("");
  const cases: readonly (readonly [Promise<Response>, number, number])[] = [
    [post(good, {}, "http://evil.example/mcp"), 403, -32600],
    [post(good, { host: "evil.example" }), 403, -32600],
    [post(good, { origin: "https://evil.example" }), 403, -32600],
    [post(good, { "content-type": "text/plain" }), 415, -32600],
    [post(good, { "content-type": "application/json, text/plain" }), 415, -32600],
    [post(good, { "content-encoding": "gzip" }), 415, -32600],
    [post(good, { "mcp-name": "other" }), 400, -32020],
    [post('{"a":1,"a":2}'), 400, -32700],
    [post(""), 400, -32700],
    [post(null), 400, -32700],
    [post(Uint8Array.of(0xff)), 400, -32700],
    [server.fetch(new Request("http://localhost/mcp")), 405, -32600],
    [server.fetch(new Request("http://localhost/mcp", { method: "DELETE" })), 405, -32600],
  ];
  for (const [response, status, code] of cases)
    expect(await outcome(response)).toEqual({ status, code, handled: 0 });
});

test("counts bodies that are on their way among the requests under way", async () => {
  const busy = new MCPServer({ name: "busy", version: "1.0.0", http: { maxInFlight: 1 } });
  const { body: text, ...head } = envelope("tools/list");
  let pipe: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({ start: (controller) => void (pipe = controller) });
  const slow = busy.fetch(new Request("http://localhost/mcp", { ...head, body, duplex: "half" }));
  const next = () => busy.fetch(new Request("http://localhost/mcp", envelope("tools/list")));
  await expect.poll(async () => (await next()).status).toBe(503);
  pipe?.enqueue(new TextEncoder().encode(text as string));
  pipe?.close();
  expect((await slow).status).toBe(200);
  expect((await next()).status).toBe(200);
});

test("ends a call whose request is aborted", async () => {
  let fired: AbortSignal | undefined;
  const waiting = new MCPServer({ name: "waiting", version: "1.0.0" }).tool(
    "wait",
    { description: "Waits." },
    (_args, { signal }) => {
      fired = signal;
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve("late")));
    },
  );
  const controller = new AbortController();
  const request = new Request("http://localhost/mcp", {
    ...envelope("tools/call", { name: "wait" }),
    signal: controller.signal,
  });
  const answer = waiting.fetch(request);
  await expect.poll(() => fired).toBeDefined();
  controller.abort();
  await answer;
  expect(fired?.aborted).toBe(true);
});

test("serves health beside the endpoint, and nothing else", async () => {
  expect((await server.fetch(new Request("http://localhost/health/live"))).status).toBe(200);
  expect((await server.fetch(new Request("http://localhost/health/ready"))).status).toBe(200);
  expect((await server.fetch(new Request("http://localhost/other"))).status).toBe(404);
});
