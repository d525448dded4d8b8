/** A real HAProxy with the configuration in deploy/: what it lets through, whom servers take callers for, and which servers it asks. */

import { Agent } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MCPServer } from "gantry-mcp";
import { afterEach, expect, test } from "vitest";
import { DrainProcess } from "../e2e/drain-process.ts";
import { TaskApiProcess } from "../examples/task-api-process.ts";
import { HAProxy } from "../support/haproxy.ts";
import { listen } from "../support/listening.ts";
import { envelope, modern, modernHeaders, onSocket, send } from "../support/wire.ts";

const about = { description: "About it." };
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function behind(first: string, second = first): Promise<string> {
  const proxy = await HAProxy.start([first, second]);
  closers.push(() => proxy.stop());
  return proxy.url;
}

async function started(server: MCPServer): Promise<string> {
  const running = await listen(server);
  closers.push(() => running.close());
  return running.url;
}

/** Calls a tool through the proxy as somebody else of this machine, who may say to be another still. */
async function call(
  url: string,
  from: string,
  name: string,
  args: object = {},
  headers: Record<string, string> = {},
): Promise<string> {
  const agent = new Agent({ localAddress: from });
  const answer = await send(url, {
    agent,
    headers: { ...modernHeaders("tools/call", name), ...headers },
    body: JSON.stringify(modern("tools/call", { name, arguments: args })),
  });
  agent.destroy();
  return answer.text;
}

test("only the endpoint and what is told of it can be reached", async () => {
  const url = await behind(
    await started(new MCPServer({ name: "measured", version: "1.0.0" }).enableMetrics()),
  );
  const get = (target: string) =>
    onSocket(url, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  for (const target of [
    "/metrics",
    "/health/ready",
    "/.well-known/../metrics",
    "/.well-known/%2e%2e/metrics",
    "/.well-known/x/%2E./../health/ready",
    "/mcp/../metrics",
    "/%6detrics",
  ]) {
    const { status, text } = await get(target);
    expect([target, status]).toEqual([target, 404]);
    // HAProxy's own answer: it did not get further.
    expect(text).not.toContain("not_found");
  }
  expect((await get("/.well-known/oauth-protected-resource/mcp")).text).toContain("not_found");
  expect((await get("/mcp")).status).toBe(405);
});

test("two strangers have two limits, whatever they say of themselves", async () => {
  const server = new MCPServer({
    name: "limited",
    version: "1.0.0",
    http: { trustedProxies: ["127.0.0.1"] },
  }).tool("once", { ...about, rateLimit: "1/h" }, () => "done");
  const url = await behind(await started(server));
  expect(await call(url, "127.0.0.2", "once")).toContain("done");
  expect(await call(url, "127.0.0.3", "once")).toContain("done");
  expect(await call(url, "127.0.0.2", "once")).toContain("RATE_LIMIT_EXCEEDED");
  const forged = { "x-forwarded-for": "203.0.113.7" };
  expect(await call(url, "127.0.0.3", "once", {}, forged)).toContain("RATE_LIMIT_EXCEEDED");
});

test("a stranger is not given another's result for the same idempotency key by the Task API", async () => {
  const directory = mkdtempSync(join(tmpdir(), "task-api-"));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  const api = await TaskApiProcess.start(["--data-dir", directory], { TRUSTED_PROXIES: "127.0.0.1" });
  closers.push(() => api.end("SIGTERM"));
  const url = await behind(api.url);
  const create = async (from: string, title: string) => {
    const text = await call(url, from, "create_task", { task: { title } }, { "idempotency-key": "1" });
    return /"structuredContent":\{"id":"(\d+)"/.exec(text)?.[1] ?? text;
  };
  expect(await create("127.0.0.2", "Mine")).toBe("1");
  expect(await create("127.0.0.3", "Mine")).toBe("2");
  expect(await create("127.0.0.2", "Mine")).toBe("1");
  expect(await create("127.0.0.4", "Another")).toBe("3");
});

test("a server that takes its time to say that it is ready stays, and one that ends loses no call", async () => {
  const options = { run: { transport: "http", port: 0 }, probeMs: 800 };
  const servers = [new DrainProcess(options), new DrainProcess(options)] as const;
  closers.push(() => servers.forEach(({ child }) => child.kill("SIGKILL")));
  const [first, second] = await Promise.all(servers.map(async (server) => await server.port()));
  const url = await behind(`http://127.0.0.1:${first}/mcp`, `http://127.0.0.1:${second}/mcp`);
  const statuses = new Set<number>();
  const work = async (milliseconds: number) => {
    const until = performance.now() + milliseconds;
    while (performance.now() < until) {
      const { status } = await fetch(
        url,
        envelope("tools/call", { name: "work", arguments: { ms: 1, nonce: "a" } }),
      );
      statuses.add(status);
    }
  };
  await work(1_500);
  expect([...statuses]).toEqual([200]);
  servers[0].kill();
  await work(2_000);
  expect([...statuses]).toEqual([200]);
});
