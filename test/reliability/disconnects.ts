/** Clients that are gone at a random byte: what their calls learn of it, and what is left of them. */

import { type Socket, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { MOMENTS, type Moment, abandon } from "./abandon.ts";
import { post } from "./raw-stream.ts";
import type { Random } from "./random.ts";
import { ServerProcess } from "./server-process.ts";
import { resourcesOf, round } from "./streams-load.ts";

export interface DisconnectsReport {
  readonly clients: number;
  /** All clients by where they left, with the first ones. */
  readonly at: Readonly<Record<Moment, number>>;
  /** Calls that began: those of the clients that left after their request, and before it was over. */
  readonly calls: number;
  /** Calls whose signal never fired. */
  readonly notAborted: number;
  readonly abortP99Ms: number;
  readonly abortMaxMs: number;
  /** Calls that had begun before their request was whole. */
  readonly early: number;
  /** Handlers still running in the end. */
  readonly running: number;
  /** Whether exactly as many calls as may be under way found a place afterwards. */
  readonly placesFree: boolean;
  readonly resourcesLeft: number;
  readonly descriptorsLeft: number;
  readonly heapLeftMiB: number;
}

const IN_FLIGHT = 100;
const AT_ONCE = 20;
/** Clients that come first, while code is compiled and buffers are pooled: how soon they are noticed does not count. */
const FIRST = 400;

export async function disconnects(clients: number, random: Random): Promise<DisconnectsReport> {
  const server = await ServerProcess.start({ maxInFlight: IN_FLIGHT });
  try {
    const gone = new Map<string, number>();
    const at: Record<Moment, number> = { headers: 0, body: 0, handler: 0, events: 0 };
    const early = new Set<string>();
    const leave = async (n: number) => {
      const moment = MOMENTS[n % MOMENTS.length] as Moment;
      at[moment]++;
      const nonce = `${moment}_${n}`;
      if (moment === "headers" || moment === "body") early.add(nonce);
      await client(server.port, nonce, moment, random, gone);
    };
    await inTurns(FIRST, leave);
    await settled(server);
    const before = await server.ask("memory");
    const descriptors = server.descriptors;
    await inTurns(clients, (n) => leave(n + FIRST));
    await settled(server);

    const { begun, aborted, under } = await server.ask("calls");
    const nonces = Object.keys(begun);
    const delays = nonces.flatMap((nonce) => {
      const end = aborted[nonce];
      const isFirst = Number(nonce.split("_")[1]) < FIRST;
      return end === undefined || isFirst ? [] : [end - Math.max(gone.get(nonce) ?? 0, begun[nonce] ?? 0)];
    });
    delays.sort((a, b) => a - b);
    const after = await server.ask("memory");
    const left = server.descriptors - descriptors;
    const resourcesLeft = await resourcesOf(server);
    return {
      clients,
      at,
      calls: nonces.length,
      notAborted: nonces.filter((nonce) => aborted[nonce] === undefined).length,
      abortP99Ms: round(delays[Math.floor(delays.length * 0.99)] ?? -1),
      abortMaxMs: round(delays.at(-1) ?? -1),
      early: nonces.filter((nonce) => early.has(nonce)).length,
      running: under,
      placesFree: await placesFree(server),
      resourcesLeft,
      descriptorsLeft: left,
      heapLeftMiB: round((after.heap - before.heap) / 1_048_576),
    };
  } finally {
    await server.stop();
  }
}

/** One client, which leaves at `moment`. */
function client(
  port: number,
  nonce: string,
  moment: Moment,
  random: Random,
  gone: Map<string, number>,
): Promise<void> {
  const leaves = () => void gone.set(nonce, performance.timeOrigin + performance.now());
  return abandon(port, call(nonce, moment === "events"), moment, random, leaves);
}

function call(nonce: string, speak: boolean): string {
  const params = { name: "wait", arguments: { nonce, speak } };
  return speak ? post("tools/call", params, 1, {}, { progressToken: 1 }) : post("tools/call", params);
}

async function inTurns(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Waits until no handler runs and no connection is open, within reason. */
async function settled(server: ServerProcess): Promise<void> {
  for (let i = 0; i < 100; i++) {
    await sleep(50);
    const [{ under }, resources] = await Promise.all([server.ask("calls"), resourcesOf(server)]);
    if (under === 0 && resources === 0) return;
  }
}

/** Fills every place with a call that waits; one more is refused. */
async function placesFree(server: ServerProcess): Promise<boolean> {
  const sockets: Socket[] = [];
  const statuses: number[] = [];
  const open = (nonce: string) => {
    const socket = connect({ host: "127.0.0.1", port: server.port });
    socket.on("data", (piece: Buffer) => statuses.push(Number(piece.toString("latin1").slice(9, 12))));
    socket.write(call(nonce, false));
    sockets.push(socket);
  };
  for (let n = 0; n < IN_FLIGHT; n++) open(`fill_${n}`);
  for (let i = 0; i < 100 && (await server.ask("calls")).under < IN_FLIGHT; i++) await sleep(20);
  const full = (await server.ask("calls")).under === IN_FLIGHT && statuses.length === 0;
  open("surplus");
  for (let i = 0; i < 100 && statuses.length === 0; i++) await sleep(20);
  for (const socket of sockets) socket.destroy();
  await settled(server);
  return full && statuses[0] === 503 && (await server.ask("calls")).under === 0;
}
