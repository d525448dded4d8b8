/** A client that is gone at a random byte of its call: orderly, or as one whose machine is gone. */

import { type Socket, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "./random.ts";

/** Where it leaves: while it writes, while its handler runs, or while it reads events. */
export const MOMENTS = ["headers", "body", "handler", "events"] as const;
export type Moment = (typeof MOMENTS)[number];

/**
 * Sends `request`, or as much of it as `moment` lets it, and leaves.
 *
 * @param leaves - Called when it does.
 */
export async function abandon(
  port: number,
  request: string,
  moment: Moment,
  random: Random,
  leaves: () => void = () => {},
): Promise<void> {
  const head = request.indexOf("\r\n\r\n") + 4;
  const socket = connect({ host: "127.0.0.1", port }).on("error", () => {});
  await new Promise((resolve) => {
    socket.once("connect", resolve);
  });
  const closed = new Promise((resolve) => {
    socket.once("close", resolve);
  });
  try {
    switch (moment) {
      case "headers":
        await written(socket, request.slice(0, random.int(1, head - 1)));
        break;
      case "body":
        await written(socket, request.slice(0, random.int(head, request.length - 1)));
        break;
      case "handler":
        await written(socket, request);
        await sleep(random.int(0, 30));
        break;
      case "events":
        socket.write(request);
        await received(socket, random.int(1, 4_000));
        break;
    }
  } finally {
    leaves();
    if (random.chance(0.5)) socket.destroy();
    else socket.resetAndDestroy();
  }
  await closed;
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
