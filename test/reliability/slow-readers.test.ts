/** What becomes of readers that are slow, and of those that have stopped: in process, where what waits is known to the byte. */

import { once } from "node:events";
import { type ServerResponse, createServer } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type HttpOptions, MCPServer } from "gantry-mcp";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { capturedLog } from "../support/captured-log.ts";
import { listen } from "../support/listening.ts";
import { envelope } from "../support/wire.ts";
import { post } from "./raw-stream.ts";

const URI = `load://${"x".repeat(4_000)}`;

/** A keep-alive tick of the server; what time it is otherwise is not touched. */
const tick = () => vi.advanceTimersByTime(15_000);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});

afterEach(() => {
  vi.useRealTimers();
});

function setUp(http: HttpOptions = {}) {
  const log = capturedLog();
  const server = new MCPServer({ name: "slow", version: "1.0.0", logger: log.logger, http });
  server.resource("load://{name}", { name: "any", description: "Changes." }, () => "any");
  server.tool("speak", { description: "Speaks, then says much." }, (_args, ctx) => {
    for (let done = 1; done <= 3; done++) ctx.progress(done);
    return "y".repeat(2_000_000);
  });
  const cuts = () =>
    log.entries().filter(({ message }) => String(message).startsWith("An event stream was cut"));
  return { server, cuts };
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

async function subscribe(server: MCPServer, notifications: object): Promise<Reader> {
  const request = new Request("http://localhost/mcp", envelope("subscriptions/listen", { notifications }));
  const response = await server.fetch(request);
  expect(response.status).toBe(200);
  const reader = response.body?.getReader() as Reader;
  expect(await next(reader)).toContain("acknowledged");
  return reader;
}

async function next(reader: Reader): Promise<string> {
  const { value } = await reader.read();
  return new TextDecoder().decode(value);
}

/** What comes until `enough` is said. */
async function until(reader: Reader, enough: (text: string) => boolean): Promise<string> {
  let text = "";
  while (!enough(text)) text += await next(reader);
  return text;
}

const count = (text: string, what: string) => text.split(what).length - 1;

describe("a reader that does not read", () => {
  test("is cut when more than 224 KiB wait, counted, logged with the reason, and forgotten", async () => {
    const { server, cuts } = setUp({ maxStreams: 1 });
    const reader = await subscribe(server, { resourceSubscriptions: [URI] });
    let told = 0;
    while (cuts().length === 0 && told < 200) {
      server.notify.resourceUpdated(URI);
      told++;
    }
    // Each event is a little over 4,100 bytes long.
    expect(told).toBeGreaterThan(50);
    expect(told).toBeLessThan(60);
    expect(cuts()).toEqual([
      expect.objectContaining({
        level: "warn",
        reason: "overflowing",
        open: 0,
        cutOverflowing: 1,
        cutStalled: 0,
      }),
    ]);
    await expect(reader.read()).rejects.toThrow("The reader did not keep up.");
    // Its place is free, and nobody sends to it any more.
    await subscribe(server, { resourceSubscriptions: [URI] });
    await server.close();
  });

  test("is cut as stalled at the second look, though little waits", async () => {
    const { server, cuts } = setUp();
    await subscribe(server, { resourceSubscriptions: [URI] });
    server.notify.resourceUpdated(URI);
    tick();
    expect(cuts()).toEqual([]);
    tick();
    expect(cuts()).toEqual([expect.objectContaining({ reason: "stalled", open: 0, cutStalled: 1 })]);
    await server.close();
  });

  test("has its call cancelled when it is cut", async () => {
    const { server, cuts } = setUp();
    let signal: AbortSignal | undefined;
    server.tool("endless", { description: "Goes on." }, async (_args, ctx) => {
      signal = ctx.signal;
      for (let done = 1; !ctx.signal.aborted; done++) {
        ctx.progress(done, undefined, "z".repeat(40_000));
        await sleep(1);
      }
      return "over";
    });
    const init = envelope("tools/call", { name: "endless" });
    const body = JSON.parse(init.body as string) as { params: { _meta: object } };
    body.params._meta = { ...body.params._meta, progressToken: 1 };
    await server.fetch(new Request("http://localhost/mcp", { ...init, body: JSON.stringify(body) }));
    await vi.waitFor(() => expect(cuts()).toHaveLength(1), { timeout: 5_000, interval: 10 });
    expect(signal?.aborted).toBe(true);
    await server.close();
  });
});

describe("a reader that is slow", () => {
  test("is not taken for stalled, and kept alive once it has caught up", async () => {
    const { server, cuts } = setUp();
    const reader = await subscribe(server, { resourceSubscriptions: [URI] });
    for (let i = 0; i < 20; i++) server.notify.resourceUpdated(URI);
    let text = "";
    for (let i = 0; i < 4; i++) {
      tick();
      text += await next(reader);
    }
    expect(count(text, "resources/updated")).toBeLessThan(20);
    text += await until(reader, (more) => count(text + more, "resources/updated") === 20);
    tick();
    expect(await next(reader)).toBe(":\n\n");
    expect(cuts()).toEqual([]);
    await server.close();
  });

  test("is told of a changed list once, however often it changed, when it has caught up", async () => {
    const { server, cuts } = setUp();
    const reader = await subscribe(server, { toolsListChanged: true, resourceSubscriptions: [URI] });
    for (let i = 0; i < 20; i++) server.notify.resourceUpdated(URI);
    for (let i = 0; i < 100; i++) {
      server.tool(`tool_${i}`, { description: "New." }, () => "new");
      await Promise.resolve();
    }
    const text = await until(reader, (more) => more.includes("tools/list_changed"));
    expect(count(text, "resources/updated")).toBe(20);
    expect(count(text, "tools/list_changed")).toBe(1);
    server.tool("last", { description: "New." }, () => "new");
    expect(count(await next(reader), "tools/list_changed")).toBe(1);
    expect(cuts()).toEqual([]);
    await server.close();
  });

  test("gets a large result whole after what was said before it", async () => {
    const { server, cuts } = setUp();
    const init = envelope("tools/call", { name: "speak" });
    const body = JSON.parse(init.body as string) as { params: { _meta: object } };
    body.params._meta = { ...body.params._meta, progressToken: 1 };
    const sent = JSON.stringify(body);
    const response = await server.fetch(new Request("http://localhost/mcp", { ...init, body: sent }));
    const text = await response.text();
    expect(count(text, "notifications/progress")).toBe(3);
    expect(count(text, "y".repeat(2_000_000))).toBe(1);

    const { url, close } = await listen(setUp().server);
    const answer = await fetch(url, { ...init, body: sent });
    expect(count(await answer.text(), "y".repeat(2_000_000))).toBe(1);
    await close();
    expect(cuts()).toEqual([]);
    await server.close();
  });
});

test("over a socket, who reads a little now and then is not taken for stalled, who stops is", async () => {
  const { server, cuts } = setUp();
  const responses: ServerResponse[] = [];
  const http = createServer((request, response) => {
    responses.push(response);
    server.node(request, response);
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  const { port } = http.address() as AddressInfo;
  const [slow, stopped] = [await paused(port, `${URI}_slow`), await paused(port, `${URI}_stopped`)];
  const [toSlow, toStopped] = responses as [ServerResponse, ServerResponse];

  await fill(server, `${URI}_stopped`, toStopped);
  for (let i = 0; i < 4; i++) {
    await fill(server, `${URI}_slow`, toSlow);
    tick();
    expect(toSlow.writableLength).toBeGreaterThan(0);
    await readALittle(slow);
  }
  expect(cuts()).toEqual([expect.objectContaining({ reason: "stalled", open: 1, cutStalled: 1 })]);
  expect([toSlow.destroyed, toStopped.destroyed]).toEqual([false, true]);
  slow.destroy();
  stopped.destroy();
  await server.close();
  http.close();
});

async function paused(port: number, uri: string): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port }).on("error", () => {});
  socket.write(post("subscriptions/listen", { notifications: { resourceSubscriptions: [uri] } }));
  await once(socket, "data");
  socket.pause();
  return socket;
}

/** Tells of changes until the kernel takes no more, and some of them wait in the server. */
async function fill(server: MCPServer, uri: string, response: ServerResponse): Promise<void> {
  while (response.writableLength === 0) {
    for (let n = 0; n < 4; n++) server.notify.resourceUpdated(uri);
    await sleep(2);
  }
}

async function readALittle(socket: Socket): Promise<void> {
  const before = socket.bytesRead;
  socket.resume();
  while (socket.bytesRead < before + 500_000) await sleep(1);
  socket.pause();
  await sleep(20);
}
