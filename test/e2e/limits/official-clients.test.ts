/** What the official clients, in sessions and on stdio too, are told by the built-in layers: the model can read all of it. */

import { afterEach, describe, expect, test } from "vitest";
import { fileURLToPath } from "node:url";
import { capturedLog } from "../../support/captured-log.ts";
import { type Driver, WAYS, type Way, overProcess, overUrl } from "../../support/clients.ts";
import { listen } from "../../support/listening.ts";
import { middlewareServer } from "../../support/middleware-server.ts";

const FIXTURE = fileURLToPath(new URL("../../fixtures/middleware-server.ts", import.meta.url));

const open: Driver[] = [];
afterEach(async () => {
  for (const driver of open.splice(0)) await driver.close();
});

async function connect(way: Way, sessions: boolean): Promise<Driver> {
  const driver =
    way.transport === "stdio" ? await overProcess(way, [FIXTURE]) : await overHttp(way, sessions);
  open.push(driver);
  return driver;
}

async function overHttp(way: Way, sessions: boolean): Promise<Driver> {
  const log = capturedLog();
  const { url, close } = await listen(middlewareServer({ logger: log.logger, http: { sessions } }));
  return overUrl(way, url, { log, end: close });
}

/** What a call came to: its text, or its code. */
async function outcome(driver: Driver, name: string): Promise<string> {
  const { content, isError } = await driver.callTool(name);
  const text = content[0]?.text ?? "";
  return isError ? (JSON.parse(text) as { error: { code: string } }).error.code : text;
}

async function outcomes(driver: Driver, ...names: readonly string[]): Promise<readonly string[]> {
  const all: string[] = [];
  for (const name of names) all.push(await outcome(driver, name));
  return all;
}

const PLACES = WAYS.flatMap((way) => [
  [`${way.client}, ${way.era}, ${way.transport}`, way, false] as const,
  ...(way.era === "legacy" && way.transport === "http"
    ? [[`${way.client}, in a session`, way, true] as const]
    : []),
]);

describe.each(PLACES)("%s", (_name, way, sessions) => {
  test("limits, time and circuits are told as results", async () => {
    const driver = await connect(way, sessions);
    expect(await outcomes(driver, "search", "search", "search", "search")).toEqual([
      "found",
      "found",
      "found",
      "RATE_LIMIT_EXCEEDED",
    ]);
    expect(await outcomes(driver, "hang")).toEqual(["TIMEOUT"]);
    expect(await outcomes(driver, "read_upstream", "write_upstream", "read_upstream")).toEqual([
      "INTERNAL_ERROR",
      "INTERNAL_ERROR",
      "CIRCUIT_OPEN",
    ]);
    const three = await Promise.all(["wait", "wait", "wait"].map((name) => outcome(driver, name)));
    expect(three.toSorted()).toEqual(["CONCURRENCY_LIMIT_EXCEEDED", "waited", "waited"]);
    const lines = driver.log().filter(({ durationMs }) => durationMs !== undefined);
    expect(lines.map(({ name, code }) => [name, code])).toEqual(
      expect.arrayContaining([
        ["search", undefined],
        ["search", "RATE_LIMIT_EXCEEDED"],
        ["hang", "TIMEOUT"],
        ["write_upstream", "INTERNAL_ERROR"],
        ["wait", "CONCURRENCY_LIMIT_EXCEEDED"],
      ]),
    );
  });
});

test("many sessions from one address have one limit", async () => {
  const { url, close } = await listen(
    middlewareServer({ http: { sessions: true }, logger: capturedLog().logger }),
  );
  const way = { client: "sdk 1.32", era: "legacy", transport: "http" } as const;
  const codes: string[] = [];
  for (let session = 0; session < 5; session++) {
    const driver = await overUrl(way, url);
    codes.push(await outcome(driver, "search"));
    await driver.close();
  }
  expect(codes).toEqual(["found", "found", "found", "RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED"]);
  await close();
});
