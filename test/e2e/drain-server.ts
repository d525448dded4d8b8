/** The server that the drain tests end. `node --import tsx drain-server.ts '{"transport":"http","port":0}'` */

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { MCPServer, type MetricsOptions, authenticate, jwtAuth } from "gantry-mcp";
import { z } from "zod";

interface Fixture {
  /** What `run()` is given. */
  readonly run: Parameters<MCPServer["run"]>[0];
  readonly startupMs?: number;
  readonly shutdownMs?: number;
  /** Keeps the event loop awake, as a connection pool would. */
  readonly awake?: boolean;
  readonly metrics?: MetricsOptions;
  /** Whether it issues tokens. */
  readonly tokens?: boolean;
  /** How long a readiness probe takes, if there is one. */
  readonly probeMs?: number;
}

const {
  run,
  startupMs = 0,
  shutdownMs = 0,
  awake = false,
  metrics,
  tokens = false,
  probeMs,
} = JSON.parse(process.argv[2] ?? "") as Fixture;

const server = new MCPServer({ name: "drain", version: "1.0.0" });

server.tool(
  "work",
  { description: "Takes so long.", input: z.object({ ms: z.number(), nonce: z.string() }) },
  async ({ ms, nonce }) => {
    await sleep(ms);
    return nonce;
  },
);

server.tool(
  "hang",
  { description: "Never ends, and does not listen.", timeout: "1h" },
  (_args, { signal }) => {
    signal.addEventListener("abort", () => console.error("aborted"));
    console.error("hanging");
    return new Promise(() => {});
  },
);

server.tool("heed", { description: "Ends when it is told to.", timeout: "1h" }, async (_args, { signal }) => {
  console.error("heeding");
  await once(signal, "abort");
  return "in time";
});

if (metrics) server.enableMetrics(metrics);
if (tokens) {
  const jwt = jwtAuth({ secret: "0123456789abcdef0123456789abcdef" });
  server.use(authenticate(jwt)).enableTokenEndpoint(jwt, { clients: { agent: { secret: "agent-secret" } } });
}
if (probeMs !== undefined) server.readiness("slow", () => sleep(probeMs));
if (awake) setInterval(() => {}, 1_000);
server.onStartup(async () => {
  console.error("starting");
  await sleep(startupMs);
});
server.onShutdown(() => console.error("first hook"));
server.onShutdown(async () => {
  await sleep(shutdownMs);
  console.error("second hook");
});

await server.run(run);
console.error("running");
