/** Clients that are gone at a random byte: what their calls learn of it, and what is left of them. */

import { readdirSync } from "node:fs";
import { type Socket, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { post } from "./raw-stream.ts";
import type { Random } from "./random.ts";
import { ServerProcess } from "./server-process.ts";
import { resourcesOf, round } from "./streams-load.ts";

const MOMENTS = ["headers", "body", "handler", "events"] as const;
type Moment = (typeof MOMENTS)[number];

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
    const descriptors = openDescriptors(server);
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
    const left = openDescriptors(server) - descriptors;
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

/** One client, which leaves at `moment`: orderly, or as one whose machine is gone. */
async function client(
  port: number,
  nonce: string,
  moment: Moment,
  random: Random,
  gone: Map<string, number>,
): Promise<void> {
  const speak = moment === "events";
  const text = call(nonce, speak);
  const head = text.indexOf("\r\n\r\n") + 4;
  const socket = connect({ host: "127.0.0.1", port }).on("error", () => {});
  await new Promise((resolve) => {
    socket.once("connect", resolve);
  });
  const closed = new Promise((resolve) => {
    socket.once("close", resolve);
  });
  const leave = () => {
    gone.set(nonce, performance.timeOrigin + performance.now());
    if (random.chance(0.5)) socket.destroy();
    else socket.resetAndDestroy();
  };
  switch (moment) {
    case "headers":
      await written(socket, text.slice(0, random.int(1, head - 1)));
      break;
    case "body":
      await written(socket, text.slice(0, random.int(head, text.length - 1)));
      break;
    case "handler":
      await written(socket, text);
      await sleep(random.int(0, 30));
      break;
    case "events":
      socket.write(text);
      await received(socket, random.int(1, 4_000));
      break;
  }
  leave();
  await closed;
}

function call(nonce: string, speak: boolean): string {
  const params = { name: "wait", arguments: { nonce, speak } };
  return speak ? post("tools/call", params, 1, {}, { progressToken: 1 }) : post("tools/call", params);
}

function written(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve) => {
    socket.write(text, () => resolve());
  });
}

/** Resolves when so many bytes have come. A call that is refused finds its place taken by one whose client is gone. */
function received(socket: Socket, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let count = 0;
    socket.on("data", (piece: Buffer) => {
      if (count === 0 && !piece.toString("latin1").startsWith("HTTP/1.1 200"))
        reject(new Error(`A client was refused: ${piece.toString("latin1").slice(0, 40)}`));
      count += piece.length;
      if (count >= bytes) resolve();
    });
    socket.once("close", () => reject(new Error("A client was cut off before it left.")));
  });
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

/** The server's open files, where the system tells. */
function openDescriptors({ pid }: ServerProcess): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
