/** The connections of a server: which of them nothing is under way on when it drains. */

import type { Server } from "node:http";
import type { Socket } from "node:net";

/** A connection that has brought nothing for so long was opened in reserve, as browsers and HTTP clients do; in milliseconds. */
const IN_RESERVE = 500;

export class Connections {
  /** Closes the connections that Node takes for idle. */
  readonly #closeIdle: () => void;
  readonly #opened = new Map<Socket, number>();

  constructor(server: Server) {
    this.#closeIdle = server.closeIdleConnections.bind(server);
    // Node calls this by itself when the server stops listening.
    server.closeIdleConnections = () => this.closeIdle();
    server.on("connection", (socket: Socket) => {
      this.#opened.set(socket, performance.now());
      socket.once("close", () => this.#opened.delete(socket));
    });
  }

  /** Closes the connections that are between two requests, and those on which none ever came, of which Node takes no account. */
  closeIdle(): void {
    const sockets = [...this.#opened];
    // Node takes an answer that is still on its way for given.
    if (sockets.every(([{ writableLength }]) => writableLength === 0)) this.#closeIdle();
    const latest = performance.now() - IN_RESERVE;
    for (const [socket, opened] of sockets) if (socket.bytesRead === 0 && opened < latest) socket.destroy();
  }
}
