// node test/long/streams.mjs [streams]: opens so many subscriptions at once, 5,000 unless told, tells all of a change
// and closes them. Prints one line of JSON; ends with 1 when a stream costs too much, hears too late or leaves something.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { streamsLoad } = await import("../reliability/streams-load.ts");

const report = await streamsLoad(Number(process.argv[2] ?? 5_000));
console.log(JSON.stringify(report));
const { rssPerStreamKiB, broadcastMs, placesKept, heapLeftMiB, resourcesLeft } = report;
const good =
  rssPerStreamKiB <= 32 && broadcastMs <= 1_000 && placesKept && heapLeftMiB <= 10 && resourcesLeft === 0;
process.exitCode = good ? 0 : 1;
