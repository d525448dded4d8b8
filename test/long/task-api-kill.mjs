// node test/long/task-api-kill.mjs [rounds]: kills the Task API while clients write to it, 100 times unless told,
// and looks for acknowledged writes that are gone. Prints one line of JSON; ends with 1 when something is.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { killRounds } = await import("../examples/kill-rounds.ts");

const started = performance.now();
const report = await killRounds(Number(process.argv[2] ?? 100));
const seconds = Math.round((performance.now() - started) / 1000);
console.log(JSON.stringify({ ...report, seconds }));
process.exitCode = report.lost > 0 || report.problems.length > 0 ? 1 : 0;
