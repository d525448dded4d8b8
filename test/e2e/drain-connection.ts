/** One keep-alive connection that knows exactly what became of each of its requests. */

import { type Socket, connect } from "node:net";

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Whether the server said that this was the connection's last answer. */
  readonly last: boolean;
}

export class Connection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #settle: ((answer: Answer | Error) => void) | undefined;
  #broken: Error | undefined;

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, noDelay: true }, () => {
        socket.off("error", reject);
        resolve(new Connection(socket));
      });
      socket.once("error", reject);
    });
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("closed without an answer")));
  }

  /** Whether the server has ended the connection. */
  get broken(): boolean {
    return this.#broken !== undefined || this.#socket.readableEnded;
  }

  /** Sends one request. Rejects where the connection ends before the answer does. */
  request(head: string, body = ""): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#settle = (answer) => (answer instanceof Error ? reject(answer) : resolve(answer));
      if (this.#broken) return this.#fail(this.#broken);
      this.#socket.write(
        `${head}\r\nhost: localhost\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    this.#broken ??= error;
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(error);
  }

  #read(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.toString("latin1", 0, headEnd);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
    if (this.#received.length < headEnd + 4 + length) return;
    const body = this.#received.toString("utf8", headEnd + 4, headEnd + 4 + length);
    this.#received = this.#received.subarray(headEnd + 4 + length);
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.({ status: Number(head.slice(9, 12)), body, last: /\r\nconnection: close/i.test(head) });
  }
}
