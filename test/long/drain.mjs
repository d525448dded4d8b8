// node test/long/drain.mjs [rounds] [processes]: ends a server by SIGTERM while 50 keep-alive connections call it, 50 times unless
// told. Prints one line of JSON; ends with 1 when a promised request failed or a round did not end well.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { drainRounds } = await import("../e2e/drain-rounds.ts");

const started = performance.now();
const report = await drainRounds(Number(process.argv[2] ?? 50), Number(process.argv[3] ?? 1));
const seconds = Math.round((performance.now() - started) / 1000);
console.log(JSON.stringify({ ...report, seconds }));
process.exitCode = report.failed > 0 || report.badExits > 0 ? 1 : 0;
