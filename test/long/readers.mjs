// node test/long/readers.mjs [events]: tells 200 readers that keep up and 200 that have stopped reading of so many
// events, 20,000 unless told. Prints one line of JSON; ends with 1 when a reader that keeps up misses an event, one
// that does not is not cut in time, or the server's memory grows by more than 64 MiB.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { readersLoad } = await import("../reliability/readers-load.ts");

const readers = 200;
const report = await readersLoad({ readers, events: Number(process.argv[2] ?? 20_000), size: 600 });
console.log(JSON.stringify(report));
const cut = Object.values(report.cut).reduce((sum, count) => sum + count, 0);
const good = report.complete === readers && cut === readers && report.openAfterCuts === readers;
process.exitCode = good && report.rssGrowthMiB <= 64 ? 0 : 1;
