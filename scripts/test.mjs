// npm test: everything (see check.mjs). npm test -- <vitest filters>: only the tests that match.
import { install } from "./install.mjs";
import { run } from "./run.mjs";
import { installServices } from "./services.mjs";

install();
installServices();

const filters = process.argv.slice(2);
if (filters.length > 0) {
  process.exitCode = (await run("vitest", ["run", ...filters], { show: true })).code;
} else {
  const { check } = await import("./check.mjs");
  process.exitCode = (await check()) ? 0 : 1;
}
