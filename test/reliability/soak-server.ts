/** A server that has everything switched on and little room for each, in a process of its own: `soak.ts` loads it. */

import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { queryObjects } from "node:v8";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import {
  MCPServer,
  ToolError,
  audit,
  authenticate,
  circuitBreaker,
  createLogger,
  dependency,
  jwtAuth,
  logging,
  memoryCache,
  memoryEventStore,
  memoryIdempotencyStore,
  memoryLimitStore,
  rateLimit,
} from "gantry-mcp";
import { z } from "zod";
import { answerParent, memory, resources } from "./own-process.ts";

/** What the driver and the server agree on. */
export interface SoakOptions {
  readonly secret: string;
  readonly metricsToken: string;
  /** Where the audit log is written. */
  readonly auditFile: string;
  /** Keeps the context of every call, so that it can be seen that this is noticed. */
  readonly leak: boolean;
}

const { secret, metricsToken, auditFile, leak } = JSON.parse(process.argv[2] ?? "{}") as SoakOptions;

// Spans are made, and kept nowhere.
new NodeTracerProvider({ spanProcessors: [] }).register();

const faults = { rejections: 0, exceptions: 0, warnings: 0 };
const complaints: string[] = [];
const complain = (kind: keyof typeof faults) => (what: unknown) => {
  faults[kind]++;
  if (complaints.length < 20) complaints.push(what instanceof Error ? String(what.stack) : String(what));
};
process.on("unhandledRejection", complain("rejections"));
process.on("uncaughtException", complain("exceptions"));
process.on("warning", (warning) => {
  // What counts objects here is an experiment of Node's.
  if (warning.name !== "ExperimentalWarning") complain("warnings")(warning);
});

/** Handlers that run, and dependencies that are open. */
let running = 0;
let held = 0;
let Context: Function | undefined;
const kept = new Map<string, object>();

// So little room that it is taken before anything is measured.
const server = new MCPServer({
  name: "soak",
  version: "1.0.0",
  logger: createLogger({ format: "json" }),
  pageSize: 5,
  limits: { store: memoryLimitStore({ maxKeys: 400 }) },
  cache: { store: memoryCache({ maxSize: 50 }) },
  idempotency: { store: memoryIdempotencyStore({ maxSize: 50 }) },
  http: {
    trustedProxies: ["127.0.0.1"],
    sessions: { idle: "10s", eventStore: memoryEventStore({ capacity: 100 }) },
  },
})
  .use(logging({ arguments: true }))
  .use(authenticate(jwtAuth({ secret }), { optional: true }))
  .use(audit({ file: auditFile, key: secret, rotation: { bytes: 1_048_576 }, checkpoints: { every: "5s" } }))
  .use(rateLimit({ perMinute: 100_000, name: "all" }))
  .use(circuitBreaker({ failures: 1_000_000 }))
  .use((ctx, next) => {
    Context ??= ctx.constructor;
    if (leak) kept.set(ctx.requestId, ctx);
    return next();
  })
  .enableMetrics({ token: metricsToken });

const pool = dependency({ scope: "server" }, function* () {
  yield { query: (text: string) => text.length };
});
const connection = dependency({ inject: { pool } }, async function* (_ctx, injected) {
  held++;
  try {
    await sleep(1);
    yield injected.pool;
  } finally {
    held--;
  }
});

server.tool(
  "add",
  {
    description: "Adds.",
    input: z.object({ a: z.number(), b: z.number() }),
    output: z.object({ sum: z.number() }),
  },
  ({ a, b }) => ({ sum: a + b }),
);

server.tool("later", { description: "Answers later." }, async () => {
  await sleep(2);
  return "later";
});

server.tool(
  "lookup",
  {
    description: "Is kept for a moment.",
    input: z.object({ key: z.string() }),
    cache: { ttl: "500ms", staleWhileRevalidate: "1s" },
    tags: ["stock"],
  },
  async ({ key }) => {
    await sleep(1);
    return { key, stock: key.length, note: "n".repeat(200) };
  },
);

server.tool(
  "pay",
  {
    description: "Pays once.",
    input: z.object({ order: z.string() }),
    idempotent: { ttl: "1h" },
    invalidates: ["stock"],
  },
  async ({ order }) => {
    await sleep(1);
    return `paid ${order}`;
  },
);

server.tool("limited", { description: "Not often.", rateLimit: "10/s" }, () => "within the limit");

