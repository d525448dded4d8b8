/** Servers that share a backend: they count, keep and hear together; and when it is opened, probed and closed. */

import {
  type Backend,
  ConfigurationError,
  MCPError,
  MCPRouter,
  MCPServer,
  type MCPServerOptions,
  ToolError,
  circuitBreaker,
  concurrency,
} from "gantry-mcp";
import { TestClient, type ToolCallError } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { listen } from "../support/listening.ts";
import { sharedMemory } from "../support/shared-memory.ts";
import { modern, modernHeaders, send } from "../support/wire.ts";

const about = { description: "About it." };
const code = (call: Promise<unknown>) =>
  call.then(
    () => "ok",
    (error: unknown) => (error as ToolCallError).code,
  );

/** Two servers, and a client of each. */
async function two(make: (options: MCPServerOptions) => MCPServer) {
  const { backend } = sharedMemory();
  const servers = [backend(), backend()].map((each) =>
    make({ name: "fleet", version: "1.0.0", backend: each }),
  );
  const [a, b] = await Promise.all(servers.map((server) => TestClient.connect(server)));
  return { a: a as TestClient, b: b as TestClient, servers };
}

describe("two servers with one backend", () => {
  test("count calls together, and those under way", async () => {
    let release = () => {};
    const gate = new Promise<string>((resolve) => (release = () => resolve("done")));
    let running = 0;
    const { a, b } = await two((options) =>
      new MCPServer(options)
        .tool("search", { ...about, rateLimit: "3/h" }, () => "found")
        .tool("export", { ...about, concurrency: 2 }, () => (running++, gate)),
    );
    expect([
      await code(a.call("search")),
      await code(b.call("search")),
      await code(a.call("search")),
    ]).toEqual(["ok", "ok", "ok"]);
    expect(await code(b.call("search"))).toBe("RATE_LIMIT_EXCEEDED");
    const calls = [a.call("export"), b.call("export")];
    await expect.poll(() => running).toBe(2);
    expect([await code(a.call("export")), await code(b.call("export"))]).toEqual([
      "CONCURRENCY_LIMIT_EXCEEDED",
      "CONCURRENCY_LIMIT_EXCEEDED",
    ]);
    release();
    expect(await Promise.all(calls)).toEqual(["done", "done"]);
    expect(await code(b.call("export"))).toBe("ok");
  });

  test("have one breaker, which each of them can read and reset", async () => {
    const breakers = [circuitBreaker({ failures: 2 }), circuitBreaker({ failures: 2 })];
    let next = 0;
    const { a, b } = await two((options) =>
      new MCPServer(options)
        .use(breakers[next++] as Exclude<(typeof breakers)[0], undefined>)
        .tool("search", about, () => {
          throw new Error("down");
        }),
    );
    expect([await code(a.call("search")), await code(b.call("search"))]).toEqual([
      "INTERNAL_ERROR",
      "INTERNAL_ERROR",
    ]);
    expect([await code(a.call("search")), await code(b.call("search"))]).toEqual([
      "CIRCUIT_OPEN",
      "CIRCUIT_OPEN",
    ]);
    for (const breaker of breakers) expect(await breaker.state({ tool: "search" })).toBe("open");
    await breakers[1]?.reset();
    expect(await breakers[0]?.state({ tool: "search" })).toBe("closed");
    expect(await code(a.call("search"))).toBe("INTERNAL_ERROR");
  });

  test("keep results together, made once for all who want them at the same time, and forgotten together", async () => {
    let ran = 0;
    const { a, b } = await two((options) =>
      new MCPServer(options)
        .tool("report", { ...about, tags: ["tasks"], cache: { ttl: "1h", scope: "shared" } }, async () => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          return `report ${++ran}`;
        })
        .tool("change", { ...about, invalidates: ["tasks"] }, () => "changed"),
    );
    const reports = await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 ? a : b).call("report")),
    );
    expect(new Set(reports)).toEqual(new Set(["report 1"]));
    await b.call("change");
    expect([await a.call("report"), await b.call("report")]).toEqual(["report 2", "report 2"]);
    expect(ran).toBe(2);
  });

  test("where the one that makes a result fails, the other makes it", async () => {
    let ran = 0;
    const { a, b } = await two((options) =>
      new MCPServer(options).tool("report", { ...about, cache: { ttl: "1h", scope: "shared" } }, async () => {
        const run = ++ran;
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (run === 1) throw new ToolError("Not yet.");
        return `report ${run}`;
      }),
    );
    const first = code(a.call("report"));
    await expect.poll(() => ran).toBe(1);
    expect([await b.call("report"), await first]).toEqual(["report 2", "TOOL_ERROR"]);
  });

  test("let idempotent calls have their effect once", async () => {
    let ran = 0;
    const { a, b } = await two((options) =>
      new MCPServer(options).tool("pay", { ...about, idempotent: true }, () => `receipt ${++ran}`),
    );
    expect([await a.call("pay"), await b.call("pay")]).toEqual(["receipt 1", "receipt 1"]);
  });

  test("tell their clients what changed on the other", async () => {
    const { a, servers } = await two((options) =>
      new MCPServer(options).resource("config://app", { ...about, name: "config" }, () => "on"),
    );
    const subscription = await a.listen({ resourceSubscriptions: ["config://app"] });
    servers[1]?.notify.resourceUpdated("config://app");
    expect(await subscription.next()).toMatchObject({ params: { uri: "config://app" } });
    await subscription.close();
  });
});

