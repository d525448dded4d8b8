/** Everything that authors write, done by each kind of the zoo. `node --import tsx server.ts '{"transport":"http","port":0}'` */

import { setTimeout as sleep } from "node:timers/promises";
import {
  MCPServer,
  type RequestContext,
  ToolResponse,
  circuitBreaker,
  dependency,
  logging,
} from "gantry-mcp";
import { KINDS, type Kind, TIME_LIMIT, block } from "./kinds.ts";

const run = JSON.parse(process.argv[2] ?? "{}") as Parameters<MCPServer["run"]>[0];

const about = { description: "Misbehaves." };
const args = { input: { type: "object" }, unknownArguments: "follow-schema" } as const;
/** The built-in layers, around handlers that fail in every way. */
const layers = { rateLimit: "100000/min", concurrency: { max: 1_000 }, cache: { ttl: "1s" } } as const;

const server = new MCPServer({
  name: "zoo",
  version: "1.0.0",
  timeout: TIME_LIMIT,
  http: { sessions: true },
});
server
  .use(logging())
  .use(circuitBreaker({ failures: 1_000 }))
  .tool("block", about, block)
  .tool("hang", about, () => new Promise(() => {}))
  .tool("echo", { ...about, input: { type: "object" } }, (given) => given);

for (const kind of KINDS) {
  const { name, run: behave } = kind;
  const handler = (given: unknown, ctx: RequestContext) => behave(ctx, given as Record<string, unknown>);
  server
    .tool(name, { ...about, ...args }, handler)
    .tool(`structured_${name}`, { ...about, ...args, output: {} }, handler as never)
    .tool(
      `described_${name}`,
      { ...about, ...args },
      async (given, ctx) => new ToolResponse(await handler(given, ctx), { metadata: { name } }),
    )
    .tool(`layers_${name}`, { ...about, ...args, ...layers }, handler)
    .resource(`zoo://${name}`, { ...about, name }, (_params, ctx) => behave(ctx))
    .prompt(name, about, (_given, ctx) => behave(ctx))
    .tool(`around_${name}`, about, () => "done");
  server.use({
    name,
    kinds: ["tool"],
    handle: (ctx, next) => (ctx.operation.name === `around_${name}` ? behave(ctx) : next()),
  });
  if (kind.returns) continue;
  server
    .resource(
      `zoo://${name}/{way}`,
      { ...about, name: `${name}_ways`, complete: { way: (_text, ctx) => values(behave(ctx)) } },
      () => "done",
    )
    .tool(`opening_${name}`, { ...about, inject: { it: opening(kind) } }, () => "done")
    .tool(`closing_${name}`, { ...about, inject: { it: closing(kind) } }, () => "done")
    .tool(`background_${name}`, about, (_given, { background }) => {
      background.add(() => behave());
      background.add(sleep, 1);
      return "done";
    });
}

function opening({ run: behave }: Kind) {
  return dependency((ctx) => behave(ctx));
}

function closing({ run: behave }: Kind) {
  return dependency(async function* (ctx) {
    yield "it";
    await behave(ctx);
  });
}

async function values(work: unknown): Promise<readonly string[]> {
  await work;
  return [];
}

await server.run({ shutdown: { notice: 0, limit: "1s" }, ...run });
console.error("running");
