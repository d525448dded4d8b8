/** The lines of calls are gathered, and written however a process ends that is not killed. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { parseLog } from "../support/captured-log.ts";

const PROGRAM = fileURLToPath(new URL("./log-ending.ts", import.meta.url));

let child: ChildProcess;
let stderr = "";

afterEach(() => child.kill("SIGKILL"));

function run(how: string): ChildProcess {
  stderr = "";
  child = spawn(process.execPath, ["--import", "tsx", PROGRAM, how], { stdio: ["ignore", "ignore", "pipe"] });
  child.stderr?.on("data", (text: Buffer) => (stderr += text.toString()));
  return child;
}

/** What stands in the log: the messages of lines, and `call` for those of calls. */
const told = () => parseLog(stderr).map(({ message, outcome }) => (outcome === "ok" ? "call" : message));

const calls = (count: number) => Array.from({ length: count }, () => "call");

test("by process.exit() in the turn of the calls: no line is missing, and all are in order", async () => {
  const [code] = (await once(run("exit"), "close")) as [number];
  expect(code).toBe(7);
  expect(told()).toEqual(["call", "before the calls", ...calls(100), "after the calls", ...calls(3)]);
});

test("by an error that nobody catches: they stand before it", async () => {
  await once(run("throw"), "close");
  expect(told()).toEqual(["call", "before the calls", ...calls(100)]);
  expect(stderr.indexOf("nobody catches this")).toBeGreaterThan(stderr.lastIndexOf('"outcome":"ok"'));
});

test("never, in a turn that does not end: what others than calls say is there, and what is too much to be kept", async () => {
  run("stuck");
  await expect.poll(told, { timeout: 20_000 }).toContain("before the calls");
  await expect.poll(() => told().length).toBeGreaterThan(30);
});
