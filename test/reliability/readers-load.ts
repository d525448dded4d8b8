/** Readers that keep up and readers that have stopped reading, told of the same many events. */

import { setTimeout as sleep } from "node:timers/promises";
import { parseLog } from "../support/captured-log.ts";
import { RawStream } from "./raw-stream.ts";
import { ServerProcess } from "./server-process.ts";

export interface ReadersReport {
  readonly healthy: number;
  readonly stalled: number;
  readonly events: number;
  /** Readers that got every event, in order. */
  readonly complete: number;
  /** Stalled readers that were cut with a reason that was counted. */
  readonly cut: Readonly<Record<string, number>>;
  /** From the first event to the last cut. */
  readonly lastCutMs: number;
  readonly rssGrowthMiB: number;
  /** Streams that are open in the end, as the last cut counted them. */
  readonly openAfterCuts: number;
  readonly seconds: number;
}

export interface ReadersLoad {
  /** Readers of each kind. */
  readonly readers: number;
  readonly events: number;
  /** How long an event's URI is: kernels keep megabytes for a stalled reader before its server notices. */
  readonly size: number;
}

const MIB = 1_048_576;
const BURST = 10;
/** At most so many URIs may be followed with one subscription; the events go through them in turn. */
const URIS = 100;

export async function readersLoad({ readers, events, size }: ReadersLoad): Promise<ReadersReport> {
  const server = await ServerProcess.start({ maxStreams: readers * 2 });
  const started = performance.now();
  try {
    const resourceSubscriptions = Array.from({ length: URIS }, (_, n) => uri(n, size));
    const all = await RawStream.many(server.port, readers * 2, () => ({ resourceSubscriptions }));
    const stalled = all.slice(0, readers);
    const progress = all.slice(readers).map((stream) => followed(stream));
    for (const { socket } of stalled) socket.pause();
    const { rss: before } = await server.ask("memory");

    let most = before;
    const over = new AbortController();
    const watching = (async () => {
      while (!over.signal.aborted) {
        most = Math.max(most, await server.ask("rss"));
        await sleep(200);
      }
    })();
    const begun = Date.now();
    for (let first = 0; first < events; first += BURST * URIS) {
      const count = Math.min(BURST * URIS, events - first);
      await server.ask("notify", { count, first, every: 2, burst: BURST, size, uris: URIS });
      // The readers share this machine with the server: it waits for the slowest of them, within reason.
      for (let i = 0; i < 200 && progress.some(({ next }) => next < first); i++) await sleep(20);
    }
    const complete = () => progress.filter(({ next, inOrder }) => inOrder && next === events).length;
    for (let i = 0; i < 500 && complete() < readers; i++) await sleep(20);
    // Who was not cut for what waits is cut at the second look, 15 seconds after the first.
    let cuts = cutsOf(server);
    for (let i = 0; i < 320 && cuts.length < readers; i++) {
      await sleep(100);
      cuts = cutsOf(server);
    }
    over.abort();
    await watching;
    return {
      healthy: readers,
      stalled: readers,
      events,
      complete: complete(),
      cut: Object.fromEntries(Object.entries(grouped(cuts)).map(([reason, list]) => [reason, list.length])),
      lastCutMs: Math.max(0, ...cuts.map(({ time }) => Date.parse(time) - begun)),
      rssGrowthMiB: Math.round((most - before) / MIB),
      openAfterCuts: cuts.at(-1)?.open ?? -1,
      seconds: Math.round((performance.now() - started) / 1_000),
    };
  } finally {
    await server.stop();
  }
}

interface Cut {
  readonly time: string;
  readonly reason: string;
  readonly open: number;
}

function cutsOf({ stderr }: ServerProcess): readonly Cut[] {
  return (parseLog(stderr) as unknown as readonly Cut[]).filter(({ reason }) => reason !== undefined);
}

function grouped(cuts: readonly Cut[]): Record<string, Cut[]> {
  const groups: Record<string, Cut[]> = {};
  for (const cut of cuts) (groups[cut.reason] ??= []).push(cut);
  return groups;
}

function uri(n: number, size: number): string {
  return `load://item/${String(n % URIS).padStart(size, "0")}`;
}

/** Counts the events of a reader that keeps up, and sees to their order. */
function followed(stream: RawStream): { next: number; inOrder: boolean } {
  const progress = { next: 0, inOrder: true };
  let tail = "";
  stream.onText = (text) => {
    const piece = tail + text;
    let end = 0;
    for (const match of piece.matchAll(/(\d\d)"\}\}/g)) {
      progress.inOrder &&= Number(match[1]) === progress.next % URIS;
      progress.next++;
      end = match.index + match[0].length;
    }
    tail = piece.slice(Math.max(end, piece.length - 8));
  };
  return progress;
}
