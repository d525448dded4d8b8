/** Two server processes behind a proxy that shares requests out, on a real Redis: they are one server. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Called, Fleet } from "../support/fleet.ts";
import { RedisServer } from "../support/redis.ts";
import { META, envelope } from "../support/wire.ts";

let server: RedisServer;
let fleet: Fleet;

beforeAll(async () => {
  server = await RedisServer.start();
  fleet = await Fleet.start(server.url);
});

afterAll(async () => {
  await fleet?.stop();
  await server?.stop();
});

const many = (count: number, call: (index: number) => Promise<Called>) =>
  Promise.all(Array.from({ length: count }, (_, index) => call(index)));
const texts = (calls: readonly Called[]) => calls.flatMap((called) => ("text" in called ? called.text : []));
const since = (at: number) => fleet.journal().slice(at);

test.each(["counted", "windowed"])("a limit is one limit: %s", async (tool) => {
  const calls: Called[] = [];
  for (let round = 0; round < 3; round++) calls.push(...(await many(50, () => fleet.call(tool))));
  expect(texts(calls).length).toBeGreaterThanOrEqual(100);
  expect(texts(calls).length).toBeLessThanOrEqual(102);
  for (const member of [0, 1])
    expect(await fleet.call(tool, {}, member)).toEqual({ code: "RATE_LIMIT_EXCEEDED" });
});

test("places are those of both, and calls of both wait for them", async () => {
  const at = fleet.journal().length;
  expect(texts(await many(20, () => fleet.call("placed")))).toHaveLength(20);
  let [running, peak] = [0, 0];
  for (const line of since(at)) peak = Math.max(peak, (running += line === "+" ? 1 : -1));
  expect([running, peak]).toEqual([0, 3]);
});

test("a breaker is one breaker: what one finds broken both leave alone, and one call tries it", async () => {
  for (const member of [0, 1]) await fleet.call("switch", { up: false }, member);
  for (let call = 0; call < 4; call++) expect(await fleet.prompt()).toBe("INTERNAL_ERROR");
  expect([await fleet.prompt(0), await fleet.prompt(1)]).toEqual(["CIRCUIT_OPEN", "CIRCUIT_OPEN"]);
  expect([await fleet.call("state", {}, 0), await fleet.call("state", {}, 1)]).toEqual([
    { text: "open" },
    { text: "open" },
  ]);
  for (const member of [0, 1]) await fleet.call("switch", { up: true }, member);
  await expect.poll(() => fleet.call("state"), { timeout: 15_000 }).toEqual({ text: "half-open" });
  const at = fleet.journal().length;
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => fleet.prompt()));
  expect(since(at)).toEqual(["upstream"]);
  expect(outcomes.filter((outcome) => outcome === "up")).toHaveLength(1);
  expect([await fleet.prompt(0), await fleet.prompt(1)]).toEqual(["up", "up"]);
});

test("a result is made once for all callers of both, and forgotten by both", async () => {
  const at = fleet.journal().length;
  const report = (member?: number) => fleet.call("report", { of: "2026" }, member);
  expect(new Set(texts(await many(60, () => report())))).toEqual(new Set(["report 2026"]));
  expect(since(at)).toEqual(["report 2026"]);
  await fleet.call("change", {}, 0);
  await report(1);
  await report(0);
  expect(since(at)).toEqual(["report 2026", "report 2026"]);
});

test("a call has its effect once, whichever of them it reaches", async () => {
  const at = fleet.journal().length;
  const calls = await many(40, (index) => fleet.call("pay", { bill: `bill ${index % 4}` }));
  expect(texts(calls)).toHaveLength(40);
  expect(since(at).toSorted()).toEqual(["pay bill 0", "pay bill 1", "pay bill 2", "pay bill 3"]);
});

/** What a listener hears. */
async function listen(member: number) {
  const leaving = new AbortController();
  const answer = await fetch(fleet.url(member), {
    ...envelope("subscriptions/listen", {
      notifications: { toolsListChanged: true, resourceSubscriptions: ["config://app"] },
    }),
    signal: leaving.signal,
  });
  const heard: string[] = [];
  const reading = (async () => {
    let text = "";
    for await (const chunk of (answer.body as ReadableStream).pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines)
        if (line.startsWith("data: ")) heard.push((JSON.parse(line.slice(6)) as { method: string }).method);
    }
  })().catch(() => {});
  return { heard, stop: async () => (leaving.abort(), reading) };
}

