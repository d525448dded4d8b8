// Where does the CPU time of a request go? Profiles a warm variant under load, by function, in µs for one request,
// next to what the bare server spends in the same function.
//
//   npm run build && node bench/profile.mjs echo            self and inclusive time by function, hottest lines
//   node bench/profile.mjs nested --wire 2025-11-25 --top 60
//   node bench/profile.mjs echo --heap                      bytes allocated for a request, by function
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Child } from "./child.mjs";
import { spend, start, warm } from "./measure.mjs";
import { scenarioNamed } from "./scenarios.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    wire: { type: "string", default: "2026-07-28" },
    variant: { type: "string", default: "gantry" },
    requests: { type: "string", default: "100000" },
    top: { type: "string", default: "40" },
    heap: { type: "boolean", default: false },
  },
});

const root = fileURLToPath(new URL("..", import.meta.url));
const top = Number(options.top);
const scenario = scenarioNamed(positionals[0] ?? "echo");
const folder = mkdtempSync(join(tmpdir(), "gantry-profile-"));
const load = new Child("load.mjs", "load");
const subject = await start(options.variant, scenario, options.wire);
const { contentType, body } = subject.answer;
const bare = await start("bare", scenario, options.wire, {
  answer: { contentType, body: body.toString("base64") },
});
try {
  await warm(load, bare, 2);
  const cost = await warm(load, subject, 4);
  const requests = Math.min(Number(options.requests), Math.round(8e6 / cost));
  if (options.heap) await heap(requests);
  else await time(requests);
} finally {
  subject.child.stop();
  bare.child.stop();
  load.stop();
}

async function time(requests) {
  const costs = [];
  const part = Math.ceil(requests / 5);
  for (let round = 0; round < 5; round++) {
    costs.push([(await spend(load, bare, part)).cpu, (await spend(load, subject, part)).cpu]);
  }
  const [floor, whole] = [0, 1].map((which) => costs.map((pair) => pair[which]).toSorted((a, b) => a - b)[2]);
  const ratio = (whole / floor).toFixed(2);
  console.log(
    `${scenario.title}, ${options.wire}: ${whole.toFixed(1)} µs, bare ${floor.toFixed(1)} µs, ratio ${ratio}`,
  );

  const mine = await profile(subject, requests);
  const theirs = await profile(bare, requests);
  const rows = [...mine.self].map(([key, micros]) => [micros, micros - (theirs.self.get(key) ?? 0), key]);
  console.log(`\nSelf time: µs a request, difference to bare, function\n`);
  for (const [micros, more, key] of rows.toSorted((a, b) => b[0] - a[0]).slice(0, top))
    print(micros, more, key);
  console.log(`\nSelf time by place\n`);
  for (const [place, micros] of descending(mine.places))
    print(micros, micros - (theirs.places.get(place) ?? 0), place);
  console.log(`\nInclusive time of the project's functions and the libraries it calls\n`);
  for (const [key, micros] of descending(mine.inclusive).slice(0, top)) print(micros, undefined, key);
  console.log(`\nHottest lines\n`);
  for (const [line, micros] of descending(mine.lines).slice(0, top / 2))
    print(micros, undefined, `${line}  ${source(line)}`);
  console.log(`\nThe profile for the developer tools of a browser: ${mine.file}`);
}

async function profile(server, requests) {
  const file = join(folder, `${server === subject ? "subject" : "bare"}.cpuprofile`);
  await server.child.ask("profileStart");
  await spend(load, server, requests);
  await server.child.ask("profileStop", { file });
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8"));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const micros = new Map();
  for (const [index, id] of samples.entries())
    micros.set(id, (micros.get(id) ?? 0) + timeDeltas[index] / requests);
  const found = { file, self: new Map(), places: new Map(), inclusive: new Map(), lines: new Map() };
  const walk = (node, open) => {
    const key = keyOf(node.callFrame);
    const own = micros.get(node.id) ?? 0;
    let sum = own;
    const inside = new Set(open).add(key);
    for (const child of node.children ?? []) sum += walk(byId.get(child), inside);
    if (key === "(idle)") return 0;
    add(found.self, key, own);
    add(found.places, placeOf(node.callFrame), own);
    if (isOurs(node.callFrame)) {
      if (!open.has(key)) add(found.inclusive, key, sum);
      const ticks = (node.positionTicks ?? []).reduce((all, tick) => all + tick.ticks, 0);
      for (const { line, ticks: here } of node.positionTicks ?? []) {
        add(found.lines, `${short(node.callFrame.url)}:${line}`, (own * here) / ticks);
      }
    }
    return sum;
  };
  walk(nodes[0], new Set());
  return found;
}

async function heap(requests) {
  const bytes = new Map();
  const file = join(folder, "allocations.heapprofile");
  await subject.child.ask("heapStart");
  await spend(load, subject, requests);
  await subject.child.ask("heapStop", { file });
  const walk = (node) => {
    add(bytes, keyOf(node.callFrame), node.selfSize / requests);
    node.children.forEach(walk);
  };
  walk(JSON.parse(readFileSync(file, "utf8")).head);
  console.log(`${scenario.title}, ${options.wire}: bytes allocated for a request, by function (sampled)\n`);
  for (const [key, size] of descending(bytes).slice(0, top)) print(size, undefined, key);
}

function add(map, key, amount) {
  map.set(key, (map.get(key) ?? 0) + amount);
}

function descending(map) {
  return [...map].toSorted((a, b) => b[1] - a[1]);
}

function keyOf({ functionName, url, lineNumber }) {
  const name = functionName || (url === "" ? "(root)" : "(anonymous)");
  return url === "" ? name : `${name}  ${short(url)}:${lineNumber + 1}`;
}

function placeOf({ functionName, url }) {
  if (url === "") return functionName.startsWith("(") ? functionName : "native code";
  if (url.startsWith("node:")) return "node core";
  return short(url).replace(/^(node_modules\/(?:@[^/]+\/)?[^/]+)\/.*/, "$1");
}

function isOurs({ url }) {
  return url.startsWith("file:");
}

function short(url) {
  return url.startsWith("file:") ? fileURLToPath(url).replace(root, "") : url;
}

function source(at) {
  const [, file, line] = /^(.*):(\d+)$/.exec(at);
  return (readFileSync(resolve(root, file), "utf8").split("\n")[line - 1] ?? "").trim().slice(0, 120);
}

function print(amount, more, label) {
  const second = more === undefined ? "" : `${more >= 0 ? "+" : "−"}${Math.abs(more).toFixed(2)}`.padStart(8);
  console.log(`${amount.toFixed(2).padStart(8)}${second}  ${label}`);
}
