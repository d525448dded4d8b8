/** So many open subscriptions at once: what each costs, how soon all hear of a change, what is left of them. */

import { setTimeout as sleep } from "node:timers/promises";
import { RawStream } from "./raw-stream.ts";
import { ServerProcess } from "./server-process.ts";

export interface StreamsReport {
  readonly streams: number;
  readonly rssPerStreamKiB: number;
  readonly heapPerStreamKiB: number;
  /** From the call that tells of the change to the last stream that heard it. */
  readonly broadcastMs: number;
  /** Whether one more than `maxStreams` was refused with 503, and all places were free again afterwards. */
  readonly placesKept: boolean;
  readonly heapLeftMiB: number;
  /** Sockets and timers that the server holds when all clients are gone. */
  readonly resourcesLeft: number;
}

const KIB = 1024;

export async function streamsLoad(streams: number): Promise<StreamsReport> {
  const server = await ServerProcess.start({ maxStreams: streams });
  try {
    // Code is compiled and buffers are pooled with the first streams.
    await closeAll(await RawStream.many(server.port, Math.min(500, streams)), server);
    const before = await server.ask("memory");

    const open = await RawStream.many(server.port, streams);
    const during = await server.ask("memory");
    const surplus = await RawStream.open(server.port, streams);
    surplus.close();
    const heard = Promise.all(open.map((stream) => stream.says("notifications/resources/updated")));
    const told = await server.ask("broadcast", { name: "all" });
    const broadcastMs = Math.max(...(await heard)) - told;
    await closeAll(open, server);

    const again = await RawStream.many(server.port, streams);
    const allAgain = again.every(({ status }) => status === 200);
    await closeAll(again, server);
    const after = await server.ask("memory");
    return {
      streams,
      rssPerStreamKiB: round((during.rss - before.rss) / streams / KIB),
      heapPerStreamKiB: round((during.heap - before.heap) / streams / KIB),
      broadcastMs: Math.round(broadcastMs),
      placesKept: surplus.status === 503 && allAgain,
      heapLeftMiB: round((after.heap - before.heap) / KIB / KIB),
      resourcesLeft: await resourcesOf(server),
    };
  } finally {
    await server.stop();
  }
}

/** Sockets and timers that keep the server's event loop awake. */
export async function resourcesOf(server: ServerProcess): Promise<number> {
  const { TCPSocketWrap = 0, Timeout = 0, Immediate = 0 } = await server.ask("resources");
  return TCPSocketWrap + Timeout + Immediate;
}

async function closeAll(streams: readonly RawStream[], server: ServerProcess): Promise<void> {
  for (const stream of streams) stream.close();
  const deadline = performance.now() + 10_000;
  while ((await resourcesOf(server)) > 0 && performance.now() < deadline) await sleep(50);
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
