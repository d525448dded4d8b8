/** Starting, telling whether it is ready, and stopping: over HTTP and stdio. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { ConfigurationError, type LoggerOptions, MCPServer, createLogger } from "gantry-mcp";
import { afterEach, describe, expect, test, vi } from "vitest";
import { capturedLog, parseLog } from "../support/captured-log.ts";
import { type Way, WAYS, connect } from "../support/clients.ts";
import { printedText } from "../support/greetings.ts";
import { listen } from "../support/listening.ts";
import { envelope } from "../support/wire.ts";

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function started(server: MCPServer, options?: Parameters<typeof listen>[1]) {
  const running = await listen(server, options);
  closing.push(() => running.close());
  return running;
}

const taskApi = (extra: object = {}) => new MCPServer({ name: "task-api", version: "1.0.0", ...extra });

describe("over HTTP", () => {
  test("runs the start hooks in order before the port opens, and the stop hooks in reverse after it closed", async () => {
    const events: string[] = [];
    let url = "";
    const answers = async () =>
      url !== "" &&
      (await fetch(new URL("/health/live", url)).then(
        ({ ok }) => ok,
        () => false,
      ));
    const server = taskApi()
      .onStartup(async () => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        events.push("start 1");
      })
      .onStartup(() => events.push("start 2"))
      .onShutdown(async () => events.push(`stop 1, answering: ${String(await answers())}`))
      .onShutdown(() => events.push("stop 2"));
    const running = await listen(server);
    url = running.url;
    expect(events).toEqual(["start 1", "start 2"]);
    expect(await answers()).toBe(true);
    await Promise.all([running.close(), running.close()]);
    expect(events).toEqual(["start 1", "start 2", "stop 2", "stop 1, answering: false"]);
  });

  test("does not open the port when a start hook fails", async () => {
    const server = taskApi().onStartup(() => {
      throw new Error("no database");
    });
    await expect(listen(server)).rejects.toThrow("no database");
  });

  test("runs every stop hook, though one fails, and logs that", async () => {
    const log = capturedLog();
    const events: string[] = [];
    const server = taskApi({ logger: log.logger })
      .onShutdown(() => events.push("first"))
      .onShutdown(() => {
        throw new Error("disk gone");
      });
    await (await listen(server)).close();
    expect(events).toEqual(["first"]);
    expect(log.entries()).toMatchObject([{ level: "error", err: { message: "disk gone" } }]);
  });

  test("lets a call under way finish before it stops", async () => {
    let release = () => {};
    let entered = () => {};
    const inside = new Promise<void>((resolve) => (entered = resolve));
    const server = taskApi().tool("wait", { description: "Waits." }, () => {
      entered();
      return new Promise((resolve) => (release = () => resolve("done")));
    });
    const running = await listen(server);
    const answer = fetch(running.url, envelope("tools/call", { name: "wait" }));
    await inside;
    const closed = running.close();
    setTimeout(() => release(), 50);
    expect(await (await answer).json()).toMatchObject({ result: { content: [{ text: "done" }] } });
    await closed;
  });

  test("refuses probes, hooks and loggers that are none, or that would stand in for one another", () => {
    const refused = (make: () => unknown, message: string) => expect(make).toThrow(message);
    const server = taskApi().readiness("database", () => true);
    refused(() => server.readiness("database", () => false), 'readiness("database") was called before');
    refused(() => server.readiness("", () => true), 'readiness(): the name is "": write a few words');
    refused(() => server.readiness("a\nb", () => true), "readiness(): the name is");
    refused(() => server.readiness("disk", true as never), 'readiness("disk") got true: pass a function');
    refused(() => server.onStartup(undefined as never), "onStartup() got undefined: pass a function");
    refused(
      () => server.onShutdown(Promise.resolve() as never),
      "onShutdown() got an object: pass a function",
    );
    refused(
      () => taskApi({ logger: { info() {} } as never }),
      "logger has no debug and no warn and no error",
    );
  });

  test("is not ready while any of the probes of one name fails, among servers that are mounted", async () => {
    let states = [true, true];
    const child = new MCPServer({ name: "child", version: "1.0.0" }).readiness("database", () => states[1]);
    const server = taskApi()
      .readiness("database", () => states[0])
      .mount(child, { prefix: "child" });
    const { url } = await started(server);
    const ready = async () => (await (await fetch(new URL("/health/ready", url))).json()) as object;
    expect(await ready()).toEqual({ status: "ready", checks: { database: "ok" } });
    for (states of [
      [true, false],
      [false, true],
    ])
      expect(await ready()).toEqual({ status: "not ready", checks: { database: "failed" } });
  });

  test("tells that it is alive, and ready only while every probe passes", async () => {
    let database: () => unknown = () => true;
    const log = capturedLog();
    const server = taskApi({ logger: log.logger })
      .readiness("database", () => database())
      .readiness("disk", () => undefined);
    const { url } = await started(server);
    const get = async (path: string) => {
      const response = await fetch(new URL(path, url));
      return { status: response.status, body: await response.json() };
    };
    expect(await get("/health/live")).toEqual({ status: 200, body: { status: "live" } });
    expect(await get("/health/ready")).toEqual({
      status: 200,
      body: { status: "ready", checks: { database: "ok", disk: "ok" } },
    });
    const failing: (() => unknown)[] = [
      () => Promise.reject(new Error("secret host unreachable")),
      () => false,
      () => Promise.resolve(false),
      () => {
        throw new Error("secret host unreachable");
      },
    ];
    for (const probe of failing) {
      database = probe;
      expect(await get("/health/ready")).toEqual({
        status: 503,
        body: { status: "not ready", checks: { database: "failed", disk: "ok" } },
      });
      expect((await get("/health/live")).status).toBe(200);
    }
    database = () => true;
    expect((await get("/health/ready")).status).toBe(200);
    expect((await get("/health/ready")).status).toBe(200);
    // However often it was asked.
    const told = log.entries().filter((entry) => "probe" in entry);
    expect(told).toEqual([
      expect.objectContaining({
        level: "warn",
        probe: "database",
        err: expect.objectContaining({ message: "secret host unreachable" }),
      }),
      expect.objectContaining({ level: "info", probe: "database" }),
    ]);
  });

  test("tells that it has started; within another's server also that it has not yet", async () => {
    const { url } = await started(taskApi());
    const answer = await fetch(new URL("/health/startup", url));
    expect([answer.status, await answer.json()]).toEqual([200, { status: "started" }]);
    let release = () => {};
    const warm = new Promise<void>((resolve) => (release = resolve));
    const mounted = taskApi().onStartup(() => warm);
    closing.push(() => mounted.close());
    const http = createServer(mounted.node);
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    closing.push(async () => void http.close());
    const { port } = http.address() as AddressInfo;
    const byNode = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    const byFetch = async (path: string) =>
      (await mounted.fetch(new Request(`http://127.0.0.1${path}`))).status;
    for (const status of [byNode, byFetch]) {
      expect(await status("/health/startup")).toBe(503);
      expect(await status("/health/ready")).toBe(503);
      expect(await status("/health/live")).toBe(200);
    }
    const early = mounted.fetch(new Request("http://127.0.0.1/mcp", envelope("server/discover")));
    release();
    expect((await early).status).toBe(200);
    for (const status of [byNode, byFetch]) {
      expect(await status("/health/startup")).toBe(200);
      expect(await status("/health/ready")).toBe(200);
    }
  });

  test("counts a probe that does not answer within 2 s as failed", async () => {
    const server = taskApi().readiness("hangs", () => new Promise(() => {}));
    const { url } = await started(server);
    const begun = performance.now();
    const response = await fetch(new URL("/health/ready", url));
    expect(response.status).toBe(503);
    expect(performance.now() - begun).toBeLessThan(4_000);
  });

  test("prints where it serves, what is registered, and that it is public", async () => {
    const server = taskApi()
      .tool("list_tasks", { description: "List." }, () => [])
      .resource("tasks://{id}", { name: "task", description: "One." }, () => "")
      .prompt("plan", { description: "Plan." }, () => "");
    const { url, port } = await started(server);
    expect(url).toBe(`http://127.0.0.1:${port}/mcp`);
    expect(printedText()).toContain(
      [
        `task-api 1.0.0 serves MCP at ${url}`,
        "  tools      list_tasks",
        "  resources  tasks://{id}",
        "  prompts    plan",
        "  public     everything: no authenticator is installed",
      ].join("\n"),
    );
  });

  test("greets people in lines as they are, and everybody else in an entry of the log", async () => {
    const greeted = async (options: LoggerOptions) => {
      const lines: string[] = [];
      const logger = createLogger({ ...options, write: (line) => lines.push(line) });
      const { url } = await started(
        new MCPServer({ name: "greeter", version: "1.0.0", logger }).tool(
          "a",
          { description: "A." },
          () => "",
        ),
      );
      return { url, lines };
    };
    const people = await greeted({ format: "pretty" });
    expect(people.lines).toEqual([
      `greeter 1.0.0 serves MCP at ${people.url}\n  tools      a\n  public     everything: no authenticator is installed`,
    ]);
    const program = await greeted({ format: "json" });
    expect(program.lines.map((line) => JSON.parse(line) as object)).toEqual([
      {
        time: expect.any(String),
        level: "info",
        message: `greeter 1.0.0 serves MCP at ${program.url}`,
        url: program.url,
        tools: ["a"],
        public: ["everything: no authenticator is installed"],
      },
    ]);
    for (const format of ["pretty", "json"] as const)
      expect((await greeted({ format, level: "warn" })).lines).toEqual([]);
  });

  test("listens on loopback alone unless told otherwise", async () => {
    const { url } = await started(taskApi());
    expect(new URL(url).hostname).toBe("127.0.0.1");
  });

  test.each(["0.0.0.0", "::", "192.0.2.1", "example.com", "127.0.0.1.example.com"])(
    "refuses to serve everybody at %s without a reason",
    async (host) => {
      const events: string[] = [];
      const server = taskApi().onStartup(() => events.push("started"));
      const refusal = listen(server, { host });
      await expect(refusal).rejects.toThrow(ConfigurationError);
      await expect(refusal).rejects.toThrow(/allowUnauthenticated: "[^]+publicUrl/);
      await expect(listen(server, { host, allowUnauthenticated: "  " })).rejects.toThrow(
        "allowUnauthenticated",
      );
      await expect(listen(server, { host, allowUnauthenticated: "a VPN" })).rejects.toThrow("publicUrl");
      expect(events).toEqual([]);
    },
  );

  test("serves beyond loopback with a reason and a name, and prints the reason", async () => {
    const server = taskApi({ http: { publicUrl: "https://tasks.example.com/mcp" } });
    const { port } = await started(server, {
      host: "0.0.0.0",
      allowUnauthenticated: "behind the test's gate",
    });
    expect(printedText()).toContain("  exposed    because: behind the test's gate");
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
  });

  test("says which port is taken, and what to do", async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
    closing.push(() => new Promise((resolve) => blocker.close(() => resolve())));
    const { port } = blocker.address() as AddressInfo;
    await expect(listen(taskApi(), { port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is in use.`);
  });

  test("refuses a transport that it does not know", async () => {
    await expect(taskApi().run({ transport: "sse" as "http" })).rejects.toThrow('write "http" or "stdio"');
  });

  test("serves at another path where it is told so", async () => {
    const { url } = await started(taskApi({ http: { path: "/tasks/mcp" } }));
    expect(new URL(url).pathname).toBe("/tasks/mcp");
    expect((await fetch(url, envelope("server/discover"))).status).toBe(200);
    const elsewhere = await fetch(new URL("/mcp", url), envelope("server/discover"));
    expect(elsewhere.status).toBe(404);
    expect(await elsewhere.json()).toMatchObject({ message: expect.stringContaining("POST /tasks/mcp") });
  });

  test("gives the request's id in the header, the client's own where that is fit", async () => {
    const { url } = await started(taskApi());
    const id = async (given: Record<string, string>) =>
      (await fetch(url, envelope("server/discover", {}, given))).headers.get("x-request-id");
    expect(await id({ "x-request-id": "order-7.retry_2" })).toBe("order-7.retry_2");
    for (const unfit of ["", "a b", "x".repeat(65), 'a"b', "a/b"])
      expect(await id({ "x-request-id": unfit })).toMatch(/^[0-9a-f]{12}$/);
    expect(await id({})).not.toBe(await id({}));
  });
});

describe("under load", () => {
  test("answers 503 above the limit of requests under way, and goes on below it", async () => {
    const releases: (() => void)[] = [];
    const server = taskApi({ http: { maxInFlight: 2 } })
      .tool(
        "wait",
        { description: "Waits." },
        () => new Promise((resolve) => releases.push(() => resolve("done"))),
      )
      .tool("quick", { description: "Does not wait." }, () => "done");
    const { url } = await started(server);
    const call = (name: string) => fetch(url, envelope("tools/call", { name }));
    const waiting = [call("wait"), call("wait")];
    await expect.poll(() => releases.length).toBe(2);
    const refused = await call("quick");
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({ error: { code: -32603 } });
    expect((await fetch(new URL("/health/live", url))).status).toBe(200);
    for (const release of releases) release();
    for (const answer of waiting) expect((await answer).status).toBe(200);
    expect((await call("quick")).status).toBe(200);
  });

  test("ends a call whose client has gone: its signal fires, and never on success", async () => {
    const signals: AbortSignal[] = [];
    const server = taskApi()
      .tool("wait", { description: "Waits." }, (_args, { signal }) => {
        signals.push(signal);
        return new Promise((resolve) => signal.addEventListener("abort", () => resolve("late")));
      })
      .tool("quick", { description: "Does not wait." }, async (_args, { signal }) => {
        signals.push(signal);
        await Promise.resolve();
      });
    const { url } = await started(server);
    const controller = new AbortController();
    const gone = fetch(url, { ...envelope("tools/call", { name: "wait" }), signal: controller.signal });
    await expect.poll(() => signals.length).toBe(1);
    controller.abort();
    await expect(gone).rejects.toThrow("aborted");
    await expect.poll(() => signals[0]?.aborted).toBe(true);
    expect(signals[0]?.reason).toMatchObject({ message: "The client disconnected." });

    await (await fetch(url, envelope("tools/call", { name: "quick" }))).text();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(signals[1]?.aborted).toBe(false);
  });
});

const FIXTURE = fileURLToPath(new URL("../fixtures/step-server.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The fixture in a process of its own, spoken to by hand. */
class StdioProcess {
  readonly child: ChildProcessWithoutNullStreams;
  stdout = "";
  stderr = "";

