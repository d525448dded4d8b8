// node test/long/fuzz.mjs [cases in process] [cases over sockets] [seed]: throws so many cases, 200,000 and 20,000 unless
// told, at servers. Prints one line of JSON for each; ends with 1 when an answer is not as it has to be, something is
// left, or memory grows. node test/long/fuzz.mjs in-process|sockets <seed> [client]: has that again, or one client of it.
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
globalThis.gc = runInNewContext("gc");
process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { fuzzInProcess } = await import("../fuzz/in-process.ts");
const { fuzzSockets } = await import("../fuzz/sockets.ts");

const MIB = 1_048_576;
const CASES = { "in-process": 200_000, sockets: 20_000 };
const [first, ...others] = process.argv.slice(2);
const again = first in CASES;
const [seed = Date.now() % 2 ** 32, client] = (again ? others : others.slice(1)).map(Number);
const runs = again
  ? { [first]: CASES[first] }
  : { "in-process": Number(first ?? CASES["in-process"]), sockets: Number(others[0] ?? CASES.sockets) };

for (const [tier, cases] of Object.entries(runs)) {
  if (cases === 0) continue;
  const started = performance.now();
  const fuzz = tier === "sockets" ? fuzzSockets : fuzzInProcess;
  const { faults, memory, ...counts } = await fuzz({ cases, seed, client });
  const inMiB = (kind) => memory.map((used) => Math.round((used[kind] / MIB) * 10) / 10);
  const [rssMiB, heapMiB] = [inMiB("rss"), inMiB("heap")];
  const grown = (sizes) => sizes.at(-1) - sizes[0];
  const seconds = Math.round((performance.now() - started) / 1_000);
  for (const fault of faults) console.error(`${fault}\n`);
  console.log(JSON.stringify({ ...counts, faults: faults.length, rssMiB, heapMiB, seconds }));
  if (faults.length > 0 || grown(rssMiB) > 32 || grown(heapMiB) > 4) process.exitCode = 1;
}
