/** The server of the tests with several processes. `node --import tsx processes-server.ts '{"processes":2}'` */

import { setTimeout as sleep } from "node:timers/promises";
import {
  type AuditOptions,
  MCPServer,
  type RunHttpOptions,
  audit,
  authenticate,
  circuitBreaker,
  concurrency,
  jwtAuth,
} from "gantry-mcp";
import { z } from "zod";

interface Fixture extends Partial<RunHttpOptions> {
  /** How long a worker's program takes before it comes to the server, in milliseconds. */
  readonly reading?: number;
  /** Where calls are recorded, if anywhere. */
  readonly log?: AuditOptions;
  /** Whether calls pass no layers that ask the first process. */
  readonly plain?: boolean;
  /** What is wrong with the program, where something is. */
  readonly fault?: "start" | "sessions" | "tokens" | "twice";
}

const { fault, log, plain = false, reading, ...options } = JSON.parse(process.argv[2] ?? "{}") as Fixture;

if (reading && process.send) await sleep(reading);

const server = new MCPServer({
  name: "processes",
  version: "1.0.0",
  http: { sessions: fault === "sessions" },
});
const run: RunHttpOptions = { port: 0, ...options, transport: "http" };

server.tool("who", { description: "Which process answers." }, () => process.pid);
const tasks = Array.from({ length: 200 }, (_, id) => ({ id, title: `Task ${id}`, priority: (id * 7) % 5 }));
server.tool(
  "search",
  { description: "Looks through all tasks.", input: z.object({ text: z.string() }) },
  ({ text }) =>
    tasks
      .filter(({ title }) => title.toLowerCase().includes(text.toLowerCase()))
      .toSorted((a, b) => b.priority - a.priority || a.id - b.id),
);
server.tool(
  "work",
  { description: "Takes so long.", input: z.object({ ms: z.number(), nonce: z.string() }) },
  async ({ ms, nonce }) => {
    await sleep(ms);
    return nonce;
  },
);
server.tool("throw_later", { description: "Forgets work that fails." }, () => {
  setTimeout(() => {
    throw new Error("thrown later");
  }, 50);
  return process.pid;
});
server.tool("limited", { description: "Ten an hour.", rateLimit: "10/h" }, () => "passed");
server.tool(
  "kept",
  { description: "Kept for a minute.", tags: ["kept"], cache: { ttl: "1m", scope: "shared" } },
  async () => {
    await sleep(200);
    return `${process.pid} ${performance.now()}`;
  },
);
server.tool("change", { description: "Makes it old.", invalidates: ["kept"] }, () => "changed");
server.tool(
  "pay",
  { description: "Once.", input: z.object({ order: z.string() }), idempotent: true },
  async ({ order }) => {
    await sleep(100);
    return `${order} ${process.pid} ${performance.now()}`;
  },
);
server.tool("narrow", { description: "Two at once.", concurrency: 2 }, () => sleep(300, "passed"));
server.tool("ask", { description: "Asks the user." }, async (_args, ctx) => {
  const answer = await ctx.elicit("Go on?", z.object({ yes: z.boolean() }));
  return answer.action === "accept" ? `yes from ${process.pid}` : answer.action;
});
server.tool("touch", { description: "Tells of a change." }, () => {
  server.notify.resourceUpdated("notes://1");
});
server.resource("notes://1", { name: "note", description: "A note." }, () => "a note");
if (!plain) {
  server.use(concurrency({ max: 500 }));
  server.use(circuitBreaker({ failures: 4, recovery: "1s" }));
}
server.tool("broken", { description: "Fails." }, () => {
  throw new Error("broken");
});
if (log) server.use(audit(log));
server.enableMetrics();
server.onShutdown(() => console.error(`ended ${process.pid}`));

if (fault === "tokens") {
  const issuer = jwtAuth({ secret: "a secret of this test alone, and long enough" });
  server.use(authenticate(issuer, { optional: true }));
  server.enableTokenEndpoint(issuer, { clients: { agent: { secret: "agent-secret" } } });
}
if (fault === "start" && process.send) throw new Error("cannot start");
const running = await server.run(run);
if (fault === "twice") await new MCPServer({ name: "other", version: "1.0.0" }).run(run);
console.error(`running ${running.port}`);
