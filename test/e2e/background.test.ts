/** Work after the answer: when it begins, what becomes of what goes wrong in it, and that a shutdown waits for it. */

import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { MCPServer, type MCPServerOptions, ToolError, dependency } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { capturedLog } from "../support/captured-log.ts";
import { post } from "../reliability/raw-stream.ts";
import { listen } from "../support/listening.ts";
import { envelope } from "../support/wire.ts";

const about = { description: "About it." };

function made(options: Partial<MCPServerOptions> = {}) {
  const log = capturedLog();
  const server = new MCPServer({ name: "background", version: "1.0.0", logger: log.logger, ...options });
  return { server, log };
}

/** The guide's server: two tasks, of which the first fails. */
function guide() {
  const { server, log } = made();
  const events: string[] = [];
  const sendNotification = async (subject: string, data: string) => {
    events.push(`begin ${subject}: ${data}`);
    await sleep(20);
    throw new Error("mail server gone");
  };
  const logAnalytics = (tool: string, data: string) => void events.push(`log ${tool}: ${data}`);
  server.tool(
    "process_data",
    { ...about, input: z.object({ data: z.string() }) },
    ({ data }, { background }) => {
      background.add(sendNotification, "Data processed", data);
      background.add(logAnalytics, "process_data", data);
      events.push("handler");
      return "Processing started";
    },
  );
  return { server, log, events };
}

const GUIDE = ["handler", "begin Data processed: D", "answered", "log process_data: D"];

describe.each(["2026-07-28", "2025-11-25"] as const)("background tasks, revision %s", (era) => {
  test("run in order after the answer; one that fails reaches the log alone", async () => {
    const { server, log, events } = guide();
    const client = await TestClient.connect(server, { era, headers: { "x-request-id": "r-1" } });
    expect(await client.call("process_data", { data: "D" })).toBe("Processing started");
    events.push("answered");
    await client.close();
    expect(events.toSorted()).toEqual(GUIDE.toSorted());
    expect(events.indexOf("answered")).toBeLessThan(events.indexOf("log process_data: D"));
    expect(log.entries()).toMatchObject([
      {
        level: "error",
        message: "A background task failed",
        task: "sendNotification",
        name: "process_data",
        requestId: "r-1",
        err: { message: "mail server gone" },
      },
    ]);
  });

  test("are not run for calls that fail", async () => {
    const { server } = made();
    const ran: string[] = [];
    server
      .tool("fail", about, (_args, { background }) => {
        background.add(() => ran.push("fail"));
        throw new ToolError("No.");
      })
      .tool("act", about, (_args, { background }) => {
        background.add(() => ran.push("act"));
      });
    const client = await TestClient.connect(server, { era });
    await expect(client.call("fail")).rejects.toThrow("No.");
    await client.call("act");
    await client.close();
    expect(ran).toEqual(["act"]);
  });
});

/** A client in a thread of its own: when its answer was there, in milliseconds since 1970. */
const CLIENT = `
  const { parentPort, workerData: [url, init] } = require("node:worker_threads");
  fetch(url, init).then((answer) => answer.text()).then((text) => parentPort.postMessage([Date.now(), text]));
`;

test("over HTTP the answer is there before a task begins, also one that blocks", async () => {
  const { server } = made();
  let unblocked = 0;
  server.tool("act", about, (_args, { background }) => {
    background.add(() => {
      unblocked = Date.now() + 1_000;
      while (Date.now() < unblocked);
    });
    return "done";
  });
  const { url, close } = await listen(server);
  const client = new Worker(CLIENT, {
    eval: true,
    workerData: [url, envelope("tools/call", { name: "act" })],
  });
  const [[answered, text]] = (await once(client, "message")) as [[number, string]];
  expect(text).toContain("done");
  await close();
  expect(unblocked).toBeGreaterThan(0);
  expect(answered).toBeLessThan(unblocked);
});

test("over HTTP a task waits for a client that is slow to read", async () => {
  const { server } = made();
  let began = false;
  let answered = false;
  server.tool("act", about, (_args, { background }) => {
    background.add(() => {
      began = true;
    });
    answered = true;
    return "x".repeat(16_777_216);
  });
  const { port, close } = await listen(server);
  const socket = connect({ host: "127.0.0.1", port });
  socket.write(post("tools/call", { name: "act" }));
  await vi.waitFor(() => expect(answered).toBe(true), { timeout: 5_000 });
  await sleep(300);
  expect(began).toBe(false);
  socket.resume();
  await vi.waitFor(() => expect(began).toBe(true), { timeout: 5_000 });
  socket.destroy();
  await close();
});

