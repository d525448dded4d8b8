// node test/long/processes.mjs [rounds] [seconds]: how many calls a second one process answers and how many one for each core,
// in turn, five times unless told. The load comes from wrk (Debian's package), which takes processor time of the same cores. Prints
// a line of JSON; ends with 1 where the median ratio is below 1.7.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 5);
const CONNECTIONS = 64;
const program = fileURLToPath(new URL("../e2e/processes-server.ts", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));

const call = {
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: "search", arguments: { text: "7" } },
};
const folder = mkdtempSync(join(tmpdir(), "gantry-processes-"));
const script = join(folder, "call.lua");
writeFileSync(
  script,
  `wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\nwrk.body = '${JSON.stringify(call)}'\n`,
);

/** Calls a second. */
async function measured(processes) {
  const server = spawn(
    process.execPath,
    ["--import", "tsx", program, JSON.stringify({ processes, plain: true })],
    {
      cwd: root,
    },
  );
  let stderr = "";
  server.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  while (!/\/mcp[^]*running/.test(stderr)) {
    if (server.exitCode !== null) throw new Error(stderr);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const port = /http:\/\/127\.0\.0\.1:(\d+)\/mcp/.exec(stderr)[1];
  const load = (time) =>
    promisify(execFile)("wrk", [
      "-t1",
      `-c${CONNECTIONS}`,
      `-d${time}s`,
      "-s",
      script,
      `http://127.0.0.1:${port}/mcp`,
    ]);
  await load(2);
  const { stdout } = await load(seconds);
  if (/Non-2xx|(?:connect|read|write) [1-9]/.test(stdout)) throw new Error(stdout);
  const exited = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  await exited;
  return Number(/Requests\/sec:\s*([\d.]+)/.exec(stdout)[1]);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

try {
  const one = [];
  const all = [];
  for (let round = 0; round < rounds; round++) {
    one.push(await measured(1));
    all.push(await measured("auto"));
  }
  const ratios = all.map((rate, round) => rate / one[round]);
  const ratio = Number(median(ratios).toFixed(2));
  console.log(
    JSON.stringify({
      cores: availableParallelism(),
      rounds,
      one: Math.round(median(one)),
      all: Math.round(median(all)),
      ratio,
      ratios: ratios.map((each) => Number(each.toFixed(2))),
    }),
  );
  process.exitCode = ratio < 1.7 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
