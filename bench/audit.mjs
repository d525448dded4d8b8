// node bench/audit.mjs [rounds]: what the audit log costs the whole stack: requests per second and CPU time of a request, without it,
// with it, and with it synchronised before each answer, in turn, over 64 keep-alive connections. Prints one line of JSON.
import { Child } from "./child.mjs";
import { median, start, warm } from "./measure.mjs";
import { scenarioNamed } from "./scenarios.mjs";

const CONNECTIONS = 64;
const rounds = Number(process.argv[2] ?? 31);

const load = new Child("load.mjs", "load");
const servers = [];
try {
  for (const [name, auditSync] of [["stack"], ["stack-audit"], ["stack-audit", "always"]])
    servers.push({ ...(await start("gantry", scenarioNamed(name), "2026-07-28", { auditSync })), spent: [] });
  for (const server of servers) {
    const cpu = await warm(load, server, 3);
    server.requests = Math.max(1_000, Math.round(500_000 / cpu));
  }
  for (let round = 0; round < rounds; round++)
    for (const server of round % 2 === 0 ? servers : servers.toReversed())
      server.spent.push(await spend(server));
} finally {
  for (const { child } of servers) child.stop();
  load.stop();
}

const [without, audited, always] = servers.map(({ spent }) => ({
  cpuMicros: median(spent.map(({ cpu }) => cpu)),
  requestsPerSecond: median(spent.map(({ rate }) => rate)),
  // Of neighbouring rounds, so that what else the machine does falls on both.
  cpu: median(spent.map(({ cpu }, round) => cpu / servers[0].spent[round].cpu)),
  throughput: median(spent.map(({ rate }, round) => rate / servers[0].spent[round].rate)),
}));
console.log(JSON.stringify({ rounds, connections: CONNECTIONS, without, audited, always }));

async function spend({ child, port, raw, requests }) {
  await load.ask("open", { port, request: raw, count: CONNECTIONS });
  const before = await child.ask("cpu");
  const { seconds } = await load.ask("go", { requests });
  const after = await child.ask("cpu");
  await load.ask("close");
  return { cpu: (after.micros - before.micros) / requests, rate: requests / seconds };
}
