/** Any stack of layers, on servers and routers, runs in order and unwinds in reverse. */

import * as fc from "fast-check";
import {
  MCPRouter,
  MCPServer,
  type Middleware,
  type OperationKind,
  ToolError,
  circuitBreaker,
  concurrency,
  logging,
  rateLimit,
  timeout,
} from "gantry-mcp";
import { TestClient, type ToolCallError } from "gantry-mcp/testing";
import { expect, test } from "vitest";
import { capturedLog } from "../support/captured-log.ts";

const SEED = Number(process.env["PROPERTY_SEED"] ?? 20_260_728);

const BEHAVIOURS = ["pass", "pass", "pass", "answer", "refuse", "replace", "recover", "fail after"] as const;
const BUILT_IN = ["logging", "timeout", "rateLimit", "concurrency", "circuitBreaker"] as const;

interface Spec {
  readonly behaviour: (typeof BEHAVIOURS)[number] | (typeof BUILT_IN)[number];
  /** The kinds that it says it is around; nothing where it says nothing. */
  readonly kinds: readonly OperationKind[] | undefined;
  /** After how many turns it goes on. */
  readonly turns: number;
}

const spec: fc.Arbitrary<Spec> = fc.record({
  behaviour: fc.oneof(
    { arbitrary: fc.constantFrom(...BEHAVIOURS), weight: 4 },
    { arbitrary: fc.constantFrom(...BUILT_IN), weight: 1 },
  ),
  kinds: fc.option(fc.subarray<OperationKind>(["tool", "prompt", "list"], { minLength: 1 }), {
    nil: undefined,
  }),
  turns: fc.nat(3),
});
/** The layers of the server, of a router in it, of one in that, and so on; and whether the handler fails. */
const stack = fc.record({
  levels: fc.array(fc.array(spec, { maxLength: 4 }), { minLength: 1, maxLength: 4 }),
  fails: fc.boolean(),
  turns: fc.nat(3),
});

const isBuiltIn = (behaviour: Spec["behaviour"]) => (BUILT_IN as readonly string[]).includes(behaviour);

/** What has to happen, said once more without promises and onions. */
function model(specs: readonly Spec[], fails: boolean, events: string[], index = 0): string {
  const own = specs[index];
  if (!own) {
    events.push("handler");
    if (fails) throw new ToolError("handler");
    return "done";
  }
  const rest = () => model(specs, fails, events, index + 1);
  if (isBuiltIn(own.behaviour) || (own.kinds && !own.kinds.includes("tool"))) return rest();
  events.push(`in ${index}`);
  try {
    switch (own.behaviour) {
      case "answer":
        return `answer ${index}`;
      case "refuse":
        throw new ToolError(`refused ${index}`);
      case "replace":
        return `${rest()}, ${index}`;
      case "fail after":
        rest();
        throw new ToolError(`failed ${index}`);
      case "recover":
        try {
          return rest();
        } catch {
          return `recovered ${index}`;
        }
      default:
        return rest();
    }
  } finally {
    events.push(`out ${index}`);
  }
}

async function pause(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function layer({ behaviour, kinds, turns }: Spec, index: number, events: string[]): Middleware {
  switch (behaviour) {
    case "logging":
      return logging(kinds && { kinds });
    case "timeout":
      return timeout({ default: "20s" });
    case "rateLimit":
      return rateLimit({ perMinute: 1_000, name: `limit-${index}`, ...(kinds && { kinds }) });
    case "concurrency":
      return concurrency({ max: 10, queue: { wait: "1s" }, ...(kinds && { kinds }) });
    case "circuitBreaker":
      return circuitBreaker({ failures: 1_000, perTool: index % 2 === 0 });
  }
  const handle: Extract<Middleware, (...args: never) => unknown> = async (ctx, next) => {
    if (ctx.operation.kind !== "tool") return next();
    events.push(`in ${index}`);
    try {
      await pause(turns);
      if (behaviour === "answer") return `answer ${index}`;
      if (behaviour === "refuse") throw new ToolError(`refused ${index}`);
      const result = (await (behaviour === "recover" ? next().catch(() => `recovered ${index}`) : next())) as
        | string
        | { readonly content: readonly { readonly text: string }[] };
      await pause(turns);
      if (behaviour === "fail after") throw new ToolError(`failed ${index}`);
      const said = typeof result === "string" ? result : result.content[0]?.text;
      return behaviour === "replace" ? `${said}, ${index}` : result;
    } finally {
      events.push(`out ${index}`);
    }
  };
  return kinds ? { name: `layer ${index}`, kinds, handle } : handle;
}

test.each(["2026-07-28", "2025-11-25"] as const)(
  "any stack, revision %s",
  { timeout: 120_000 },
  async (era) => {
    await fc.assert(
      fc.asyncProperty(stack, async ({ levels, fails, turns }) => {
        const specs = levels.flat();
        const wanted: string[] = [];
        let outcome: string;
        try {
          outcome = model(specs, fails, wanted);
        } catch (error) {
          outcome = (error as Error).message;
        }

        const events: string[] = [];
        const layers = specs.map((each, index) => layer(each, index, events));
        const server = new MCPServer({ name: "stack", version: "1.0.0", logger: capturedLog().logger });
        let taken = 0;
        const own = levels.map((level) => layers.slice(taken, (taken += level.length)));
        for (const each of own[0] ?? []) server.use(each);
        const routers = own.slice(1).map((middleware) => new MCPRouter({ middleware }));
        const places = [server, ...routers];
        for (const [depth, router] of routers.entries()) (places[depth] as MCPServer).include(router);
        (places.at(-1) as MCPServer).tool("act", { description: "Acts." }, async () => {
          await pause(turns);
          events.push("handler");
          if (fails) throw new ToolError("handler");
          return "done";
        });

        const client = await TestClient.connect(server, { era });
        const said = await client.call("act").catch((error: unknown) => (error as ToolCallError).message);
        expect(events).toEqual(wanted);
        expect(said).toBe(outcome);
      }),
      { seed: SEED, numRuns: 250 },
    );
  },
);
