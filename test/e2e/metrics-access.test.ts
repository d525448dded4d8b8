/** Who may read metrics, and where: on the server's port, on one of their own, and within another's server. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  ConfigurationError,
  MCPServer,
  type MCPServerOptions,
  type MetricsOptions,
  authenticate,
} from "gantry-mcp";
import { afterEach, describe, expect, test } from "vitest";
import { type CapturedLog, capturedLog, parseLog } from "../support/captured-log.ts";
import { listen } from "../support/listening.ts";
import { scrape } from "../support/metrics.ts";
import { envelope, send } from "../support/wire.ts";
import { DrainProcess } from "./drain-process.ts";

const TOKEN = "metrics-token-0123456789";
const about = { description: "About it." };
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function server(options?: MetricsOptions, more: Partial<MCPServerOptions> = {}) {
  const log = capturedLog();
  const made = new MCPServer({ name: "measured", version: "1.0.0", logger: log.logger, ...more })
    .tool("act", about, () => "done")
    .enableMetrics(options);
  return { made, page: () => pageIn(log), log };
}

/** Where metrics on a port of their own are told to be. */
const pageIn = (log: Pick<CapturedLog, "entries">) =>
  log.entries().find(({ message }) => message === "Metrics are served")?.["url"] as string;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const callers = (optional: boolean) =>
  authenticate(
    {
      authenticate: ({ token }) => {
        if (token === "wrong") throw new Error("authenticator failed");
        return token === undefined ? undefined : { clientId: token };
      },
    },
    { optional },
  );

async function started(made: MCPServer, options?: Parameters<typeof listen>[1]) {
  const running = await listen(made, options);
  closers.push(() => running.close());
  return running;
}

const get = (url: string, headers: Record<string, string> = {}, path = "/metrics") =>
  send(url, { method: "GET", headers, path });

describe("on the server's port", () => {
  test("everybody who may call the server reads them where callers are not identified", async () => {
    const { url } = await started(server().made);
    const answer = await get(url);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
      "cache-control": "no-store",
    });
    expect((await send(url, { path: "/metrics" })).status).toBe(405);
  });

  test("pages of other sites do not, by whatever name they call the server", async () => {
    const { url } = await started(server().made);
    expect((await get(url, { host: "rebound.example.com" })).status).toBe(403);
    expect((await get(url, { origin: "https://rebound.example.com" })).status).toBe(403);
    expect((await get(url, { host: "localhost" })).status).toBe(200);
  });

  test.each([false, true])(
    "callers whom the authenticator identifies read them, and nobody else; optional: %s",
    async (optional) => {
      const { made } = server();
      const { url } = await started(made.use(callers(optional)));
      const refused = await get(url);
      expect(refused.status).toBe(401);
      expect(refused.headers["www-authenticate"]).toMatch(/^Bearer/);
      expect(refused.text).not.toContain("gantry_");
      expect((await get(url, bearer("ana"))).status).toBe(200);
    },
  );

  test("are not told when an authenticator fails", async () => {
    const { made, log } = server();
    const { url } = await started(made.use(callers(false)));
    const refused = await get(url, bearer("wrong"));
    expect(refused.status).toBe(500);
    expect(refused.text).not.toContain("gantry_");
    expect(refused.text).not.toContain("authenticator failed");
    expect(log.entries()).toContainEqual(expect.objectContaining({ level: "error" }));
  });

  test("where only a mounted server identifies callers, they are for those alone", async () => {
    const billing = new MCPServer({ name: "billing", version: "1.0.0" })
      .use(callers(false))
      .tool("refund", about, () => "done");
    const { url } = await started(server().made.mount(billing, { prefix: "billing" }));
    expect((await get(url)).status).toBe(401);
    expect((await get(url, bearer("ana"))).status).toBe(200);
  });

  test("with a token, it alone opens them", async () => {
    const { made } = server({ token: TOKEN });
    const { url } = await started(made.use(callers(false)));
    for (const headers of [{}, bearer("ana"), bearer(`${TOKEN}x`), bearer(TOKEN.slice(1))])
      expect((await get(url, headers)).status).toBe(401);
    expect((await get(url, bearer(TOKEN))).status).toBe(200);
  });

  test("are at the path that was asked for, or at none", async () => {
    const { url } = await started(server({ path: "/internal/metrics" }).made);
    expect((await get(url)).status).toBe(404);
    expect((await get(url, {}, "/internal/metrics")).status).toBe(200);
    const { url: without } = await started(server({ path: false }).made);
    expect((await get(without)).status).toBe(404);
  });

  test("stay out of the way of what else is served", async () => {
    for (const path of ["/mcp", "/health/ready", "/health/startup"])
      await expect(listen(server({ path }).made)).rejects.toThrow(`Two things are at the path "${path}"`);
  });
});