test("is opened before the start-up hooks, probed, and closed after the shutdown hooks", async () => {
  const { backend, journal } = sharedMemory();
  let isThere = true;
  const server = new MCPServer({
    name: "fleet",
    version: "1.0.0",
    backend: backend({ probe: () => isThere }),
  })
    .onStartup(() => void journal.push("startup"))
    .onShutdown(() => void journal.push("shutdown"));
  const { url, close } = await listen(server);
  const ready = async () => fetch(new URL("/health/ready", url)).then((answer) => answer.json());
  expect(await ready()).toMatchObject({ checks: { backend: "ok" } });
  isThere = false;
  expect(await ready()).toMatchObject({ checks: { backend: "failed" } });
  await close();
  expect(journal).toEqual(["open fleet", "startup", "shutdown", "close"]);
});

test("one that must not be started with stops the start, and says why", async () => {
  const { backend } = sharedMemory();
  const refusing = backend({
    open: () => {
      throw new ConfigurationError("maxmemory-policy is allkeys-lru: write noeviction.");
    },
  });
  const server = new MCPServer({ name: "fleet", version: "1.0.0", backend: refusing });
  await expect(server.run({ transport: "http", port: 0 })).rejects.toThrow("write noeviction");
});

test("an option of its own replaces a part of it", async () => {
  const { backend } = sharedMemory();
  const own = sharedMemory().backend();
  const make = (limits: MCPServerOptions["limits"]) =>
    new MCPServer({ name: "fleet", version: "1.0.0", backend: backend(), ...(limits && { limits }) }).tool(
      "search",
      { ...about, rateLimit: "1/h" },
      () => "found",
    );
  const [a, b] = [make(undefined), make({ store: own.limits })];
  expect([
    await code((await TestClient.connect(a)).call("search")),
    await code((await TestClient.connect(b)).call("search")),
    await code((await TestClient.connect(a)).call("search")),
  ]).toEqual(["ok", "ok", "RATE_LIMIT_EXCEEDED"]);
});

