// Gantry from dist/, with the defaults an author gets.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  MCPServer,
  ToolResponse,
  audit,
  authenticate,
  circuitBreaker,
  concurrency,
  createLogger,
  dependency,
  idempotency,
  jwtAuth,
  logging,
  rateLimit,
  timeout,
} from "gantry-mcp";
import { audience, issuer, secret } from "../token.mjs";
import { recordSpans } from "../tracing.mjs";

/** The built-in layers, with limits that the load does not reach. */
const layersByName = {
  timeout: () => timeout({ default: "20s" }),
  rateLimit: () => rateLimit({ perMinute: 1e9, perTool: true }),
  concurrency: () => concurrency({ max: 1_000 }),
  circuitBreaker: () => circuitBreaker(),
  // The request is always the same: the result of the first call is given again.
  idempotency: () => idempotency({ key: "arguments" }),
  logging: () => logging({ logger: createLogger({ level: "info", format: "json" }) }),
  audit: (sync) => audit({ file: join(folder(), "audit.jsonl"), key: secret, ...(sync && { sync }) }),
};

/** A folder that goes with this process. */
function folder() {
  const made = mkdtempSync(join(tmpdir(), "gantry-bench-"));
  process.on("exit", () => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** What a call opens and closes, as those do that wait for others. */
const connection = dependency(async function* () {
  yield {};
});

function nothing() {}

/** What the tools declare: a result that is there, or one that is old as soon as it is made. */
const caches = { cacheHit: { ttl: "1h" }, cacheMiss: { ttl: 0.001 } };

export async function start({ tools, identified, layers = [] }, { auditSync }) {
  recordSpans(layers);
  const tracing = layers.includes("untraced") ? { tracing: false } : {};
  const server = new MCPServer({ name: "bench", version: "1.0.0", ...tracing });
  if (identified) server.use(authenticate(jwtAuth({ secret, issuer, audience })));
  if (layers.includes("metrics")) server.enableMetrics();
  for (const name of layers) if (name in layersByName) server.use(layersByName[name](auditSync));
  for (const { name, description, input, output, run } of tools) {
    const inject = layers.includes("dependency") ? { connection } : {};
    const cache = caches[layers.find((layer) => layer in caches)];
    const options = { description, input, inject, ...(output && { output }), ...(cache && { cache }) };
    server.tool(name, options, handlerOf(name, run, layers));
  }
  return server.run({ transport: "http", port: 0 });
}

function handlerOf(name, run, layers) {
  if (layers.includes("metadata"))
    return (args) => new ToolResponse(run(args), { metadata: { action: name } });
  if (!layers.includes("background")) return run;
  return (args, ctx) => {
    ctx.background.add(nothing);
    return run(args);
  };
}
