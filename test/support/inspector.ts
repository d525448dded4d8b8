/** The official Inspector's command line, fetched once by npx and then run as it is. */

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = "@modelcontextprotocol/inspector";
const VERSION = "2.12.0";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Inspector {
  /** Runs `inspector --cli` on a server (a URL, or a command and its arguments) and gives the JSON that it prints. */
  run(server: string | readonly string[], ...options: string[]): Promise<Record<string, unknown>>;
  /** Forgets what it wrote. */
  remove(): void;
}

const LAUNCHER = join(PACKAGE, "clients", "launcher", "build", "index.js");

/** How long one run may take, and how long fetching: so long that only what hangs takes longer; in milliseconds. */
const LONGEST_RUN = 60_000;
const LONGEST_FETCH = 220_000;

/** Fetches the Inspector from the registry, where npx has not done so before. Fails where it cannot. */
export async function inspector(): Promise<Inspector> {
  const launcher = await fetched();
  const home = mkdtempSync(join(tmpdir(), "gantry-inspector-"));
  return {
    run: async (server, ...options) => {
      const target = typeof server === "string" ? [server] : [];
      const command = typeof server === "string" ? [] : ["--", ...server];
      const args = [launcher, "--cli", ...target, "--quiet", ...options, ...command];
      return JSON.parse(await output(process.execPath, args, { HOME: home })) as Record<string, unknown>;
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** The path of the Inspector's launcher, in the cache of npx. */
async function fetched(): Promise<string> {
  const npx = process.platform === "win32" ? "npx.cmd" : "npx";
  const printPath = `node -p "process.env.PATH"`;
  const quickToFail = { npm_config_fetch_retries: "1", npm_config_fetch_timeout: "60000" };
  let path: string;
  try {
    path = await output(
      npx,
      ["--yes", `--package=${PACKAGE}@${VERSION}`, "-c", printPath],
      { npm_config_ignore_scripts: "true", ...quickToFail },
      LONGEST_FETCH,
    );
  } catch (cause) {
    throw new Error(
      `${PACKAGE} could not be fetched. Its first run on a machine needs the npm registry: check the network, then run this again.\n${(cause as Error).message}`,
      { cause },
    );
  }
  const launchers = path
    .trim()
    .split(delimiter)
    .map((bin) => join(dirname(bin), LAUNCHER));
  const launcher = launchers.find((file) => existsSync(file));
  if (launcher === undefined)
    throw new Error(`npx fetched ${PACKAGE}, but ${LAUNCHER} is nowhere in ${path}`);
  return launcher;
}

function output(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  timeout: number = LONGEST_RUN,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const shell = process.platform === "win32";
    const options = { cwd: ROOT, env: { ...process.env, ...env }, shell, timeout };
    execFile(command, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const why = error.killed === true ? `killed after ${timeout} ms` : `ended with ${error.code}`;
      reject(new Error(`${command} ${args.join(" ")}: ${why}\n${stdout}\n${stderr}`, { cause: error }));
    });
  });
}
