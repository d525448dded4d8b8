/** How limits and the built-in layers are written. Checked by the compiler; never run. */

import {
  type CircuitBreaker,
  type LimitStore,
  MCPRouter,
  MCPServer,
  type MCPServerOptions,
  type Middleware,
  type Rate,
  type RateLimitOptions,
  type RequestContext,
  circuitBreaker,
  concurrency,
  logging,
  memoryLimitStore,
  rateLimit,
  timeout,
} from "gantry-mcp";
import { exactly } from "./assertions.ts";

const description = "d";
const server = new MCPServer({
  name: "types",
  version: "1.0.0",
  limits: { store: memoryLimitStore({ maxKeys: 10 }) },
});

// ── layers ──

const layers: readonly Middleware[] = [
  logging(),
  logging({ level: "debug", kinds: ["tool"] }),
  timeout({ default: "30s" }),
  timeout({ default: 250 }),
  rateLimit({ perMinute: 100, perTool: true }),
  rateLimit({
    perSecond: 5,
    perHour: 100,
    perDay: 500,
    by: "tenant",
    algorithm: "sliding-window",
    name: "api",
  }),
  concurrency({ max: 10, by: "client", queue: { wait: "2s", max: 5 } }),
  circuitBreaker({ failures: 3, recovery: "10s", perTool: false }),
];
for (const layer of layers) server.use(layer);
export const router: MCPRouter = new MCPRouter({ middleware: layers });

rateLimit({
  perMinute: 1,
  by: (ctx) => {
    exactly<RequestContext>()(ctx);
    return ctx.client.authenticated ? ctx.client.subject : undefined;
  },
  weight: ({ operation }) => (operation.tags.includes("costly") ? 5 : 1),
});

const breaker: CircuitBreaker = circuitBreaker();
exactly<"closed" | "open" | "half-open">()(await breaker.state({ tool: "search" }));
await breaker.reset();

// @ts-expect-error -- a number of what?
rateLimit(100);
// @ts-expect-error -- the name is perMinute
rateLimit({ per_minute: 100 });
// @ts-expect-error -- callers are told apart in four ways, or by a function
rateLimit({ perMinute: 100, by: "user" });
// @ts-expect-error -- a weight is a number
rateLimit({ perMinute: 100, weight: () => "5" });
// @ts-expect-error -- what would it limit?
concurrency({});
// @ts-expect-error -- how long do they wait?
concurrency({ max: 1, queue: {} });
// @ts-expect-error -- the unit is unknown
timeout({ default: "30 seconds" });
// @ts-expect-error -- errors are always warnings
logging({ level: "error" });
// @ts-expect-error -- named by its kind
await breaker.state("search");

// ── declared ──

server
  .tool("a", { description, rateLimit: "100/min", timeout: "5s", concurrency: 5 }, () => 1)
  .tool(
    "b",
    { description, rateLimit: ["10/s", "1000/hour"], concurrency: { max: 2, queue: { wait: 100 } } },
    () => 1,
  )
  .tool("c", { description, rateLimit: { perMinute: 10, burst: 3, by: "address" } }, () => 1)
  .resource("config://app", { name: "config", description, rateLimit: "5/s", concurrency: 1 }, () => 1)
  .prompt("plan", { description, rateLimit: "5/d", concurrency: 1 }, () => "");

const rates: readonly Rate[] = [
  "1/s",
  "1/sec",
  "1/second",
  "1/m",
  "1/min",
  "1/minute",
  "1/h",
  "1/hr",
  "1/day",
];
exactly<readonly Rate[]>()(rates);
exactly<RateLimitOptions["perDay"]>()(undefined as number | undefined);

// @ts-expect-error -- the unit is unknown
server.tool("d", { description, rateLimit: "100/fortnight" }, () => 1);
// @ts-expect-error -- a tool's limit is the tool's
server.tool("e", { description, rateLimit: { perMinute: 10, perTool: true } }, () => 1);
// @ts-expect-error -- how many?
server.tool("f", { description, concurrency: "many" }, () => 1);

// ── the port ──

const counted: LimitStore = {
  charge: async (charges) => ({
    allowed: charges.every(({ cost, limit }) => cost <= limit.burst),
    states: charges.map(() => ({ remaining: 0, wait: 0, reset: 0 })),
  }),
};
export const limits: MCPServerOptions["limits"][] = [
  { store: counted },
  // @ts-expect-error -- it does not count
  { store: {} },
];