test("a store that cannot be reached is 503 for a resource, a result for a tool, and no failure of what a breaker guards", async () => {
  const { backend } = sharedMemory();
  const gone = () => {
    throw new MCPError("Gone", { code: "BACKEND_UNAVAILABLE", details: { retry_after_seconds: 1 } });
  };
  const breaker = circuitBreaker({ failures: 1 });
  const limits = { charge: gone };
  const server = new MCPServer({ name: "fleet", version: "1.0.0", backend: backend({ limits }) })
    .use(breaker)
    .tool("search", { ...about, rateLimit: "1/h" }, () => "found")
    .resource("config://app", { ...about, name: "config", rateLimit: "1/h" }, () => "on");
  const { url, close } = await listen(server);
  const post = (method: string, params: { name?: string; uri?: string }) =>
    send(url, {
      headers: modernHeaders(method, params.name ?? params.uri),
      body: JSON.stringify(modern(method, params)),
    });
  const read = await post("resources/read", { uri: "config://app" });
  expect([read.status, read.headers["retry-after"], read.json?.error?.data?.["retryable"]]).toEqual([
    503,
    "1",
    true,
  ]);
  const called = await post("tools/call", { name: "search" });
  expect([called.status, called.headers["retry-after"]]).toEqual([200, "1"]);
  expect(await breaker.state({ tool: "search" })).toBe("closed");
  await close();
});

test("breakers go by what their process sees where the shared state cannot be had", async () => {
  const { backend } = sharedMemory();
  const gone = async () => {
    throw new Error("gone");
  };
  const circuits = { enter: gone, state: gone, reset: gone } as unknown as Backend["circuits"];
  const server = new MCPServer({ name: "fleet", version: "1.0.0", backend: backend({ circuits }) })
    .use(circuitBreaker({ failures: 2 }))
    .tool("search", about, () => {
      throw new Error("down");
    });
  const client = await TestClient.connect(server);
  expect([
    await code(client.call("search")),
    await code(client.call("search")),
    await code(client.call("search")),
  ]).toEqual(["INTERNAL_ERROR", "INTERNAL_ERROR", "CIRCUIT_OPEN"]);
});

describe("layers that would be counted together by mistake", () => {
  const layered = (backend: Backend | undefined, layers: readonly ReturnType<typeof concurrency>[]) => {
    const server = new MCPServer({ name: "fleet", version: "1.0.0", ...(backend && { backend }) });
    layers.forEach((layer, index) =>
      server.include(new MCPRouter({ middleware: [layer] }).tool(`tool${index}`, about, () => "done")),
    );
    return server;
  };

  test("are refused at the start, with what to write, and only where there is a backend", async () => {
    const same = () => [concurrency({ max: 5 }), concurrency({ max: 5 })];
    await TestClient.connect(layered(undefined, same()));
    await expect(TestClient.connect(layered(sharedMemory().backend(), same()))).rejects.toThrow(
      /Two concurrency\(\) count under one name.*concurrency\(\{ name: "reports"/,
    );
    await TestClient.connect(
      layered(sharedMemory().backend(), [concurrency({ max: 5 }), concurrency({ max: 5, name: "reports" })]),
    );
    await TestClient.connect(
      layered(sharedMemory().backend(), [
        concurrency({ max: 5, perTool: true }),
        concurrency({ max: 5, perTool: true }),
      ]),
    );
  });

  test("a name that is none is refused", () => {
    expect(() => concurrency({ max: 1, name: "a b" })).toThrow(
      'concurrency(): name is "a b": use 1 to 64 letters',
    );
    expect(() => circuitBreaker({ name: "" })).toThrow('circuitBreaker(): name is "": use 1 to 64 letters');
  });
});

test.each<readonly [unknown, string]>([
  [
    "redis://localhost",
    'backend is "redis://localhost": write redis("rediss://…"), with redis from "gantry-mcp/redis".',
  ],
  [{}, "backend has no open and no probe and no close"],
  [{ ...sharedMemory().backend(), places: undefined }, "backend.places is undefined: write a store there."],
  [{ ...sharedMemory().backend(), circuits: {} }, "backend.circuits has no enter and no state and no reset"],
])("a backend that is none is refused", (backend, message) => {
  expect(() => new MCPServer({ name: "fleet", version: "1.0.0", backend: backend as Backend })).toThrow(
    message,
  );
});
