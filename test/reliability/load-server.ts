/** The server that the load tests drive, in a process of its own: `fork(…, [JSON.stringify(HttpOptions)])`. */

import { setTimeout as sleep } from "node:timers/promises";
import { type HttpOptions, MCPServer } from "gantry-mcp";
import { z } from "zod";
import { answerParent, memory, resources } from "./own-process.ts";

const http = JSON.parse(process.argv[2] ?? "{}") as HttpOptions;
const server = new MCPServer({ name: "load", version: "1.0.0", http });

/** When calls of `wait` began and were aborted, by their nonce; on the clock that all processes share. */
const begun: Record<string, number> = {};
const aborted: Record<string, number> = {};
let under = 0;

server.resource("load://item/{name}", { name: "item", description: "Changes often." }, () => "item");

server.tool(
  "echo",
  { description: "Says it again.", input: z.object({ text: z.string() }) },
  ({ text }) => text,
);

server.tool(
  "wait",
  {
    description: "Speaks now and then until it is aborted.",
    input: z.object({ nonce: z.string(), speak: z.boolean().default(false) }),
  },
  async ({ nonce, speak }, ctx) => {
    begun[nonce] = now();
    under++;
    ctx.signal.addEventListener("abort", () => (aborted[nonce] = now()));
    try {
      for (let done = 1; !ctx.signal.aborted; done++) {
        if (speak) ctx.progress(done, undefined, "x".repeat(200));
        await sleep(speak ? 5 : 60_000, undefined, { signal: ctx.signal });
      }
    } catch {
      // Aborted: what the caller waits for.
    } finally {
      under--;
    }
    return "over";
  },
);

const answers = {
  memory,
  rss: () => process.memoryUsage().rss,
  notify: async ({ count, first, every, burst, size, uris }: Pace) => {
    for (let n = first; n < first + count; n++) {
      server.notify.resourceUpdated(`load://item/${String(n % uris).padStart(size, "0")}`);
      if ((n + 1) % burst === 0) await sleep(every);
    }
    return now();
  },
  broadcast: ({ name }: { readonly name: string }) => {
    const at = now();
    server.notify.resourceUpdated(`load://item/${name}`);
    return at;
  },
  calls: () => ({ begun, aborted, under }),
  resources,
};

export interface Pace {
  readonly count: number;
  readonly first: number;
  /** Pauses so many milliseconds after each `burst`. */
  readonly every: number;
  readonly burst: number;
  /** How long the changing part of the URI is. */
  readonly size: number;
  /** How many URIs take turns. */
  readonly uris: number;
}

export type Answers = typeof answers;

function now(): number {
  return performance.timeOrigin + performance.now();
}

const { port } = await server.run({ transport: "http", port: 0, signals: false });
answerParent(answers, port);