  constructor(step: number) {
    this.child = spawn(process.execPath, ["--import", "tsx", FIXTURE, String(step)], { cwd: ROOT });
    this.child.stdout.setEncoding("utf8").on("data", (chunk: string) => (this.stdout += chunk));
    this.child.stderr.setEncoding("utf8").on("data", (chunk: string) => (this.stderr += chunk));
    closing.push(async () => {
      if (this.child.exitCode !== null || this.child.signalCode !== null) return;
      const exit = once(this.child, "exit");
      this.child.kill("SIGKILL");
      await exit;
    });
  }

  send(...messages: readonly unknown[]): void {
    for (const message of messages) this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** The messages on stdout so far. Throws where a line is none. */
  messages(): readonly Record<string, unknown>[] {
    return this.stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async answer(id: number): Promise<Record<string, unknown>> {
    return await vi.waitFor(
      () => {
        const answer = this.messages().find((message) => message["id"] === id);
        if (!answer) throw new Error(`No answer to ${id}. ${this.stderr}`);
        return answer;
      },
      { timeout: 15_000 },
    );
  }

  hooks(): readonly string[] {
    return this.stderr.split("\n").flatMap((line) => (line.startsWith("hook: ") ? [line.slice(6)] : []));
  }
}

const hello = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "by-hand", version: "1" } },
};
const ready = { jsonrpc: "2.0", method: "notifications/initialized" };
const callTool = (id: number, name: string, args: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
});

