/** Many callers, each seen once: what is remembered of them stays within its bounds, and who has used up a limit is not forgotten. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  MCPServer,
  authenticate,
  concurrency,
  idempotency,
  memoryCache,
  memoryIdempotencyStore,
  memoryLimitStore,
  rateLimit,
} from "gantry-mcp";
import { z } from "zod";
import { modern, modernHeaders } from "../support/wire.ts";

export interface CallersReport {
  readonly callers: number;
  /** Newcomers that were not given their own result. */
  readonly wrong: number;
  /** Calls that passed of a caller who had used up the limit before them. */
  readonly passedAgain: number;
  /** How much heap there is more than before, after collection, in MiB. */
  readonly heap: number;
}

const EXHAUSTED = ["ana", "ben", "cas"];
const LIMIT = 10;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** @param count - How many callers, one call each; three others have used up their limit before, and try again now and then. */
export async function callers(count: number): Promise<CallersReport> {
  const server = new MCPServer({
    name: "callers",
    version: "1.0.0",
    limits: { store: memoryLimitStore() },
    cache: { store: memoryCache() },
    idempotency: { store: memoryIdempotencyStore() },
  });
  server
    .use(
      authenticate({
        authenticate: ({ token }) => (token ? { clientId: token, subject: token } : undefined),
      }),
    )
    .use(rateLimit({ perHour: LIMIT }))
    .use(concurrency({ max: 2, by: "client" }))
    .use(idempotency())
    .tool(
      "kept",
      { description: "Is kept.", input: z.object({ n: z.int() }), cache: { ttl: "1h" } },
      ({ n }, { client }) => `${client.clientId} ${n} ${"x".repeat(500)}`,
    )
    .tool("once", { description: "Happens once." }, (_args, { client }) => client.clientId);
  const call = async (caller: string, name: string, n: number) => {
    const message = modern("tools/call", { name, ...(name === "kept" && { arguments: { n } }) });
    const answer = await server.fetch(
      new Request("http://localhost/mcp", {
        method: "POST",
        headers: {
          ...modernHeaders("tools/call", name),
          authorization: `Bearer ${caller}`,
          "idempotency-key": `key-${n}`,
        },
        body: JSON.stringify(message),
      }),
    );
    return answer.text();
  };
  for (const caller of EXHAUSTED) for (let n = 0; n < LIMIT; n++) await call(caller, "kept", n);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;

  let wrong = 0;
  let passedAgain = 0;
  for (let n = 0; n < count; n++) {
    const caller = `caller-${n}`;
    if (!(await call(caller, n % 2 === 0 ? "kept" : "once", n)).includes(`"text":"${caller}`)) wrong++;
    if (n % 1_000 === 0)
      for (const exhausted of EXHAUSTED)
        if (!(await call(exhausted, "kept", 0)).includes("RATE_LIMIT_EXCEEDED")) passedAgain++;
  }
  collectGarbage();
  const heap = Math.round((process.memoryUsage().heapUsed - before) / 104_857.6) / 10;
  await server.close();
  return { callers: count, wrong, passedAgain, heap };
}
