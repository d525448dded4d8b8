/** Switches defences off, one at a time, in copies of the project, and looks whether a test sees it. */

import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Defence } from "./defence.ts";
import { rooms } from "./index.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Defences that are switched off at the same time, each in a copy of its own: the tests of one wait more than they work. */
const AT_ONCE = 2;

/** Tests that do not end, because nothing bounds what they wait for any more, have seen it; in milliseconds. */
const PATIENCE = 240_000;

/** What became of a defence that was switched off: the first test that failed, or why none did. */
interface Verdict {
  readonly seen: boolean;
  readonly by: string;
}

/**
 * Runs the proof for the rooms whose names are given, or for all; one line for each defence.
 *
 * @returns Whether all tests pass as the project is, and one fails for each defence.
 */
export async function mutations(
  names: readonly string[],
  print: (line: string) => void = console.log,
): Promise<boolean> {
  const unknown = names.filter((name) => !rooms.some((room) => room.name === name));
  if (unknown.length > 0) {
    print(`No such room: ${unknown.join(", ")}. Write one of: ${rooms.map(({ name }) => name).join(", ")}.`);
    return false;
  }
  const chosen = rooms
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .flatMap((room) =>
      room.defences.map((defence) => ({ room: room.name, defence, tests: defence.tests ?? room.tests })),
    );
  const started = performance.now();
  const folders = Array.from({ length: AT_ONCE }, copyOfProject);
  const leave = () => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    for (const child of running) stop(child);
  };
  process.once("exit", leave);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

  let unsound = false;
  let unseen = 0;
  const waiting = chosen.values();
  const asItIs = async (folder: string) => {
    const all = [...new Set(chosen.flatMap(({ tests }) => tests))];
    const failed = await failedTest(folder, [...all, "--testTimeout=120000"], PATIENCE * 8);
    unsound = failed !== undefined;
    print(unsound ? `The tests fail as the project is: ${failed}` : "The tests pass as the project is");
  };
  const work = async (folder: string) => {
    for (const { room, defence, tests } of waiting) {
      const { seen, by } = await switchedOff(folder, defence, tests);
      if (!seen) unseen++;
      print(`${seen ? "red  " : "GREEN"} ${room.padEnd(13)} ${defence.what}: ${by}`);
    }
  };
  const [first, ...others] = folders as [string, ...string[]];
  await Promise.all([asItIs(first).then(() => work(first)), ...others.map(work)]);
  const seconds = ((performance.now() - started) / 1_000).toFixed(0);
  print(
    `${chosen.length} defences, ${chosen.length - unseen} seen by a test, ${unseen} not, in ${seconds} s`,
  );
  return unseen === 0 && !unsound;
}

/** The project without what git does not keep. Its packages are those that are installed. */
function copyOfProject(): string {
  const folder = mkdtempSync(join(tmpdir(), "gantry-mutations-"));
  const left = new Set([".git", "node_modules", "dist"].map((name) => join(root, name)));
  cpSync(root, folder, { recursive: true, filter: (path) => !left.has(path) });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  return folder;
}

async function switchedOff(
  folder: string,
  { file, find, replace }: Defence,
  tests: readonly string[],
): Promise<Verdict> {
  const path = join(folder, file);
  const source = readFileSync(path, "utf8");
  const pieces = source.split(find);
  if (pieces.length !== 2)
    return { seen: false, by: `its text stands in ${file} ${pieces.length - 1} times, and not once` };
  writeFileSync(path, pieces.join(replace));
  const failed = await failedTest(folder, tests, PATIENCE);
  writeFileSync(path, source);
  if (failed === undefined) return { seen: false, by: `no test of ${tests.join(", ")} fails` };
  return { seen: !failed.startsWith(BROKEN), by: failed };
}

/** What is said of a file of tests that cannot even be loaded: that proves nothing of the defence. */
const BROKEN = "cannot be run";

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

/** The first test that fails, if one does. */
async function failedTest(
  folder: string,
  tests: readonly string[],
  patience: number,
): Promise<string | undefined> {
  const file = join(folder, "report.json");
  rmSync(file, { force: true });
  const ended = await vitest(folder, [...tests, `--outputFile=${file}`], patience);
  if (ended === 0) return undefined;
  if (ended === "late") return `the tests did not end within ${patience / 1_000} s`;
  const { testResults } = readReport(file);
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === "failed");
  if (failed) {
    // A test that only takes too long may do so on a busy machine as well: whoever reads this is to know.
    const late = failed.failureMessages?.some((message) => message.includes("timed out in"));
    return failed.fullName.trim() + (late ? " (timed out)" : "");
  }
  const broken = testResults.find(({ status }) => status === "failed");
  return `${BROKEN}: ${broken?.name ?? tests.join(", ")} ${broken?.message ?? ""}`.trim();
}

function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return { testResults: [] };
  }
}

const running = new Set<ChildProcess>();

/** Its exit code, or that it did not end in time. */
function vitest(folder: string, args: readonly string[], patience: number): Promise<number | null | "late"> {
  const command = join(root, "node_modules/vitest/vitest.mjs");
  // Tests that fail now and then, on a busy machine, prove nothing.
  const options = ["--bail=1", "--retry=1", "--silent", "--reporter=json"];
  const child = spawn(process.execPath, [command, "run", ...args, ...options], {
    cwd: folder,
    stdio: "ignore",
    // Processes that tests start are to run the copy, too.
    env: { ...process.env, TSX_TSCONFIG_PATH: join(folder, "tsconfig.json") },
    // What the tests have started goes with them.
    detached: true,
  });
  running.add(child);
  return new Promise((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      stop(child);
    }, patience);
    child.once("close", (code) => {
      clearTimeout(timer);
      running.delete(child);
      resolve(late ? "late" : code);
    });
  });
}

function stop({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
