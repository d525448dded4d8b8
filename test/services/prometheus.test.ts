/** A real Prometheus reads a server's metrics as the page says, and answers every query on it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ListeningServer,
  MCPError,
  MCPServer,
  ToolError,
  authenticate,
  circuitBreaker,
  rateLimit,
} from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { blocks } from "../docs/page.ts";
import { root } from "../docs/program.ts";
import { capturedLog } from "../support/captured-log.ts";
import { listen } from "../support/listening.ts";
import { Prometheus } from "../support/prometheus.ts";
import { envelope } from "../support/wire.ts";

const page = blocks(readFileSync(join(root, "docs/operations/metrics.md"), "utf8"));
const queries = page.filter(({ language }) => language === "promql").map(({ code }) => code.trim());
const config = page.find(({ language }) => language === "yaml")?.code ?? "";

/** What a query compares, without the threshold on its last line. */
const unlimited = (query: string) => query.replace(/\n\s*(?:[<>]|==) [\d.]+$/, "");

const TOKEN = /credentials: (\S+)/.exec(config)?.[1] ?? "";
const about = { description: "About it." };

let running: ListeningServer;
let prometheus: Prometheus;
let there = true;

/** A server of which every metric has something to tell. */
function eventful(): MCPServer {
  return new MCPServer({
    name: "task-api",
    version: "1.0.0",
    logger: capturedLog().logger,
    http: { sessions: true },
  })
    .enableMetrics({ token: TOKEN })
    .use(authenticate({ authenticate: () => undefined }, { optional: true }))
    .use(rateLimit({ perMinute: 1_000 }))
    .use(circuitBreaker({ failures: 3, recovery: "5m" }))
    .readiness("database", () => there)
    .tool("search", { ...about, cache: { ttl: "5m" } }, () => "found")
    .tool("pay", { ...about, idempotent: true }, () => "paid")
    .tool("busy", about, () => {
      throw new MCPError("Being rebuilt", { code: "ARCHIVE_BUSY" });
    })
    .tool("refuse", about, () => {
      throw new ToolError("Not today.");
    })
    .tool("rare", { ...about, rateLimit: "1/h" }, () => "done")
    .tool("secret", { ...about, roles: ["admin"] }, () => "secret")
    .tool("crash", about, () => {
      throw new Error("disk gone");
    });
}

/** Calls everything that there is, and what there is not. */
async function traffic(): Promise<void> {
  for (let round = 0; round < 4; round++) {
    for (const name of ["search", "pay", "busy", "refuse", "rare", "secret", "crash", "missing"])
      await (await fetch(running.url, envelope("tools/call", { name }))).text();
    await (await fetch(running.url, { method: "PUT" })).text();
  }
}

/** The value of the only series that a query gives; `undefined` where there is none. */
const one = async (promql: string) => (await prometheus.query(promql))[0]?.value;

/** Waits for so many more scrapes. */
async function scrapes(more: number): Promise<void> {
  const count = async () => (await one("count_over_time(up[1m])")) ?? 0;
  const enough = (await count()) + more;
  while ((await count()) < enough) await new Promise((resolve) => setTimeout(resolve, 100));
}

beforeAll(async () => {
  const server = eventful();
  running = await listen(server);
  const client = await TestClient.connect(server);
  await client.listen({ toolsListChanged: true });
  await traffic();
  const scraped = config.replace("127.0.0.1:8080", new URL(running.url).host);
  prometheus = await Prometheus.start(
    `global: { scrape_interval: 250ms, scrape_timeout: 250ms }\n${scraped}`,
  );
  await scrapes(2);
  await traffic();
  await scrapes(3);
});

afterAll(async () => {
  await prometheus?.stop();
  await running?.close();
});

describe("every query of the page", () => {
  test("has a threshold, and there are some", () => {
    expect(queries.length).toBeGreaterThan(20);
    expect(queries.filter((query) => unlimited(query) === query)).toEqual([]);
  });

  test.each(queries)("%s", async (query) => {
    await prometheus.query(query);
    const samples = await prometheus.query(unlimited(query));
    expect(samples.length).toBeGreaterThan(0);
    expect(samples.map(({ value }) => value)).not.toContain(NaN);
  });
});

test("what the queries give is what happened", async () => {
  expect(await one("up")).toBe(1);
  expect(await one('sum(gantry_calls_total{component="(unknown)",code="TOOL_NOT_FOUND"})')).toBe(8);
  expect(await one('gantry_calls_total{component="busy",code="ARCHIVE_BUSY"}')).toBe(8);
  expect(await one('gantry_calls_total{component="crash",code="INTERNAL_ERROR"}')).toBe(3);
  expect(await one('gantry_calls_total{component="crash",code="CIRCUIT_OPEN"}')).toBe(5);
  expect(await one('gantry_circuit_open{circuit="tool:crash"}')).toBe(1);
  expect(await one('gantry_cache_results_total{component="search",outcome="hit"}')).toBe(7);
  expect(await one("gantry_build_info")).toBe(1);
  expect(
    await one(
      'histogram_quantile(0.95, sum by (le) (rate(mcp_server_operation_duration_seconds_bucket{component="search"}[5m])))',
    ),
  ).toBeLessThan(1);
});

test("what needs the server is seen to be gone, and to come back", async () => {
  const down = queries.find((query) => query.includes("gantry_probe_up")) ?? "";
  expect(await prometheus.query(down)).toEqual([]);
  there = false;
  await vi.waitFor(
    async () =>
      expect(await prometheus.query(down)).toMatchObject([{ metric: { probe: "database" }, value: 0 }]),
    10_000,
  );
  there = true;
  await vi.waitFor(async () => expect(await prometheus.query(down)).toEqual([]), 10_000);
});
