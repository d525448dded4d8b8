// npm start [-- --port 9000 | --stdio | …]: the Task API, on a fresh clone too.
//
// With --stdio nothing but MCP may reach stdout, and npm prints a banner there before this file runs:
// MCP clients start `node scripts/start.mjs --stdio`, not `npm start`.
import { fileURLToPath, pathToFileURL } from "node:url";
import { join } from "node:path";
import { install } from "./install.mjs";
import { root } from "./run.mjs";

const npm = process.env.npm_lifecycle_event === "start";
if (npm && process.argv.includes("--stdio") && process.env.npm_config_loglevel !== "silent") {
  console.error(
    `npm has printed its banner on stdout. Over stdio, start: node ${fileURLToPath(import.meta.url)} --stdio`,
  );
}

install();

// npm runs scripts through a shell that keeps a SIGTERM for itself: stop when whoever started us has gone,
// unless a signal has arrived here as well. A second one would cut the graceful end short.
if (npm && process.platform !== "win32") {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
  }, 250).unref();
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.once(signal, () => {
      clearInterval(watch);
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  }
}

// The same process from here on, so signals, exit code, stdin and stdout are the server's own.
const main = join(root, "examples", "task-api", "main.ts");
process.env.TSX_TSCONFIG_PATH = join(root, "tsconfig.json");
process.argv[1] = main;
process.execArgv.push("--import", "tsx"); // of workers
await import("tsx");
await import(pathToFileURL(main).href);
