// node test/long/callers.mjs [callers]: so many callers, 100,000 unless told, each with one call, of a server that limits, keeps and
// repeats. Prints one line of JSON; ends with 1 where one is not answered, or one passes that has used up its limit, or memory grows.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { callers } = await import("../reliability/callers.ts");

const started = performance.now();
const report = await callers(Number(process.argv[2] ?? 100_000));
const seconds = Math.round((performance.now() - started) / 1_000);
console.log(JSON.stringify({ ...report, seconds }));
process.exitCode = report.wrong + report.passedAgain === 0 && report.heap < 64 ? 0 : 1;
