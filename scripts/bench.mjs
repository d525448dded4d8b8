// npm run bench: builds the package and compares it with its peers (bench/README.md).
import { build } from "./build.mjs";
import { run } from "./run.mjs";

const built = await build();
if (built.code !== 0) {
  console.error(built.output);
  process.exit(built.code);
}
const { code } = await run(process.execPath, ["bench/run.mjs", ...process.argv.slice(2)], { show: true });
process.exitCode = code;
