// From measurements to a table, and to a verdict on each target.
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { processors } from "./child.mjs";
import { connections, median } from "./measure.mjs";
import { scenarioNamed, scenarios } from "./scenarios.mjs";

const titles = { bare: "bare `node:http`", gantry: "Gantry", sdk: "official SDK", tmcp: "tmcp" };
const packages = { sdk: "@modelcontextprotocol/server", tmcp: "tmcp" };
const peers = ["sdk", "tmcp"];
const readme = new URL("README.md", import.meta.url);
const [begin, end] = ["<!-- measured: begin -->", "<!-- measured: end -->"];

/** @returns {string} a Markdown table: CPU time of one request in µs, median and range over the calm rounds */
export function tableOf(measured, layers, variants) {
  const shown = ["bare", "gantry", ...peers].filter((variant) => variants.includes(variant));
  const head = ["scenario", "wire", ...shown.map(titled), "Gantry ÷ bare", "fastest peer ÷ Gantry"];
  const rows = rowsOf(measured).map(({ scenario, wire, cells }) => [
    scenario.title,
    wire,
    ...shown.map((variant) => cellOf(cells[variant])),
    ratio(cells.gantry, cells.bare),
    ratio(fastestPeer(cells), cells.gantry),
  ]);
  return [
    ...(rows.length > 0 ? [aligned(head, rows)] : []),
    ...(layers.length > 0
      ? [aligned(["layer", "wire", "echo without it", "its own cost", "range"], layers.map(costOf))]
      : []),
  ].join("\n\n");
}

/** What a layer adds to a call, and how sure that is. */
function costOf({ scenario, wire, base, cost, low, high }) {
  const range = `${low.toFixed(1)} … ${high.toFixed(1)} µs`;
  return [scenarioNamed(scenario).title, wire, `${base.toFixed(1)} µs`, `${cost.toFixed(1)} µs`, range];
}

function aligned(head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (row) =>
    `| ${row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(" | ")} |`;
  const rule = widths.map((width, i) => (i < 2 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** @returns {{ met: boolean | undefined, text: string }[]} `met` is `undefined` where the run cannot tell */
export function verdictsOf(measured, layers) {
  const rows = rowsOf(measured);
  const verdicts = [];
  for (const { scenario, wire, cells } of rows) {
    const { toBare, toScenario, peers: atLeast } = scenario.targets;
    const judge = (value, sign, bound, than) => {
      if (Number.isNaN(value)) return;
      const met = sign === "≤" ? value <= bound : value >= bound;
      verdicts.push({
        met,
        text: `${scenario.title}, ${wire}: ${value.toFixed(2)} × ${than} (target ${sign} ${bound})`,
      });
    };
    const gantry = cpuOf(cells.gantry);
    if (toBare !== undefined) judge(gantry / cpuOf(cells.bare), "≤", toBare, "the bare server's CPU");
    if (toScenario !== undefined) {
      const [name, bound] = toScenario;
      const other = rows.find((row) => row.scenario.name === name && row.wire === wire);
      judge(gantry / cpuOf(other?.cells.gantry), "≤", bound, `Gantry's own in "${other?.scenario.title}"`);
    }
    if (atLeast !== undefined)
      judge(cpuOf(fastestPeer(cells)) / gantry, "≥", atLeast, "less CPU than the fastest peer");
  }
  for (const { scenario, wire, cost, low, high } of layers) {
    const { title, targets } = scenarioNamed(scenario);
    if (targets.cost === undefined) continue;
    verdicts.push({
      met: high <= targets.cost ? true : low > targets.cost ? false : undefined,
      text: `${title}, ${wire}: ${cost.toFixed(1)} µs of its own, range ${low.toFixed(1)} … ${high.toFixed(1)} (target ≤ ${targets.cost})`,
    });
  }
  return verdicts;
}

/** Replaces what stands between the markers in README.md. */
export function writeReadme(table, verdicts, rounds) {
  const date = new Date().toISOString().slice(0, 10);
  const [met, missed, untold] = [true, false, undefined].map((which) =>
    verdicts.filter((verdict) => verdict.met === which),
  );
  const text = [
    `${date}, \`npm run bench -- --write\`, Node ${process.versions.node}, ${process.platform} ${process.arch}, ` +
      `${availableParallelism()} processors (${processors ? "server and load pinned to one each" : "not pinned"}), ` +
      `${connections} connections, ${rounds} rounds. CPU time of the server process for one request in µs: median (lowest–highest) of the calmer half of the rounds.`,
    table,
    `${met.length} of ${verdicts.length} targets are met.`,
    ...listed("Missed:", missed),
    ...listed("This run cannot tell:", untold),
  ].join("\n\n");
  const before = readFileSync(readme, "utf8");
  const [start, stop] = [before.indexOf(begin), before.indexOf(end)];
  if (start === -1 || stop < start) throw new Error("bench/README.md has lost its markers.");
  writeFileSync(readme, `${before.slice(0, start + begin.length)}\n\n${text}\n\n${before.slice(stop)}`);
}

function listed(title, verdicts) {
  return verdicts.length === 0 ? [] : [title, verdicts.map(({ text }) => `- ${text}`).join("\n")];
}

/** One row for each scenario and wire, scenarios in their order, with the measurements by variant. */
function rowsOf(measured) {
  const wires = [...new Set(measured.map(({ wire }) => wire))];
  return scenarios.flatMap((scenario) =>
    wires.flatMap((wire) => {
      const here = measured.filter((one) => one.scenario === scenario.name && one.wire === wire);
      return here.length === 0
        ? []
        : [{ scenario, wire, cells: Object.fromEntries(here.map((one) => [one.variant, one])) }];
    }),
  );
}

const cpuOf = (cell) => (cell === undefined ? NaN : median(cell.cpu));

function fastestPeer(cells) {
  return peers
    .map((peer) => cells[peer])
    .filter((cell) => cell !== undefined)
    .toSorted((a, b) => cpuOf(a) - cpuOf(b))[0];
}

function ratio(above, below) {
  const value = cpuOf(above) / cpuOf(below);
  return Number.isNaN(value) ? "–" : value.toFixed(value < 10 ? 2 : 0);
}

function cellOf(cell) {
  if (cell === undefined) return "–";
  const [middle, low, high] = [median(cell.cpu), Math.min(...cell.cpu), Math.max(...cell.cpu)];
  const show = (micros) => micros.toFixed(middle < 100 ? 1 : 0);
  return `${show(middle)} (${show(low)}–${show(high)})`;
}

function titled(variant) {
  const name = packages[variant];
  if (name === undefined) return titles[variant];
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return `${titles[variant]} ${JSON.parse(readFileSync(manifest, "utf8")).version}`;
}
