import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ConfigurationError, MCPServer } from "gantry-mcp";
import { describe, expect, it, onTestFinished } from "vitest";
import { listen } from "../support/listening.ts";
import { Connection } from "./drain-connection.ts";
import { DrainProcess } from "./drain-process.ts";
import { drainRounds } from "./drain-rounds.ts";

const HOOKS_RAN = "second hook\nfirst hook\n";

function start(options: object): DrainProcess {
  const server = new DrainProcess(options);
  onTestFinished(() => void server.child.kill("SIGKILL"));
  return server;
}

const http = (shutdown: object = {}) => ({ run: { transport: "http", port: 0, shutdown } });
const stdio = (more: object = {}) => ({ run: { transport: "stdio" }, ...more });

function call(name: string, args: object = {}): [head: string, body: string] {
  return [
    "POST /mcp HTTP/1.1\r\ncontent-type: application/json\r\naccept: application/json\r\nmcp-protocol-version: 2025-11-25",
    JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } }),
  ];
}

describe("a signal under load", () => {
  it("fails none of the requests that a load balancer sends", { timeout: 120_000 }, async () => {
    const report = await drainRounds(5);
    expect(report).toMatchObject({ rounds: 5, failed: 0, badExits: 0, problems: [] });
    expect(report.underWay).toBeGreaterThan(5 * 25);
    expect(report.openedAfterSignal).toBeGreaterThan(0);
  });

  it("says not ready, still accepts, and ends each connection with its answer", async () => {
    const server = start(http({ notice: "1500ms" }));
    const port = await server.port();
    const kept = await Connection.open(port);
    expect(await kept.request("GET /health/ready HTTP/1.1")).toMatchObject({ status: 200, last: false });
    server.kill();
    await server.says("Shutting down");
    const late = await Connection.open(port);
    expect(await late.request("GET /health/ready HTTP/1.1")).toMatchObject({ status: 503, last: true });
    expect(await kept.request(...call("work", { ms: 0, nonce: "kept" }))).toMatchObject({
      status: 200,
      last: true,
      body: expect.stringContaining("kept"),
    });
    expect(await server.exit()).toMatchObject({ code: 0 });
    expect(server.stderr).toContain(HOOKS_RAN);
  });

  it("says not ready at once, whatever its probes do, to checks under way too", async () => {
    const server = start({ ...http({ notice: "3s" }), probeMs: 1_900 });
    const port = await server.port();
    const [asking, asks] = [await Connection.open(port), await Connection.open(port)];
    const waited = asking.request("GET /health/ready HTTP/1.1");
    await sleep(200);
    const signalled = performance.now();
    server.kill();
    expect(await waited).toMatchObject({ status: 503 });
    expect(await asks.request("GET /health/ready HTTP/1.1")).toMatchObject({ status: 503 });
    expect(performance.now() - signalled).toBeLessThan(1_500);
  });

  it("cancels at the limit a call that does not end, and cuts it a second later", async () => {
    const server = start(http({ notice: "100ms", limit: "300ms" }));
    const connection = await Connection.open(await server.port());
    const hung = connection.request(...call("hang"));
    await server.says("hanging");
    server.kill();
    await expect(hung).rejects.toThrow("closed without an answer");
    const { code } = await server.exit();
    expect(code).toBe(0);
    expect(server.stderr).toMatch(/aborted\n[^]*second hook\nfirst hook\n$/);
  });

  it("lets a call that heeds its signal answer", async () => {
    const server = start(http({ notice: "100ms", limit: "300ms" }));
    const connection = await Connection.open(await server.port());
    const heeding = connection.request(...call("heed"));
    await server.says("heeding");
    server.kill();
    expect(await heeding).toMatchObject({ status: 200, body: expect.stringContaining("in time") });
    expect(await server.exit()).toMatchObject({ code: 0 });
  });

  it("leaves at once, and not with 0, at the second signal", async () => {
    const server = start(http());
    const connection = await Connection.open(await server.port());
    const outcome = connection.request(...call("hang")).catch(String);
    await server.says("hanging");
    server.kill();
    await server.says("Shutting down");
    server.kill();
    const { code, after } = await server.exit();
    expect(code).toBe(1);
    expect(after).toBeLessThan(500);
    expect(await outcome).toContain("closed without an answer");
  });

  it("treats SIGINT alike", async () => {
    const server = start(http({ notice: 0 }));
    await server.port();
    server.kill("SIGINT");
    expect(await server.exit()).toMatchObject({ code: 0 });
    expect(server.stderr).toContain(HOOKS_RAN);
  });

  it("leaves with 1 where a shutdown hook does not end", async () => {
    const server = start({ ...http({ notice: 0, limit: 0 }), shutdownMs: 60_000 });
    await server.port();
    server.kill();
    const { code, after } = await server.exit();
    expect(code).toBe(1);
    expect(after).toBeLessThan(3_000);
    expect(server.stderr).toContain("A start-up or shutdown hook did not finish within 2000 ms");
  });
});

describe("a signal while the server starts", () => {
  it("ends it when its hook is through, without listening", async () => {
    const server = start({ ...http(), startupMs: 400 });
    await server.says("starting");
    server.kill();
    expect(await server.exit()).toMatchObject({ code: 0 });
    expect(server.stderr).toContain(HOOKS_RAN);
    expect(server.stderr).not.toContain("serves MCP");
  });

  it("ends it at once when a second one follows", async () => {
    const server = start({ ...http(), startupMs: 60_000 });
    await server.says("starting");
    server.kill();
    await server.says("Shutting down");
    server.kill();
    const { code, after } = await server.exit();
    expect(code).toBe(1);
    expect(after).toBeLessThan(500);
  });

  it("does the same over stdio", async () => {
    const server = start(stdio({ startupMs: 400 }));
    await server.says("starting");
    server.kill();
    expect(await server.exit()).toMatchObject({ code: 0 });
    expect(server.stderr).toContain(HOOKS_RAN);
  });
});

