// The whole comparison. See README.md for what it measures; scripts/bench.mjs builds first and then runs this.
import { parseArgs } from "node:util";
import { measure, median } from "./measure.mjs";
import { costs } from "./pairs.mjs";
import { tableOf, verdictsOf, writeReadme } from "./report.mjs";
import { scenarios, wires } from "./scenarios.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "31" },
    requests: { type: "string" },
    only: { type: "string", multiple: true },
    wire: { type: "string", multiple: true },
    variants: { type: "string", default: "gantry,bare,sdk,tmcp" },
    write: { type: "boolean", default: false },
    assert: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (options.help) {
  console.log(`npm run bench -- [options]

  --only <scenario>    measure only this one and those measured together with it; may be repeated
                       (${scenarios.map((scenario) => scenario.name).join(", ")})
  --wire <revision>    only this protocol revision; may be repeated (${Object.keys(wires).join(", ")})
  --variants <names>   whom to compare, separated by commas; default gantry,bare,sdk,tmcp
  --rounds <n>         how often each is measured; default 31
  --requests <n>       requests of one round; by default as many as take 0.1 s of CPU time
  --write              put the table into bench/README.md
  --assert             exit with 1 when a target is missed`);
  process.exit();
}

const variants = options.variants
  .split(",")
  .toSorted((a, b) => Number(b === "gantry") - Number(a === "gantry"));
const chosenWires = options.wire ?? Object.keys(wires);
const chosen = options.only ?? scenarios.map((scenario) => scenario.name);
const groups = new Set(
  chosen.map((name) => {
    const found = scenarios.find((scenario) => scenario.name === name);
    if (found === undefined) fail(`There is no scenario "${name}"; --help lists them.`);
    return found.group;
  }),
);
if (options.write && (options.only || options.wire || options.variants.split(",").length < 4)) {
  fail("--write needs the whole comparison: leave out --only, --wire and --variants.");
}

const measured = [];
const layers = [];
try {
  for (const wire of chosenWires) {
    if (!(wire in wires)) fail(`There is no wire "${wire}"; --help lists them.`);
    const rounds = Number(options.rounds);
    for (const group of groups) {
      const together = scenarios.filter((scenario) => scenario.group === group);
      measured.push(
        ...(await measure({
          group: together.filter((scenario) => !scenario.without),
          wire,
          variants,
          rounds,
          requests: options.requests && Number(options.requests),
          say,
        })),
      );
    }
    const wanted = scenarios.filter(
      ({ name, group, without }) => without && (options.only?.includes(name) ?? groups.has(group)),
    );
    if (variants.includes("gantry"))
      layers.push(...(await costs({ layers: wanted, wire, rounds: Math.ceil(rounds / 2), say })));
  }
} catch (error) {
  fail(error.message);
}
say("");

const table = tableOf(measured, layers, variants);
const verdicts = verdictsOf(measured, layers);
console.log(`${table}\n`);
for (const { met, text } of verdicts)
  console.log(`${met === undefined ? "unsure" : met ? "met   " : "MISSED"}  ${text}`);
const disturbed = median([...measured, ...layers].map((one) => one.disturbed));
if (disturbed > 0.2) {
  const percent = Math.round(disturbed * 100);
  console.log(
    `\nOther programs had the processors for ${percent} % of the time: take these figures with care.`,
  );
}
if (options.write) writeReadme(table, verdicts, Number(options.rounds));
if (options.assert && verdicts.some((verdict) => verdict.met === false)) process.exitCode = 1;

function say(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

function fail(message) {
  say("");
  console.error(message);
  process.exit(1);
}
