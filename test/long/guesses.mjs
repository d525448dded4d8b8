// node test/long/guesses.mjs [guesses] [seed]: so many guesses, 1,000,000 unless told, at the sessions, events, sealed states
// and calls under way of somebody else, a tenth of them right. Prints one line of JSON; ends with 1 when one finds anything.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { guesses } = await import("../reliability/guesses.ts");
const { Random } = await import("../reliability/random.ts");

const random = new Random(process.argv[3] === undefined ? undefined : Number(process.argv[3]));
const started = performance.now();
const report = await guesses(Number(process.argv[2] ?? 1_000_000), random);
const seconds = Math.round((performance.now() - started) / 1_000);
console.log(JSON.stringify({ ...report, seconds, seed: random.seed }));
const { found, cancelled, opened, lost } = report;
process.exitCode = found.length + cancelled + opened + lost === 0 ? 0 : 1;
