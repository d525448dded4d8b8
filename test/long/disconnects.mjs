// node test/long/disconnects.mjs [clients] [seed]: so many clients, 2,000 unless told, leave at a random byte of their
// request or of its answer. Prints one line of JSON; ends with 1 when a call learns of it late or something is left.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { disconnects } = await import("../reliability/disconnects.ts");
const { Random } = await import("../reliability/random.ts");

const random = new Random(process.argv[3] === undefined ? undefined : Number(process.argv[3]));
const report = await disconnects(Number(process.argv[2] ?? 2_000), random);
console.log(JSON.stringify({ ...report, seed: random.seed }));
const { at, calls, notAborted, early, running, resourcesLeft, descriptorsLeft } = report;
const left = notAborted + early + running + resourcesLeft + Math.max(0, descriptorsLeft);
const nothingLeft = left === 0 && report.placesFree && report.heapLeftMiB <= 10;
const allBegan = calls > 0 && calls === at.handler + at.events;
process.exitCode = allBegan && nothingLeft && report.abortP99Ms <= 100 ? 0 : 1;
