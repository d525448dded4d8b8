// node test/long/audit-kill.mjs [kills]: kills processes that write one audit log, two at once, 200 times unless told, and looks for
// answered calls that are not in it. Prints one line of JSON; ends with 1 when something is wrong.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { auditKills } = await import("../reliability/audit-kill.ts");

const started = performance.now();
const report = await auditKills(Number(process.argv[2] ?? 200));
const seconds = Math.round((performance.now() - started) / 1000);
console.log(JSON.stringify({ ...report, seconds }));
process.exitCode = report.problems.length > 0 ? 1 : 0;