describe("on a port of their own", () => {
  test("they are for this machine, and nothing else is there", async () => {
    const { made, page } = server({ port: 0 });
    const { url } = await started(made.use(callers(false)));
    expect(page()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    expect(page()).not.toContain(new URL(url).port);
    expect((await get(url)).status).toBe(404);
    await fetch(url, envelope("tools/call", { name: "act" }, bearer("ana")));
    expect((await scrape(page())).value("gantry_calls_total", { component: "act" })).toBe(1);
    expect((await get(page(), {}, "/mcp")).status).toBe(404);
    expect((await get(page(), { host: "rebound.example.com" })).status).toBe(403);
    expect((await send(page(), { path: "/metrics" })).status).toBe(405);
    const head = await send(page(), { method: "HEAD", path: "/metrics" });
    expect([head.status, head.text]).toEqual([200, ""]);
  });

  test("a token protects them, also on other addresses than loopback", async () => {
    const { made, page } = server({ port: 0, host: "0.0.0.0", token: TOKEN });
    await started(made);
    const url = page().replace("0.0.0.0", "127.0.0.1");
    const refused = await get(url);
    expect([refused.status, refused.headers["www-authenticate"]]).toEqual([401, "Bearer"]);
    expect((await get(url, { ...bearer(TOKEN), host: "10.1.2.3:9464" })).status).toBe(200);
  });

  test("with a reason everybody reads them, and the log has the reason", async () => {
    const allowUnauthenticated = "only our Prometheus reaches it";
    const { made, page, log } = server({ port: 0, host: "0.0.0.0", allowUnauthenticated });
    await started(made);
    expect((await get(page().replace("0.0.0.0", "127.0.0.1"), { host: "10.1.2.3:9464" })).status).toBe(200);
    expect(log.entries()).toContainEqual(expect.objectContaining({ allowUnauthenticated }));
  });

  test("a port that is taken is told at the start", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    closers.push(() => taken.close());
    const { port } = taken.address() as AddressInfo;
    await expect(listen(server({ port }).made)).rejects.toThrow(`Port ${port} of 127.0.0.1 is in use`);
  });

  test("the last scrape works while the server drains and its hooks run, and the port is closed then", async () => {
    const log = capturedLog();
    const page = () => pageIn(log);
    const states: (number | undefined)[] = [];
    const look = async () => states.push((await scrape(page())).value("gantry_ready"));
    const made = new MCPServer({ name: "measured", version: "1.0.0", logger: log.logger })
      .onShutdown(look)
      .enableMetrics({ port: 0 });
    let entered = () => {};
    let release = () => {};
    const inside = new Promise<void>((resolve) => (entered = resolve));
    made.tool("wait", about, () => {
      entered();
      return new Promise<string>((resolve) => (release = () => resolve("done")));
    });
    const { url, close } = await listen(made);
    await look();
    const answer = fetch(url, envelope("tools/call", { name: "wait" }));
    await inside;
    const closing = close();
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await look();
    expect((await scrape(page())).value("gantry_calls_in_flight", { component: "wait" })).toBe(1);
    release();
    await answer;
    await closing;
    expect(states).toEqual([1, 0, 0]);
    await expect(scrape(page())).rejects.toThrow("fetch failed");
  });
});

