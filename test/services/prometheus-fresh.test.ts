/** A real Prometheus and a server that nobody has called: what the queries of the page say of it, and of the first that happens. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ListeningServer, MCPServer, circuitBreaker } from "gantry-mcp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { blocks } from "../docs/page.ts";
import { root } from "../docs/program.ts";
import { capturedLog } from "../support/captured-log.ts";
import { listen } from "../support/listening.ts";
import { Prometheus } from "../support/prometheus.ts";
import { envelope } from "../support/wire.ts";

const queries = blocks(readFileSync(join(root, "docs/operations/metrics.md"), "utf8"))
  .filter(({ language }) => language === "promql")
  .map(({ code }) => code.trim());

/** The only query that has these words. */
const asking = (...words: readonly string[]): string => {
  const found = queries.filter((query) => words.every((word) => query.includes(word)));
  expect([words, found.length]).toEqual([words, 1]);
  return found[0] as string;
};

let running: ListeningServer;
let prometheus: Prometheus;

beforeAll(async () => {
  const server = new MCPServer({ name: "fresh", version: "1.0.0", logger: capturedLog().logger })
    .enableMetrics()
    .use(circuitBreaker({ failures: 3 }))
    .tool(
      "search",
      { description: "Search.", cache: { ttl: "5m" }, input: z.object({ word: z.number() }) },
      () => "found",
    )
    .tool("crash", { description: "Crash.", idempotent: true, rateLimit: "1000/s" }, () => {
      throw new Error("disk gone");
    });
  running = await listen(server);
  prometheus = await Prometheus.start(
    `global: { scrape_interval: 250ms, scrape_timeout: 250ms }
scrape_configs: [{ job_name: task-api, static_configs: [{ targets: ["${new URL(running.url).host}"] }] }]`,
  );
  await scrapes(3);
});

afterAll(async () => {
  await prometheus?.stop();
  await running?.close();
});

async function scrapes(more: number): Promise<void> {
  const count = async () => (await prometheus.query("count_over_time(up[1m])"))[0]?.value ?? 0;
  const enough = (await count()) + more;
  while ((await count()) < enough) await new Promise((resolve) => setTimeout(resolve, 100));
}

const call = async (name: string, args: object = {}) =>
  (await fetch(running.url, envelope("tools/call", { name, arguments: args }))).text();

test("of a server that nobody has called, the page says that alone", async () => {
  const nobody = asking('kind="tool"}[15m]', "== 0");
  // What the process does depends on the machine.
  for (const query of queries.filter((each) => !/nodejs_|process_/.test(each))) {
    const samples = await prometheus.query(query);
    expect([query, samples.map(({ value }) => value)]).toEqual([query, query === nobody ? [0] : []]);
  }
});

test("a cache that no call has hit, the first errors and the first opening are told", async () => {
  for (let word = 0; word < 20; word++) await call("search", { word });
  for (let time = 0; time < 6; time++) await call("crash");
  for (let time = 0; time < 60; time++) await call("missing");
  await scrapes(3);
  const cache = asking("gantry_cache_results_total", "< 0.5");
  expect(await prometheus.query(cache)).toMatchObject([{ metric: { component: "search" }, value: 0 }]);
  expect(await prometheus.query(asking("INTERNAL_ERROR|TIMEOUT|CIRCUIT_OPEN"))).toHaveLength(1);
  const opened = asking("gantry_circuit_opened_total").replace("> 3", "> 0");
  expect(await prometheus.query(opened)).toMatchObject([{ metric: { circuit: "tool:crash" } }]);
  const unknown = asking('component="(unknown)"').replace("> 1", "> 0");
  expect(await prometheus.query(unknown)).toMatchObject([{ metric: { kind: "tool" } }]);
  expect(await prometheus.query(asking('kind="tool"}[15m]', "== 0"))).toEqual([]);
});
