/** SIGTERM under load, round after round: what a load balancer in front of the server would see. */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "./drain-connection.ts";
import { DrainProcess } from "./drain-process.ts";

const CONNECTIONS = 50;

/** How often the balancer asks for readiness at most and at least, in milliseconds: each round has its own pace. */
const POLL = [100, 500] as const;

export interface DrainReport {
  rounds: number;
  requests: number;
  /** Requests that waited for their answers when the signal came. */
  underWay: number;
  /** Requests sent after the signal: on connections that were there, and on those the balancer still opened. */
  afterSignal: number;
  openedAfterSignal: number;
  failed: number;
  /** Rounds that did not end with exit code 0 and both hooks run. */
  badExits: number;
  slowestExitMs: number;
  problems: string[];
}

/** @param processes - How many serve; each of them runs the hooks. */
export async function drainRounds(rounds: number, processes = 1): Promise<DrainReport> {
  const report: DrainReport = {
    rounds: 0,
    requests: 0,
    underWay: 0,
    afterSignal: 0,
    openedAfterSignal: 0,
    failed: 0,
    badExits: 0,
    slowestExitMs: 0,
    problems: [],
  };
  for (let i = 0; i < rounds; i++) await round(report, processes);
  return report;
}

/** What the balancer knows and the workers go by. */
interface Balancer {
  readonly port: number;
  ready: boolean;
  signalled: boolean;
  underWay: number;
}

async function round(report: DrainReport, processes: number): Promise<void> {
  const server = new DrainProcess({ run: { transport: "http", port: 0, processes } });
  const balancer: Balancer = { port: await server.port(), ready: true, signalled: false, underWay: 0 };
  const polling = poll(balancer);
  const working = Array.from({ length: CONNECTIONS }, (_, i) => work(i, balancer, report));
  await sleep(400 + Math.random() * 400);
  server.kill();
  balancer.signalled = true;
  report.underWay += balancer.underWay;
  const { code, after } = await server.exit();
  await Promise.all([polling, ...working]);
  report.rounds++;
  report.slowestExitMs = Math.max(report.slowestExitMs, after);
  const hooks =
    server.stderr
      .match(/^(first|second) hook$/gm)
      ?.toSorted()
      .join() ?? "";
  const expected = ["first hook", "second hook"].flatMap((hook) => Array<string>(processes).fill(hook));
  if (code === 0 && hooks === expected.join()) return;
  report.badExits++;
  report.problems.push(`exit ${code}: ${server.stderr.slice(-500)}`);
}

/** Asks for readiness, each time on a connection of its own, until the answer is no. */
async function poll(balancer: Balancer): Promise<void> {
  const pace = POLL[0] + Math.random() * (POLL[1] - POLL[0]);
  while (balancer.ready) {
    await sleep(pace);
    try {
      const connection = await Connection.open(balancer.port);
      const { status } = await connection.request("GET /health/ready HTTP/1.1");
      connection.close();
      if (status !== 200) balancer.ready = false;
    } catch {
      balancer.ready = false;
    }
  }
}

/** One request after the other, on one connection as long as the server keeps it; a new one only while ready. */
async function work(index: number, balancer: Balancer, report: DrainReport): Promise<void> {
  let connection: Connection | undefined;
  for (;;) {
    if (!connection) {
      if (!balancer.ready) return;
      if (balancer.signalled) report.openedAfterSignal++;
    }
    report.requests++;
    if (balancer.signalled) report.afterSignal++;
    try {
      connection ??= await Connection.open(balancer.port);
      const nonce = randomUUID();
      balancer.underWay++;
      const { status, body, last } = await connection.request(...call(index, nonce));
      balancer.underWay--;
      if (status !== 200 || !body.includes(`"text":"${nonce}"`)) throw new Error(`${status}: ${body}`);
      if (last) {
        connection.close();
        connection = undefined;
      }
    } catch (error) {
      report.failed++;
      const age = connection ? "a kept connection" : "a new connection";
      report.problems.push(`${age}, ${balancer.signalled ? "after" : "before"} the signal: ${String(error)}`);
      connection?.close();
      return;
    }
    // Some clients think between their calls.
    if (index % 5 === 0) await sleep(Math.random() * 50);
  }
}

/** A call that takes 0 to 300 ms, in either era. */
function call(index: number, nonce: string): [head: string, body: string] {
  const params = { name: "work", arguments: { ms: Math.floor(Math.random() * 301), nonce } };
  const common =
    "POST /mcp HTTP/1.1\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream";
  if (index % 2 === 0) {
    return [
      `${common}\r\nmcp-protocol-version: 2025-11-25`,
      JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
    ];
  }
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  return [
    `${common}\r\nmcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: work`,
    JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { ...params, _meta } }),
  ];
}