describe("over stdio", () => {
  function overStdio(metrics: MetricsOptions) {
    const process = new DrainProcess({ run: { transport: "stdio" }, metrics });
    closers.push(() => process.child.kill("SIGKILL"));
    return process;
  }

  test("they have a port of their own, and count what is called", async () => {
    const process = overStdio({ port: 0 });
    await process.says("running");
    const call = { name: "work", arguments: { ms: 0, nonce: "n" } };
    const { body } = envelope("tools/call", call) as { readonly body: string };
    process.child.stdin.write(`${body}\n`);
    await once(process.child.stdout, "data");
    const page = pageIn({ entries: () => parseLog(process.stderr) });
    expect((await scrape(page)).value("gantry_calls_total", { component: "work" })).toBe(1);
  });

  test("there is no path to read them at: the server starts and says so", async () => {
    const process = overStdio({});
    await process.says("running");
    expect(parseLog(process.stderr)).toContainEqual(
      expect.objectContaining({
        level: "warn",
        message: expect.stringContaining("give them a port of their own, enableMetrics({ port: 9464 })"),
        path: "/metrics",
      }),
    );
  });

  test("without a path, and without OpenTelemetry, nobody is told: the server says that alone", async () => {
    const process = overStdio({ path: false });
    await process.says("running");
    expect(parseLog(process.stderr)).toMatchObject([
      {
        level: "warn",
        message: expect.stringContaining("no OpenTelemetry provider of meters is registered"),
      },
    ]);
  });
});

describe("within another's server", () => {
  test("they are at their path by fetch, protected as there", async () => {
    const { made } = server();
    made.use(callers(false));
    closers.push(() => made.close());
    const at = (headers = {}) => made.fetch(new Request("http://localhost/metrics", { headers }));
    expect((await at()).status).toBe(401);
    expect(await (await at(bearer("ana"))).text()).toContain("gantry_ready 1");
    const { made: open } = server();
    closers.push(() => open.close());
    expect((await open.fetch(new Request("http://localhost/metrics"))).status).toBe(200);
    expect((await open.fetch(new Request("http://rebound.example.com/metrics"))).status).toBe(403);
  });

  test("they are at their path by node", async () => {
    const { made } = server();
    const http = createServer(made.node);
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    closers.push(
      () => http.close(),
      () => made.close(),
    );
    const page = await scrape(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`);
    expect(page.value("gantry_ready")).toBe(1);
  });
});

describe("options that are wrong are told where they are written", () => {
  test.each<[MetricsOptions, string]>([
    [{ host: "0.0.0.0", port: 9464 }, 'host is "0.0.0.0", and whoever reaches it may read the metrics'],
    [{ host: "0.0.0.0", port: 9464, allowUnauthenticated: " " }, "whoever reaches it may read"],
    [{ host: "0.0.0.0" }, "are of a port of its own"],
    [{ path: "metrics" }, 'path is "metrics"'],
    [{ path: "/me trics" }, "write a plain one"],
    [{ port: 70_000 }, "port is 70000"],
    [{ port: 9464, path: false }, "a port without a path"],
    [{ token: "short" }, "the token is too short, and could be guessed: write at least 16 characters"],
    [
      { token: undefined } as unknown as MetricsOptions,
      "token is undefined: is its environment variable set?",
    ],
    [{ token: "" }, "the token is empty, or not a string: write at least 16 characters"],
    [{ token: "a token of four words" }, "has characters that no Authorization header carries"],
    [{ tokn: TOKEN } as MetricsOptions, 'Did you mean "token"?'],
    [true as unknown as MetricsOptions, "enableMetrics() got true"],
  ])("%j", (options, message) => {
    expect(() => server(options)).toThrow(ConfigurationError);
    expect(() => server(options)).toThrow(message);
  });

  test("and so is what comes twice, too late, or on a server that is mounted", async () => {
    expect(() => server().made.enableMetrics()).toThrow("once");
    const { made } = server();
    const outer = new MCPServer({ name: "outer", version: "1.0.0" });
    expect(() => outer.mount(made)).toThrow("Call it on the server that runs");
    const inner = new MCPServer({ name: "inner", version: "1.0.0" });
    outer.mount(inner);
    expect(() => inner.enableMetrics()).toThrow("too late");
    await started(outer);
    expect(() => outer.enableMetrics()).toThrow("too late");
  });
});