test("changes on one reach the listeners of both, once", async () => {
  const listeners = await Promise.all([0, 1, 0, 1].map(listen));
  const acknowledged = "notifications/subscriptions/acknowledged";
  await expect.poll(() => listeners.map(({ heard }) => heard)).toEqual(listeners.map(() => [acknowledged]));
  await fleet.call("touch", {}, 0);
  await fleet.call("grow", {}, 1);
  const all = [acknowledged, "notifications/resources/updated", "notifications/tools/list_changed"];
  await expect.poll(() => listeners.map(({ heard }) => heard)).toEqual(listeners.map(() => all));
  await Promise.all(listeners.map(({ stop }) => stop()));
});

test("whoever listens is told to read again what may have changed while the connection was lost", async () => {
  const { heard, stop } = await listen(0);
  await expect.poll(() => heard).toHaveLength(1);
  await server.client.call("CLIENT", "KILL", "TYPE", "pubsub");
  await expect
    .poll(() => heard.toSorted(), { timeout: 10_000 })
    .toEqual([
      "notifications/resources/updated",
      "notifications/subscriptions/acknowledged",
      "notifications/tools/list_changed",
    ]);
  await stop();
});

test("messages of sessions are kept where all could read them, and go with the session", async () => {
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2025-11-25",
  };
  const send = (body: object, session: Record<string, string> = {}) =>
    fetch(fleet.url(0), { method: "POST", headers: { ...headers, ...session }, body: JSON.stringify(body) });
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: META["io.modelcontextprotocol/clientInfo"],
  };
  const opened = await send({ jsonrpc: "2.0", id: 1, method: "initialize", params });
  const session = { "mcp-session-id": opened.headers.get("mcp-session-id") as string };
  const streamed = await opened.text();
  await send({ jsonrpc: "2.0", method: "notifications/initialized" }, session);
  expect(streamed).toContain("serverInfo");
  const key = `{gantry:fleet}:session:${session["mcp-session-id"]}`;
  expect(await server.client.xlen(key)).toBeGreaterThan(0);
  const [, first] = /^id: (.*)$/m.exec(streamed) ?? [];
  const again = new AbortController();
  const resumed = await fetch(fleet.url(0), {
    headers: { ...headers, ...session, "last-event-id": first as string },
    signal: again.signal,
  });
  expect(resumed.status).toBe(200);
  again.abort();
  await fetch(fleet.url(0), { method: "DELETE", headers: { ...headers, ...session } });
  await expect.poll(() => server.client.exists(key)).toBe(0);
});

test("places of a process that is killed come back", async () => {
  const at = fleet.journal().length;
  const calls = Array.from({ length: 2 }, () => fleet.call("refused", {}, 0).catch(() => "cut"));
  await expect.poll(() => since(at)).toEqual(["held", "held"]);
  expect(await fleet.call("refused", {}, 1)).toEqual({ code: "CONCURRENCY_LIMIT_EXCEEDED" });
  fleet.members[0]?.process.kill("SIGKILL");
  await Promise.all(calls);
  // The call that finds a place holds it: it is not waited for.
  await expect
    .poll(
      () =>
        Promise.race([
          fleet.call("refused", {}, 1).catch(() => "cut"),
          new Promise((resolve) => setTimeout(resolve, 300, "runs")),
        ]),
      { timeout: 15_000, interval: 250 },
    )
    .toBe("runs");
});
