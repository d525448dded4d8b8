// node test/long/redis-faults.mjs [seconds] [fault …]: two servers under load on a Redis that is in each kind of trouble for so many
// seconds, 30 unless told. Prints a line of JSON for each; ends with 1 where one crashes, answers wrongly, or is ready too late.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
// The linter does not follow a URL: types of ioredis would bring Node's into every script that it looks at together with this one.
const { FAULTS, Stage } = await import(new URL("../reliability/redis-faults.ts", import.meta.url).href);

// What was started ends with this process, and Node runs no listener for that where a signal ends it.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const [seconds = "30", ...names] = process.argv.slice(2);
let isWell = true;
const stage = await Stage.open();
for (const name of names.length > 0 ? names : Object.keys(FAULTS)) {
  const report = await stage.strike(name, Number(seconds), Math.min(10, Number(seconds)));
  console.log(JSON.stringify(report));
  const { wrong, alive, outcries, notReadyMs, readyMs, p99BeforeMs, p99MeanwhileMs } = report;
  const inTime = notReadyMs <= 2_000 && readyMs <= 5_000 && p99MeanwhileMs <= 2 * p99BeforeMs;
  isWell &&= alive && inTime && wrong.length === 0 && outcries.length === 0;
}
await stage.close();
process.exitCode = isWell ? 0 : 1;