describe("close()", () => {
  it("lets an answer come whole to a client that reads slowly", async () => {
    const server = new MCPServer({ name: "closing", version: "1.0.0" });
    const length = 32 * 2 ** 20;
    server.tool("large", { description: "Says much." }, () => "x".repeat(length));
    const { url, close } = await listen(server);
    const agent = new Agent({ keepAlive: true });
    const headers = { "content-type": "application/json" };
    const asked = request(url, { agent, method: "POST", headers }).end(call("large")[1]);
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    const closed = close();
    await sleep(300);
    let received = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) received += chunk.length;
    expect(received).toBeGreaterThan(length);
    await closed;
    agent.destroy();
  });

  it("ends the server once, however often it is called", async () => {
    const ended: string[] = [];
    const server = new MCPServer({ name: "closing", version: "1.0.0" });
    server.onShutdown(() => ended.push("hook"));
    const { port, close } = await listen(server);
    await Promise.all([close(), close()]);
    await close();
    expect(ended).toEqual(["hook"]);
    await expect(Connection.open(port)).rejects.toThrow("ECONNREFUSED");
  });

  it("waits for the calls under way", async () => {
    const server = new MCPServer({ name: "closing", version: "1.0.0" });
    server.tool("slow", { description: "Takes a while." }, () => sleep(200, "done"));
    const { port, close } = await listen(server);
    const connection = await Connection.open(port);
    const answer = connection.request(...call("slow"));
    await sleep(50);
    const closed = close();
    expect(await answer).toMatchObject({ status: 200, last: true, body: expect.stringContaining("done") });
    await closed;
  });

  it("leaves no signal handlers behind", async () => {
    const before = process.listenerCount("SIGTERM");
    const server = new MCPServer({ name: "closing", version: "1.0.0" });
    const { close } = await listen(server, { signals: true });
    expect(process.listenerCount("SIGTERM")).toBe(before + 1);
    await close();
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });

  it("refuses limits that are none, before anything starts", async () => {
    const server = new MCPServer({ name: "closing", version: "1.0.0" });
    server.onStartup(() => expect.unreachable());
    const run = listen(server, { shutdown: { limit: "soon" as "1s" } });
    await expect(run).rejects.toThrow(ConfigurationError);
    await expect(run).rejects.toThrow(
      'shutdown.limit is "soon": write milliseconds or a string such as "250ms"',
    );
  });
});

describe("stdio", () => {
  const lines = (...requests: readonly object[]) =>
    requests.map((each) => `${JSON.stringify({ jsonrpc: "2.0", ...each })}\n`).join("");
  const handshake = lines(
    {
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
    },
    { method: "notifications/initialized" },
  );
  const work = lines({
    id: 2,
    method: "tools/call",
    params: { name: "work", arguments: { ms: 300, nonce: "answered" } },
  });
  const hang = lines({ id: 3, method: "tools/call", params: { name: "hang", arguments: {} } });

  it("ends within half a second when the client closes the input, whatever else is awake", async () => {
    const server = start(stdio({ awake: true }));
    server.child.stdin.write(handshake);
    await once(server.child.stdout, "data");
    server.child.stdin.end();
    const { code, after } = await server.exit();
    expect(code).toBe(0);
    expect(after).toBeLessThan(500);
    expect(server.stderr).toContain(HOOKS_RAN);
  });

  it("answers what it was asked before the input ended", async () => {
    const server = start(stdio());
    let output = "";
    server.child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    server.child.stdin.end(handshake + work);
    expect(await server.exit()).toMatchObject({ code: 0 });
    expect(output).toContain('"text":"answered"');
    expect(server.stderr).toContain(HOOKS_RAN);
  });

  it("cancels at the limit a call that does not end", async () => {
    const server = start({ run: { transport: "stdio", shutdown: { limit: "300ms" } } });
    server.child.stdin.end(handshake + hang);
    expect(await server.exit()).toMatchObject({ code: 0 });
    expect(server.stderr).toMatch(/aborted\n[^]*second hook\nfirst hook\n$/);
  });

  it("answers what is under way when a signal comes", async () => {
    const server = start(stdio());
    let output = "";
    server.child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    server.child.stdin.write(handshake + work);
    await once(server.child.stdout, "data");
    server.kill();
    expect(await server.exit()).toMatchObject({ code: 0 });
    expect(output).toContain('"text":"answered"');
    expect(server.stderr).toContain(HOOKS_RAN);
  });

  it("is gone before a client that sent a signal loses patience", async () => {
    const server = start(stdio());
    server.child.stdin.write(handshake + hang);
    await server.says("hanging");
    server.kill();
    const { code, after } = await server.exit();
    expect(code).toBe(0);
    expect(after).toBeLessThan(2_000);
    expect(server.stderr).toMatch(/aborted\n[^]*second hook\nfirst hook\n$/);
  });

  it("ends well when its client is killed and nobody reads", async () => {
    const server = start(stdio({ awake: true }));
    server.child.stdin.write(handshake + work);
    await once(server.child.stdout, "data");
    server.child.stdout.destroy();
    server.child.stdin.destroy();
    expect(await server.exit()).toMatchObject({ code: 0 });
    expect(server.stderr).toContain(HOOKS_RAN);
  });
});