server.tool(
  "queued",
  { description: "Two at once.", concurrency: { max: 2, queue: { wait: "5s", max: 100 } } },
  async () => {
    await sleep(5);
    return "had a place";
  },
);

server.tool(
  "work",
  { description: "Uses a connection, and goes on after the answer.", inject: { connection } },
  async (_args, ctx) => {
    ctx.logger.set({ rows: ctx.connection.query("select") });
    ctx.background.add(async () => {
      await sleep(2);
      if (ctx.requestId === "") throw new Error("nobody asked");
    });
    return "worked";
  },
);

server.tool("whoami", { description: "Who calls.", auth: true, roles: ["agent"] }, (_args, { client }) => ({
  clientId: client.clientId,
}));

server.tool(
  "measure",
  { description: "Says how long a text is.", input: z.object({ text: z.string() }) },
  ({ text }) => text.length,
);

server.tool("fail", { description: "Fails as its author means it." }, () => {
  throw new ToolError("It is not there.", { suggestion: "Ask for another." });
});

server.tool("crash", { description: "Fails as nobody means it." }, () => {
  throw new TypeError("It is undefined.");
});

server.tool(
  "slow",
  {
    description: "Takes too long.",
    timeout: "30ms",
    input: z.object({ heeds: z.boolean() }),
    inject: { connection },
  },
  async ({ heeds }, { signal }) => {
    await sleep(heeds ? 60_000 : 150, undefined, heeds ? { signal } : {});
    return "over";
  },
);

server.tool(
  "wait",
  { description: "Speaks now and then until it is aborted.", input: z.object({ speak: z.boolean() }) },
  async ({ speak }, ctx) => {
    running++;
    try {
      for (let done = 1; !ctx.signal.aborted; done++) {
        if (speak) ctx.progress(done, undefined, "x".repeat(200));
        await sleep(speak ? 5 : 60_000, undefined, { signal: ctx.signal });
      }
    } catch {
      // Aborted.
    } finally {
      running--;
    }
    return "over";
  },
);

server.tool("talk", { description: "Says how far it is." }, async (_args, ctx) => {
  for (let done = 1; done <= 3; done++) {
    ctx.progress(done, 3, "on the way");
    await sleep(1);
  }
  return "talked";
});

server.tool("ask", { description: "Asks its user." }, async (_args, ctx) => {
  const drawn = await ctx.once("draw", () => "a draft");
  const answer = await ctx.elicit("Go on?", z.object({ yes: z.boolean() }), { key: "go" });
  return `${answer.action} of ${drawn}`;
});

server.tool(
  "stir",
  { description: "Changes an item.", input: z.object({ item: z.string() }) },
  ({ item }) => {
    server.notify.resourceUpdated(`soak://item/${item}`);
    return "stirred";
  },
);

server.tool("season", { description: "Changes what there is." }, () => {
  inSeason = !inSeason;
  server[inSeason ? "enable" : "disable"]({ tool: "pumpkin" });
  return "changed";
});
let inSeason = true;
server.tool(
  "pumpkin",
  { description: "There in its season.", input: z.object({ size: z.int() }) },
  () => "soup",
);

server.resource("soak://config", { name: "config", description: "A resource." }, () => ({ on: true }));
server.resource(
  "soak://item/{name}",
  { name: "item", description: "A template.", complete: { name: (text) => [`${text}1`, `${text}2`] } },
  async ({ name }, ctx) => {
    await sleep(1);
    return `${name} for ${ctx.client.authenticated ? ctx.client.clientId : "somebody"}`;
  },
);

server.prompt(
  "greet",
  {
    description: "A prompt.",
    input: z.object({ name: z.string(), tone: z.enum(["dry", "warm"]).optional() }),
  },
  ({ name, tone }) => `Greet ${name}, ${tone ?? "warm"}.`,
);

const Timeout = setTimeout(() => {}, 0).constructor;

/** What is there when nobody calls: it must not become more. Timers count here also where they keep nothing awake. */
function left(): Record<string, number> {
  return {
    ...resources(),
    running,
    held,
    contexts: Context ? queryObjects(Context, { format: "count" }) : 0,
    timers: queryObjects(Timeout, { format: "count" }),
    sockets: queryObjects(Socket, { format: "count" }),
    abortControllers: queryObjects(AbortController, { format: "count" }),
  };
}

const answers = { memory, left, faults: () => ({ ...faults, complaints }) };

export type Answers = typeof answers;

const { port } = await server.run({ transport: "http", port: 0, signals: false });
answerParent(answers, port);