describe("over stdio", () => {
  test("runs the hooks in order, and ends with the input, with 0", async () => {
    const server = new StdioProcess(1);
    server.send(hello, ready, callTool(2, "list_tasks"));
    expect(await server.answer(2)).toHaveProperty("result");
    expect(server.hooks()).toEqual(["start 1", "start 2"]);
    const exit = once(server.child, "exit");
    server.child.stdin.end();
    expect(await exit).toEqual([0, null]);
    expect(server.hooks()).toEqual(["start 1", "start 2", "stop 2", "stop 1"]);
  });

  test("runs the stop hooks at SIGTERM, and ends with 0", async () => {
    const server = new StdioProcess(1);
    server.send(hello);
    await server.answer(1);
    const exit = once(server.child, "exit");
    server.child.kill("SIGTERM");
    expect(await exit).toEqual([0, null]);
    expect(server.hooks().slice(2)).toEqual(["stop 2", "stop 1"]);
  });

  test("keeps stdout for messages: what a handler prints goes to stderr", async () => {
    const server = new StdioProcess(3);
    server.send(hello, ready, callTool(2, "print"), callTool(3, "fail", { how: "error" }));
    expect(await server.answer(2)).toMatchObject({
      result: { content: [{ type: "text", text: "printed" }] },
    });
    await server.answer(3);
    for (const way of ["log", "info", "debug", "dir", "table", "write", "bytes"])
      expect(server.stderr).toMatch(new RegExp(`printed.*by ${way}|by ${way}`));
    expect(server.stdout).not.toMatch(/printed by|by dir|by table|secret/);
    for (const message of server.messages()) expect(message).toMatchObject({ jsonrpc: "2.0" });
    expect(parseLog(server.stderr)).toMatchObject([
      { level: "error", err: { message: "secret password 1" } },
    ]);
  });

  test.each(WAYS.filter(({ transport }) => transport === "stdio"))(
    "$client, $era, is not disturbed by what a handler prints",
    async (way: Way) => {
      const client = await connect(way, 3);
      closing.push(() => client.close());
      expect(await client.callTool("print")).toMatchObject({ content: [{ type: "text", text: "printed" }] });
      expect(client.complaints).toEqual([]);
      await expect.poll(() => client.stderr()).toContain("printed by log");
    },
  );

  test("outlives lines that are no messages, and answers the next one", async () => {
    const server = new StdioProcess(1);
    server.send(hello, ready);
    await server.answer(1);
    for (const garbage of [
      "{",
      "[]",
      "null",
      '"text"',
      "\u0000",
      "{}",
      '{"jsonrpc":"1.0"}',
      "é".repeat(1_000),
    ])
      server.child.stdin.write(`${garbage}\n`);
    server.child.stdin.write(Buffer.from([0xff, 0xfe, 0x0a]));
    server.send(callTool(9, "create_task", { title: "after" }));
    expect(await server.answer(9)).toMatchObject({
      result: { content: [{ text: expect.stringContaining("after") }] },
    });
  });

  test("takes a message in pieces, and several in one", async () => {
    const server = new StdioProcess(1);
    const text = [hello, ready, callTool(2, "create_task", { title: "ünïcödé 🎉" })]
      .map((message) => `${JSON.stringify(message)}\n`)
      .join("");
    for (const byte of Buffer.from(text)) server.child.stdin.write(Buffer.of(byte));
    expect(await server.answer(2)).toMatchObject({
      result: { content: [{ text: expect.stringContaining("ünïcödé 🎉") }] },
    });
    server.child.stdin.write(
      [3, 4, 5].map((id) => `${JSON.stringify(callTool(id, "list_tasks"))}\n`).join(""),
    );
    for (const id of [3, 4, 5]) expect(await server.answer(id)).toHaveProperty("result");
  });
});
