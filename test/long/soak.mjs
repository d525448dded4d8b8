// node test/long/soak.mjs [minutes] [a second] [leak]: a server does so many things a second, 100 unless told, for so many
// minutes, 30 unless told; `leak` makes it keep the context of every call, which must be noticed. Prints one line of JSON; ends
// with 1 when the heap grows by more than 1 MiB in ten minutes, or something was answered wrongly, not caught or left behind.
import { fileURLToPath } from "node:url";

process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../tsconfig.json", import.meta.url));
await import("tsx");
const { problemsOf, soak } = await import("../reliability/soak.ts");

const [minutes = 30, rate = 100, leak] = process.argv.slice(2);
// Newcomers take minutes before anything is measured.
const newcomers = Number(minutes) >= 5;
const report = await soak({
  minutes: Number(minutes),
  rate: Number(rate),
  newcomers,
  leak: leak === "leak",
});
const problems = problemsOf(report, 1);
console.log(JSON.stringify({ ...report, problems }));
process.exitCode = problems.length === 0 ? 0 : 1;
