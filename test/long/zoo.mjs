// node test/long/zoo.mjs: calls 86 handlers that misbehave, as everything that authors write, over HTTP in both eras, in sessions and on
// stdio. Prints a line of JSON for each way; ends with 1 where an answer is wrong, late or tells of the cause, or a server is gone.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { visit } = await import("../reliability/zoo/visit.ts");

for (const way of ["modern", "legacy", "session", "stdio"]) {
  const started = performance.now();
  const report = await visit(way);
  const seconds = Math.round((performance.now() - started) / 1_000);
  console.log(JSON.stringify({ way, ...report, seconds }));
  const { wrong, leaked, late, alive, exit } = report;
  if (wrong.length + leaked.length + late.length > 0 || !alive || exit !== 0) process.exitCode = 1;
}
