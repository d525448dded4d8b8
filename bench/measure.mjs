// One group of scenarios on one wire: every variant in its own process, all answers checked, then measured in turn,
// round by round, so that whatever else the machine does falls on all of them alike.
import { request as httpRequest } from "node:http";
import { Child } from "./child.mjs";
import { check } from "./check.mjs";
import { requestOf } from "./scenarios.mjs";

export const connections = 32;
const path = "/mcp";

/** Starts a variant, in a process of its own unless one is given, and asks it the scenario's request once. */
export async function start(variant, scenario, wire, options, child = new Child("serve.mjs", "server")) {
  try {
    const { port } = await child.ask("start", { variant, scenario: scenario.name, ...options });
    const answer = await once(port, requestOf(scenario, wire));
    check(scenario, answer);
    return { child, variant, scenario, port, answer, raw: rawRequest(port, requestOf(scenario, wire)) };
  } catch (error) {
    child.stop();
    throw new Error(`${variant} fails ${scenario.name} on ${wire}. ${error.message}`, { cause: error });
  }
}

/**
 * CPU time and wall time of one request, in microseconds, over so many requests, and for what part of that time
 * other programs kept the server or the load from running.
 */
export async function spend(load, server, requests) {
  await connect(load, server);
  const spent = await exchange(load, server, requests);
  await load.ask("close");
  return spent;
}

/** Opens the connections over which {@link exchange} asks. */
export function connect(load, { port, raw }) {
  return load.ask("open", { port, request: raw, count: connections });
}

/** As {@link spend}, over connections that are open. */
export async function exchange(load, { child }, requests) {
  const before = await child.ask("cpu");
  const { seconds, waited } = await load.ask("go", { requests });
  const after = await child.ask("cpu");
  return {
    cpu: (after.micros - before.micros) / requests,
    wall: (seconds * 1e6) / requests,
    disturbed: (after.waited - before.waited + waited) / (seconds * 1000),
  };
}

/**
 * Runs a server until its code is compiled and its heap has its size: for so many seconds of its own CPU time. On a busy
 * machine those take longer, and code that is not compiled yet costs many times more. @returns the CPU time of a request
 */
export async function warm(load, server, seconds) {
  let requests = 20;
  let left = seconds * 1e6;
  let cpu = 0;
  while (left > 0) {
    const spent = await spend(load, server, requests);
    cpu = spent.cpu;
    left -= cpu * requests;
    requests = within(Math.round(150_000 / spent.wall), 20, 5000);
  }
  return cpu;
}

/** @returns {Promise<{ variant: string, scenario: string, wire: string, cpu: number[], disturbed: number }[]>} */
export async function measure({ group, wire, variants, rounds, requests, say }) {
  if (group.every((scenario) => scenario.variants?.length === 0)) return [];
  const load = new Child("load.mjs", "load");
  const servers = [];
  try {
    for (const scenario of group) {
      const compared = variants.filter((variant) => scenario.variants?.includes(variant) ?? true);
      if (compared.length === 0) continue;
      const first = await start(compared[0], scenario, wire);
      servers.push(first);
      const { contentType, body } = first.answer;
      for (const variant of compared.slice(1)) {
        servers.push(
          await start(variant, scenario, wire, { answer: { contentType, body: body.toString("base64") } }),
        );
      }
    }
    for (const server of servers) {
      const cost = await warm(load, server, 1.5);
      server.requests = requests ?? within(Math.round(100_000 / cost), connections, 20_000);
      server.rounds = [];
    }
    for (let round = 0; round < rounds; round++) {
      say(`${group.map((scenario) => scenario.name).join(", ")} on ${wire}: round ${round + 1} of ${rounds}`);
      for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
        server.rounds.push(await spend(load, server, server.requests));
      }
    }
    return servers.map((server) => {
      const calm = calmest(server.rounds);
      return {
        variant: server.variant,
        scenario: server.scenario.name,
        wire,
        cpu: calm.map(({ cpu }) => cpu),
        disturbed: median(calm.map(({ disturbed }) => disturbed)),
      };
    });
  } finally {
    for (const { child } of servers) child.stop();
    load.stop();
  }
}

/** The half of the rounds in which other programs were least in the way. */
function calmest(rounds) {
  return rounds.toSorted((a, b) => a.disturbed - b.disturbed).slice(0, Math.ceil(rounds.length / 2));
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const within = (value, low, high) => Math.min(high, Math.max(low, value));

function rawRequest(port, { headers, body }) {
  const all = { host: `127.0.0.1:${port}`, ...headers, "content-length": Buffer.byteLength(body) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

function once(port, { headers, body }) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: "127.0.0.1", port, path, method: "POST", headers, agent: false },
      (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const contentType = response.headers["content-type"];
          resolve({ status: response.statusCode, contentType, body: Buffer.concat(chunks) });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}
