/** The official referee, `@modelcontextprotocol/conformance`, as a program that is run and read. */

import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One thing that the referee looked at. Warnings and skipped ones print green, and are not passed here. */
export interface Check {
  readonly id: string;
  readonly name: string;
  readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
  readonly errorMessage?: string;
  readonly details?: unknown;
}

const require = createRequire(import.meta.url);

const PROGRAMS = {
  newest: require.resolve("@modelcontextprotocol/conformance/package.json"),
  stable: require.resolve("conformance-stable/package.json"),
};

/** Runs the referee against the server at `url`; gives the checks of each scenario. */
export async function judge(
  node: string,
  referee: keyof typeof PROGRAMS,
  url: string,
  options: readonly string[],
): Promise<ReadonlyMap<string, readonly Check[]>> {
  const folder = mkdtempSync(join(tmpdir(), "gantry-conformance-"));
  try {
    const program = join(dirname(PROGRAMS[referee]), "dist", "index.js");
    const { code, output } = await run(node, [program, "server", "--url", url, "-o", folder, ...options]);
    // 1 says that a check failed, which is for the tests to tell.
    if (code !== 0 && code !== 1) throw new Error(`The referee ended with ${code}:\n${output}`);
    const results = new Map(
      readdirSync(folder).map((name) => [scenarioOf(name), checksIn(join(folder, name))]),
    );
    if (results.size === 0) throw new Error(`The referee judged nothing:\n${output}`);
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Results lie in `server-<scenario>-<time>`. */
function scenarioOf(folder: string): string {
  return folder.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, "");
}

function checksIn(folder: string): readonly Check[] {
  const file = join(folder, "checks.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Check[]) : [];
}

/** The oldest Node that the referee runs on. */
const REFEREE_NODE = 22;

/** A Node that the referee runs on: this one, or one that npm brings, kept beside the dependencies. */
export async function refereeNode(): Promise<string> {
  if (Number(process.versions.node.split(".", 1)[0]) >= REFEREE_NODE) return process.execPath;
  const cache = fileURLToPath(new URL("../../node_modules/.cache", import.meta.url));
  const folder = join(cache, "gantry-node-24");
  const windows = process.platform === "win32";
  const system = `${windows ? "win" : process.platform}-${process.arch}`;
  // The binaries that the npm package `node` would fetch by an install script.
  const name = system === "darwin-arm64" ? `node-bin-${system}` : `node-${system}`;
  const executable = join("node_modules", name, "bin", windows ? "node.exe" : "node");
  if (existsSync(join(folder, executable))) return join(folder, executable);

  mkdirSync(cache, { recursive: true });
  // Whoever installs at the same time does not get in the way: the folder appears whole or not at all.
  const fresh = mkdtempSync(join(cache, "gantry-node-"));
  writeFileSync(join(fresh, "package.json"), JSON.stringify({ private: true }));
  const args = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", `${name}@24`];
  const { code, output } = await run("npm", args, fresh);
  if (code !== 0)
    throw new Error(
      `The referee needs Node ${REFEREE_NODE} or newer, and npm could not bring one:\n${output}`,
    );
  if (!existsSync(folder)) {
    try {
      renameSync(fresh, folder);
    } catch {
      // Somebody else was faster.
    }
  }
  rmSync(fresh, { recursive: true, force: true });
  return join(folder, executable);
}

function run(
  command: string,
  args: readonly string[],
  cwd = process.cwd(),
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    // What loads this test's own sources is of no use to the referee.
    const { NODE_OPTIONS: _ours, ...env } = process.env;
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output: output.slice(-4_000) }));
  });
}
