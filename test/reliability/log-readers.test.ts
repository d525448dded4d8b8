/** Whoever reads stderr may be slow or gone: the server serves on. */

import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { parseLog } from "../support/captured-log.ts";
import { modern, modernHeaders, send } from "../support/wire.ts";
import type { Answers } from "./log-server.ts";
import { ServerProcess } from "./server-process.ts";

let server: ServerProcess<Answers>;

afterEach(() => server.stop());

async function started(): Promise<void> {
  server = await ServerProcess.start<Answers>({}, new URL("./log-server.ts", import.meta.url));
}

async function call(): Promise<string> {
  const body = JSON.stringify(modern("tools/call", { name: "echo", arguments: {} }));
  const { text } = await send(server.url, { headers: modernHeaders("tools/call", "echo"), body });
  return text;
}

test("a reader that is gone costs neither calls nor the process", async () => {
  await started();
  server.reader?.destroy();
  for (let round = 0; round < 3; round++) {
    await server.ask("log", { lines: 1_000, length: 100 });
    expect(await call()).toContain("here");
  }
  expect(server.alive).toBe(true);
});

test("a reader that does not read costs a mebibyte; what was dropped is told when it reads again", async () => {
  await started();
  await call();
  const before = await server.ask("memory");
  server.reader?.pause();
  for (let round = 0; round < 8; round++) {
    expect(await server.ask("log", { lines: 1_000, length: 8_000 })).toBeLessThan(5_000);
    expect(await call()).toContain("here");
  }
  const after = await server.ask("memory");
  // 64 MB were logged.
  expect(after.heap + after.external - before.heap - before.external).toBeLessThan(16_777_216);

  server.reader?.resume();
  while (!server.stderr.includes("Log lines were dropped")) {
    await server.ask("log", { lines: 1, length: 1 });
    await sleep(20);
  }
  const entries = parseLog(server.stderr);
  const { count } = entries.find(({ message }) => String(message).startsWith("Log lines were dropped")) ?? {};
  const written = entries.filter(({ text }) => String(text).length === 8_000).length;
  // The calls' own lines were among those that were dropped.
  expect((count as number) + written).toBeGreaterThanOrEqual(8_000);
  expect(written).toBeGreaterThan(100);
});
