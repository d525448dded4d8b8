/** Switches defences off, one at a time, in a copy of the project, and looks whether a test sees it. */

import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Defence } from "./defence.ts";
import { rooms } from "./index.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

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
  const folder = copyOfProject();
  try {
    const all = [...new Set(chosen.flatMap(({ tests }) => tests))];
    const before = await failedTest(folder, all, PATIENCE * 4);
    if (before !== undefined) {
      print(`The tests fail as the project is: ${before}`);
      return false;
    }
    let unseen = 0;
    for (const { room, defence, tests } of chosen) {
      const { seen, by } = await switchedOff(folder, defence, tests);
      if (!seen) unseen++;
      print(`${seen ? "red  " : "GREEN"} ${room.padEnd(13)} ${defence.what}: ${by}`);
    }
    print(`${chosen.length} defences, ${chosen.length - unseen} seen by a test, ${unseen} not`);
    return unseen === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
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
  try {
    const failed = await failedTest(folder, tests, PATIENCE);
    if (failed === undefined) return { seen: false, by: `no test of ${tests.join(", ")} fails` };
    return { seen: !failed.startsWith(BROKEN), by: failed };
  } finally {
    writeFileSync(path, source);
  }
}

/** What a file of tests ends with that cannot even be loaded: that proves nothing of the defence. */
const BROKEN = "cannot be run";

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
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
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  // Tests that fail now and then, on a busy machine, prove nothing.
  const options = ["--bail=1", "--retry=1", "--silent", "--reporter=json", `--outputFile=${file}`];
  const child = spawn(process.execPath, [vitest, "run", ...tests, ...options], {
    cwd: folder,
    stdio: ["ignore", "ignore", "ignore"],
    // What the tests have started goes with them.
    detached: true,
  });
  const ended = await new Promise<number | null>((resolve) => {
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, patience);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve(code);
    });
  });
  if (ended === 0) return undefined;
  if (ended === null) return `the tests did not end within ${patience / 1_000} s`;
  const { testResults } = JSON.parse(readFileSync(file, "utf8")) as Report;
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === "failed");
  if (failed) return failed.fullName.trim();
  const broken = testResults.find(({ status }) => status === "failed");
  return `${BROKEN}: ${broken?.name ?? tests.join(", ")} ${broken?.message ?? ""}`.trim();
}
