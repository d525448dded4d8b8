// node test/long/endings.mjs [calls] [seed]: so many calls, 10,000 unless told, each with eight dependencies, end in all
// ways alike. Prints one line of JSON; ends with 1 when something stays open, or was closed out of order or told wrong.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { endings } = await import("../reliability/endings.ts");
const { Random } = await import("../reliability/random.ts");

const random = new Random(process.argv[3] === undefined ? undefined : Number(process.argv[3]));
const started = performance.now();
const report = await endings(Number(process.argv[2] ?? 10_000), random);
const seconds = Math.round((performance.now() - started) / 1_000);
console.log(JSON.stringify({ ...report, seconds, seed: random.seed }));
const { opened, closed, shared, outOfOrder, toldWrong, answeredWrong, first } = report;
const wrong =
  outOfOrder + toldWrong + answeredWrong + Math.abs(opened - closed) + Math.abs(shared[0] - shared[1]);
process.exitCode = wrong === 0 && first === undefined ? 0 : 1;
