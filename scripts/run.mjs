// Runs the programs the other scripts need, and answers with what they said.
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** True when `url` (an `import.meta.url`) is the file that node was asked to run. */
export const isMain = (url) =>
  process.argv[1] !== undefined && fileURLToPath(url) === realpathSync(process.argv[1]);

/**
 * Runs a program with the project's own `node_modules/.bin` first in the PATH.
 * With `show` its output goes straight to the terminal; otherwise it is collected. `timeout` is in milliseconds.
 * Resolves with `{ code, output }`; a program that died of a signal or could not start has code 1.
 */
export function run(command, args = [], { show = false, timeout } = {}) {
  const windows = process.platform === "win32";
  const path = join(root, "node_modules", ".bin") + (windows ? ";" : ":") + process.env.PATH;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, PATH: path },
      timeout,
      stdio: ["ignore", show ? "inherit" : "pipe", show ? "inherit" : "pipe"],
      shell: windows,
    });
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text) => (output += text));
    child.stderr?.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", (error) => resolve({ code: 1, output: `${command}: ${error.message}` }));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
