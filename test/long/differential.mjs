// node test/long/differential.mjs [cases] [seed]: sends every message by rule and so many at random, 200,000 unless told,
// to Gantry and to the official SDK's handler. Prints one line of JSON; ends with 1 where they disagree in anything that
// test/differential/differences does not list, or where something listed is not seen.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { Random } = await import("../reliability/random.ts");
const { atRandom, byRule } = await import("../differential/corpus.ts");
const { Differential, described } = await import("../differential/differential.ts");
const { gantrySide } = await import("../differential/gantry-side.ts");
const { officialSide } = await import("../differential/official-side.ts");

const random = new Random(process.argv[3] === undefined ? undefined : Number(process.argv[3]));
const [gantry, official] = [gantrySide(), officialSide()];
const differential = new Differential(gantry, official);
await differential.send(byRule(random, { thorough: true }));
const { cases: ruled } = differential;
await differential.send(atRandom(Number(process.argv[2] ?? 200_000), random));
await Promise.all([gantry.close(), official.close()]);

const { cases, same, alike, listed, unlisted, needless } = differential;
for (const disagreement of unlisted.slice(0, 50)) console.error(described(disagreement));
console.log(
  JSON.stringify({
    cases,
    ruled,
    same,
    alike,
    unlisted: unlisted.length,
    needless,
    listed,
    seed: random.seed,
  }),
);
process.exitCode = unlisted.length === 0 && needless.length === 0 ? 0 : 1;
