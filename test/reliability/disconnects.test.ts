/** Clients that leave early, and signals that stay silent when a call has succeeded. */

import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { MCPServer } from "gantry-mcp";
import { expect, test } from "vitest";
import { listen } from "../support/listening.ts";
import { META, envelope, modern, modernHeaders } from "../support/wire.ts";
import { disconnects } from "./disconnects.ts";
import { Random } from "./random.ts";
import { post } from "./raw-stream.ts";

test("400 clients gone at a random byte: their calls are told at once, nothing is left of them", async () => {
  const random = new Random();
  const report = await disconnects(400, random);
  expect(report, `seed ${random.seed}`).toMatchObject({
    calls: 400,
    notAborted: 0,
    early: 0,
    running: 0,
    placesFree: true,
    resourcesLeft: 0,
  });
  expect(report.descriptorsLeft).toBeLessThanOrEqual(0);
  // The figure is test/long/disconnects.mjs's to make: here all the other tests run beside.
  expect(report.abortP99Ms).toBeLessThanOrEqual(1_000);
  expect(report.heapLeftMiB).toBeLessThanOrEqual(10);
}, 60_000);

test("each of 20 calls in a batch is told that its client has left, and no warning is printed", async () => {
  const warnings: string[] = [];
  const warned = ({ message }: Error) => void warnings.push(message);
  process.on("warning", warned);
  const server = new MCPServer({ name: "patient", version: "1.0.0" });
  let waiting = 0;
  let told = 0;
  server.tool("wait", { description: "Waits until it is aborted." }, async (_args, { signal }) => {
    waiting++;
    await once(signal, "abort");
    told++;
  });
  const { url, close } = await listen(server);
  const call = (id: number) => ({ jsonrpc: "2.0", id, method: "tools/call", params: { name: "wait" } });
  const leaving = new AbortController();
  const answer = fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(Array.from({ length: 20 }, (_, id) => call(id))),
    signal: leaving.signal,
  });
  await expect.poll(() => waiting).toBe(20);
  leaving.abort();
  await expect(answer).rejects.toThrow("aborted");
  await expect.poll(() => told).toBe(20);
  await close();
  process.off("warning", warned);
  expect(warnings).toEqual([]);
});

function keeper() {
  const signals: AbortSignal[] = [];
  const server = new MCPServer({ name: "keeper", version: "1.0.0", http: { sessions: true } });
  server.tool("keep", { description: "Keeps its signal." }, async (_args, ctx) => {
    signals.push(ctx.signal);
    await sleep(0);
    return "kept";
  });
  server.tool("keep_now", { description: "Keeps its signal, and answers at once." }, (_args, ctx) => {
    signals.push(ctx.signal);
    ctx.progress(1);
    return "x".repeat(100_000);
  });
  const fired = () => signals.filter(({ aborted }) => aborted).length;
  return { server, signals, fired };
}

const TALKATIVE = { _meta: { ...META, progressToken: 1 } };

test("the signals of 1,000 calls that succeeded never fire, however their clients leave", async () => {
  const { server, signals, fired } = keeper();
  const { url, port, close } = await listen(server);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const names = ["keep", "keep_now"];

  const kept = (name: string, params: object) =>
    new Promise<void>((resolve, reject) => {
      const headers = modernHeaders("tools/call", name);
      const outgoing = request(url, { agent, method: "POST", headers }, (response) => {
        response.resume().once("end", resolve);
      });
      outgoing.once("error", reject);
      outgoing.end(JSON.stringify(modern("tools/call", { name, ...params })));
    });
  const reset = async (name: string, meta: object) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.write(post("tools/call", { name }, 1, {}, meta));
    let text = "";
    while (!text.includes('"content":[')) text += String((await once(socket, "data"))[0]);
    socket.resetAndDestroy();
  };
  for (let n = 0; n < 100; n++) {
    const name = names[n % 2] as string;
    await Promise.all([
      kept(name, {}),
      kept(name, TALKATIVE),
      kept(name, TALKATIVE),
      reset(name, {}),
      reset(name, { progressToken: 1 }),
    ]);
  }
  agent.destroy();
  await sleep(50);
  expect(fired()).toBe(0);
  await close();
  expect([signals.length, fired()]).toEqual([500, 0]);
});

test("nor do they where the server is mounted", async () => {
  const { server, signals, fired } = keeper();
  for (let n = 0; n < 100; n++) {
    for (const name of ["keep", "keep_now"]) {
      const leaving = new AbortController();
      const { signal } = leaving;
      const plain = envelope("tools/call", { name });
      await (await server.fetch(new Request("http://localhost/mcp", { ...plain, signal }))).text();
      leaving.abort();

      const talkative = { ...plain, body: JSON.stringify(modern("tools/call", { name, ...TALKATIVE })) };
      const answer = await server.fetch(new Request("http://localhost/mcp", talkative));
      // Gone with the answer given, but not read to its end.
      if (n % 2 === 0) await answer.body?.cancel();
      else await answer.text();
    }
  }
  await sleep(50);
  await server.close();
  expect([signals.length, fired()]).toEqual([400, 0]);
});

test("nor do they in sessions, and a client that leaves does not end its call there", async () => {
  const { server, signals, fired } = keeper();
  const { url, close } = await listen(server);
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  const call = (method: string, params: object, signal?: AbortSignal) =>
    fetch(url, {
      method: "POST",
      headers,
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      ...(signal && { signal }),
    });
  const clientInfo = { name: "by-hand", version: "1.0.0" };
  const opened = await call("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
  headers["mcp-session-id"] = opened.headers.get("mcp-session-id") as string;
  await opened.text();
  for (let n = 0; n < 50; n++) {
    const name = ["keep", "keep_now"][n % 2];
    const answer = await call("tools/call", { name });
    if (n % 3 === 0) await answer.body?.cancel();
    else await answer.text();
    const leaving = AbortSignal.timeout(n % 5);
    await call("tools/call", { name }, leaving)
      .then((late) => late.text())
      .catch(() => {});
  }
  await sleep(50);
  await close();
  expect(fired()).toBe(0);
  expect(signals.length).toBeGreaterThan(50);
});
