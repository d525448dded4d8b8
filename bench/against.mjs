// Two builds of Gantry in one run: this one, and that of another folder, such as a worktree of an older commit. Tells a
// regression from a noisy machine.
//
//   git worktree add ../older <commit> && (cd ../older && npm install && npm run build) && npm run build
//   node bench/against.mjs ../older invalid --wire 2025-11-25
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Child } from "./child.mjs";
import { start } from "./measure.mjs";
import { difference } from "./pairs.mjs";
import { scenarioNamed, wires } from "./scenarios.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    wire: { type: "string", multiple: true },
    rounds: { type: "string", default: "61" },
    starts: { type: "string", default: "3" },
  },
});
const [folder, ...names] = positionals;
if (folder === undefined || names.length === 0) {
  console.error(
    "node bench/against.mjs <folder of another build> <scenario …> [--wire <revision>] [--rounds 61] [--starts 3]",
  );
  process.exit(1);
}
const others = pathToFileURL(resolve(folder, "bench/serve.mjs")).href;

for (const name of names) {
  for (const wire of options.wire ?? Object.keys(wires)) {
    // No two processes compile their code alike: several of each.
    for (let round = 0; round < Number(options.starts); round++) await compare(scenarioNamed(name), wire);
  }
}

async function compare(scenario, wire) {
  const children = [new Child(others, "server"), new Child("serve.mjs", "server")];
  try {
    const servers = [];
    for (const child of children) servers.push(await start("gantry", scenario, wire, {}, child));
    const { base, cost, low, high } = await difference(...servers, Number(options.rounds));
    const [own, from, to] = [cost, low, high].map((micros) => micros.toFixed(2));
    console.log(
      `${scenario.title}, ${wire}: there ${base.toFixed(1)} µs, here ${own} µs more (19 of 20 times ${from} … ${to})`,
    );
  } finally {
    for (const child of children) child.stop();
  }
}