test("a call that asks adds its tasks again when it is answered: they run once", async () => {
  const { server } = made();
  let ran = 0;
  server.tool("act", about, async (_args, ctx) => {
    ctx.background.add(() => ran++);
    return (await ctx.elicit("Really?", z.object({ yes: z.boolean() }))).action;
  });
  const client = await TestClient.connect(server, {
    onElicit: () => ({ action: "accept", content: { yes: true } }),
  });
  expect(await client.call("act")).toBe("accept");
  await client.close();
  expect(ran).toBe(1);
});

test("tasks may add tasks, and the calls of a batch wait for the answer to all of it", async () => {
  const { server } = made();
  const events: string[] = [];
  server
    .tool("quick", about, (_args, { background }) => {
      background.add(() => {
        events.push("first");
        background.add(() => void events.push("second"));
      });
      return "quick";
    })
    .tool("slow", about, async () => {
      await sleep(50);
      events.push("slow");
      return "slow";
    });
  const client = await TestClient.connect(server, { era: "2025-03-26" });
  const call = (id: number, name: string) => ({ jsonrpc: "2.0", id, method: "tools/call", params: { name } });
  const answer = await client.post([call(1, "quick"), call(2, "slow")]);
  expect(await answer.json()).toHaveLength(2);
  await client.close();
  expect(events).toEqual(["slow", "first", "second"]);
});

test("a shutdown waits for tasks, then closes what the server shares, then runs its hooks", async () => {
  const { server } = made();
  const events: string[] = [];
  const pool = dependency({ scope: "server" }, function* () {
    yield { send: () => void events.push("sent") };
    events.push("pool closed");
  });
  server.onShutdown(() => void events.push("hook"));
  server.tool("act", { ...about, inject: { pool } }, (_args, ctx) => {
    ctx.background.add(async () => {
      await sleep(100);
      ctx.pool.send();
    });
    return "done";
  });
  const { url, close } = await listen(server);
  await fetch(url, envelope("tools/call", { name: "act" }));
  await close();
  expect(events).toEqual(["sent", "pool closed", "hook"]);
});

test("a task that never ends holds a shutdown no longer than its limit", async () => {
  const { server, log } = made();
  let hook = false;
  server.onShutdown(() => {
    hook = true;
  });
  server.tool("act", about, (_args, { background }) => {
    background.add(() => new Promise(() => {}));
    return "done";
  });
  const { url, close } = await listen(server, { shutdown: { limit: 100 } });
  await fetch(url, envelope("tools/call", { name: "act" }));
  await close();
  expect(hook).toBe(true);
  expect(log.entries()).toMatchObject([{ message: "Background tasks did not end in time", calls: 1 }]);
});

test("tasks of a call whose client has left are run: the call has succeeded", async () => {
  const { server } = made();
  let ran = false;
  let started = false;
  server.tool("act", about, async (_args, { background, signal }) => {
    started = true;
    await once(signal, "abort");
    background.add(() => {
      ran = true;
    });
    return "done all the same";
  });
  const { url, close } = await listen(server);
  const leaving = new AbortController();
  fetch(url, { ...envelope("tools/call", { name: "act" }), signal: leaving.signal }).catch(() => {});
  await vi.waitFor(() => expect(started).toBe(true), { timeout: 5_000 });
  leaving.abort();
  await vi.waitFor(() => expect(ran).toBe(true), { timeout: 5_000 });
  await close();
});

test("what is no function is told at once", async () => {
  const { server, log } = made();
  server.tool("act", about, (_args, { background }) => background.add("send" as never));
  const client = await TestClient.connect(server);
  await expect(client.call("act")).rejects.toMatchObject({ code: "INTERNAL_ERROR" });
  expect(log.entries()).toMatchObject([
    { err: { message: expect.stringContaining("background.add() takes a function and its arguments") } },
  ]);
});

test("a task that comes when its call has ended, and nothing would run it, is told at once", async () => {
  const { server } = made();
  const late: unknown[] = [];
  const ran: string[] = [];
  const add = (background: { add: (task: () => void) => void }, what: string) => {
    try {
      background.add(() => void ran.push(what));
    } catch (error) {
      late.push((error as Error).message);
    }
  };
  server.tool("none_before", about, (_args, ctx) => {
    setTimeout(() => add(ctx.background, "late"), 20);
    return "done";
  });
  server.tool("one_before", about, (_args, { background }) => {
    add(background, "in time");
    background.add(() => add(background, "by a task"));
    setTimeout(() => add(background, "late"), 20);
    return "done";
  });
  const client = await TestClient.connect(server);
  for (const name of ["none_before", "one_before"]) expect(await client.call(name)).toBe("done");
  await vi.waitFor(() => expect(late).toHaveLength(2), { timeout: 5_000 });
  expect(late[0]).toBe(
    "background.add() comes too late: the call has ended. Add tasks before the handler returns.",
  );
  expect(ran).toEqual(["in time", "by a task"]);
});
