// node test/long/mutations.mjs [rooms]: switches every defence off in turn (test/long/mutations/), or those of some rooms
// such as "json headers", and runs its tests. Prints a line for each; ends with 1 when a test fails as the project is, or
// when none fails without the defence.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { mutations } = await import("./mutations/run.ts");

process.exitCode = (await mutations(process.argv.slice(2))) ? 0 : 1;
