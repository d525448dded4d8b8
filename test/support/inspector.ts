/** The official Inspector's command line, fetched once by npx and then run as it is. */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
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

/** Fetches the Inspector from the registry, where npx has not done so before. */
export async function inspector(): Promise<Inspector> {
  const npm = process.platform === "win32" ? "npx.cmd" : "npx";
  const printPath = `node -p "process.env.PATH"`;
  const path = await output(npm, ["--yes", `--package=${PACKAGE}@${VERSION}`, "-c", printPath], {
    npm_config_ignore_scripts: "true",
  });
  // npx puts what it has fetched first.
  const [bin = ""] = path.trim().split(delimiter);
  const launcher = join(dirname(bin), PACKAGE, "clients", "launcher", "build", "index.js");
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

function output(command: string, args: readonly string[], env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd: ROOT, env: { ...process.env, ...env }, shell: process.platform === "win32" };
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`, { cause: error }));
      else resolve(stdout);
    });
  });
}
