/** What a server that has been closed does, and one that is told to run a second time. */

import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ConfigurationError, MCPServer } from "gantry-mcp";
import { RequestError, TestClient } from "gantry-mcp/testing";
import { afterEach, describe, expect, test } from "vitest";
import { listen } from "../support/listening.ts";
import { envelope } from "../support/wire.ts";

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function recorded(): { readonly server: MCPServer; readonly events: string[] } {
  const events: string[] = [];
  const server = new MCPServer({ name: "task-api", version: "1.0.0" })
    .onStartup(() => events.push("start"))
    .onShutdown(() => events.push("stop"))
    .tool("ping", { description: "Answers." }, () => {
      events.push("call");
      return "pong";
    });
  return { server, events };
}

const CALL = envelope("tools/call", { name: "ping" });
const byFetch = (server: MCPServer) => server.fetch(new Request("http://localhost/mcp", CALL));

async function byNode(server: MCPServer): Promise<Response> {
  const http: Server = createServer(server.node);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  closing.push(() => http.close());
  return fetch(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, CALL);
}

const CLOSED = {
  error: { code: -32603, message: "Service unavailable: the server has been closed." },
};

describe("a server that was closed", () => {
  test.each([
    ["fetch", byFetch],
    ["node", byNode],
  ])("refuses what comes by %s with 503, and no handler runs", async (_face, call) => {
    const { server, events } = recorded();
    expect((await call(server)).status).toBe(200);
    await server.close();
    const refused = await call(server);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject(CLOSED);
    expect(events).toEqual(["start", "call", "stop"]);
  });

  test("refuses while its shutdown hooks run", async () => {
    const { server, events } = recorded();
    let release = () => {};
    server.onShutdown(() => new Promise<void>((resolve) => (release = resolve)));
    await byFetch(server);
    const closed = server.close();
    expect((await byFetch(server)).status).toBe(503);
    release();
    await closed;
    expect(events).toEqual(["start", "call", "stop"]);
  });

  test("finishes what was under way", async () => {
    const { server } = recorded();
    let release = () => {};
    server.tool(
      "wait",
      { description: "Waits." },
      () => new Promise((resolve) => (release = () => resolve("done"))),
    );
    const waiting = server.fetch(
      new Request("http://localhost/mcp", envelope("tools/call", { name: "wait" })),
    );
    await byFetch(server);
    await server.close();
    release();
    expect(await (await waiting).json()).toMatchObject({ result: { content: [{ text: "done" }] } });
  });

  test("refuses the calls of a TestClient", async () => {
    const { server, events } = recorded();
    const client = await TestClient.connect(server);
    expect(await client.call("ping")).toBe("pong");
    await client.close();
    await client.close();
    const refusal = client.call("ping");
    await expect(refusal).rejects.toThrow(RequestError);
    await expect(refusal).rejects.toThrow("the server has been closed");
    await expect(TestClient.connect(server)).rejects.toThrow("the server has been closed");
    expect(events).toEqual(["start", "call", "stop"]);
  });

  test("does not start any more where it had not been started", async () => {
    const { server, events } = recorded();
    await server.close();
    expect((await byFetch(server)).status).toBe(503);
    expect(events).toEqual([]);
  });

  test("refuses through its handlers once it no longer listens", async () => {
    const { server, events } = recorded();
    const running = await listen(server);
    expect((await byFetch(server)).status).toBe(200);
    await running.close();
    expect((await byFetch(server)).status).toBe(503);
    expect(events).toEqual(["start", "call", "stop"]);
  });

  test("no longer listens", async () => {
    const { server, events } = recorded();
    const { url } = await listen(server);
    expect((await fetch(url, CALL)).status).toBe(200);
    await server.close();
    await expect(fetch(url, CALL)).rejects.toThrow("fetch failed");
    expect(events).toEqual(["start", "call", "stop"]);
  });
});

describe("run()", () => {
  test("is refused a second time, with what to write instead", async () => {
    const { server, events } = recorded();
    const first = listen(server);
    closing.push(async () => (await first).close());
    const second = listen(server);
    await expect(second).rejects.toThrow(ConfigurationError);
    await expect(second).rejects.toThrow(/run\(\) was called before.*new MCPServer/);
    expect((await fetch((await first).url, CALL)).status).toBe(200);
    await expect(server.run({ transport: "stdio" })).rejects.toThrow("run() was called before");
    expect(events).toEqual(["start", "call"]);
  });

  test("is refused once the server was closed, with what to write instead", async () => {
    const { server, events } = recorded();
    await (await listen(server)).close();
    const again = listen(server);
    await expect(again).rejects.toThrow(ConfigurationError);
    await expect(again).rejects.toThrow(/has been closed.*new MCPServer/);

    const mounted = recorded().server;
    await mounted.close();
    await expect(listen(mounted)).rejects.toThrow(/has been closed.*new MCPServer/);
    expect(events).toEqual(["start", "stop"]);
  });

  test("may be tried again after a set-up that was refused", async () => {
    const { server, events } = recorded();
    await expect(listen(server, { port: 70_000 })).rejects.toThrow(ConfigurationError);
    const running = await listen(server);
    closing.push(() => running.close());
    expect(events).toEqual(["start"]);
  });
});
