// node test/long/crossing.mjs [calls]: so many calls, 100,000 unless told, of two callers who use the same ids, 800 at once over
// connections that both share. Prints one line of JSON; ends with 1 when an answer crosses over or is not what it has to be.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { crossing } = await import("../reliability/crossing.ts");

const started = performance.now();
const report = await crossing(Number(process.argv[2] ?? 100_000));
const seconds = Math.round((performance.now() - started) / 1_000);
console.log(JSON.stringify({ ...report, seconds }));
process.exitCode = report.crossed.length + report.failed.length === 0 ? 0 : 1;
