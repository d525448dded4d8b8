/** A `subscriptions/listen` stream on a bare socket: little enough that thousands fit in one process. */

import { type Socket, connect } from "node:net";
import { META, modern, modernHeaders } from "../support/wire.ts";

const ALL = { resourceSubscriptions: ["load://item/all"] };

export class RawStream {
  readonly socket: Socket;
  /** The status line of the answer. */
  status = 0;
  #tail = "";
  /** Called with each piece of text as it comes. */
  onText: ((text: string) => void) | undefined;

  /** Resolves when the subscription is acknowledged, or refused. */
  static open(
    port: number,
    id: number,
    notifications: object = ALL,
    headers: Record<string, string> = {},
  ): Promise<RawStream> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port });
      const stream = new RawStream(socket);
      stream.onText = (text) => {
        stream.status ||= Number(text.slice(9, 12));
        if (!text.includes("acknowledged") && stream.status === 200) return;
        stream.onText = undefined;
        socket.off("error", reject);
        socket.on("error", () => {});
        resolve(stream);
      };
      socket.once("error", reject);
      socket.write(post("subscriptions/listen", { notifications }, id, headers));
    });
  }

  /** Opens many, a few at a time. */
  static async many(
    port: number,
    count: number,
    notifications?: (id: number) => object,
  ): Promise<RawStream[]> {
    const streams: RawStream[] = [];
    while (streams.length < count) {
      const ids = Array.from({ length: Math.min(50, count - streams.length) }, (_, i) => streams.length + i);
      streams.push(...(await Promise.all(ids.map((id) => RawStream.open(port, id, notifications?.(id))))));
    }
    return streams;
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => this.onText?.(bytes.toString("latin1")));
  }

  /** Resolves when `text` has come, with when it came on the clock that all processes share. */
  says(text: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.socket.once("close", () => reject(new Error(`closed before it said ${text}`)));
      this.onText = (piece) => {
        this.#tail = this.#tail.slice(-text.length) + piece;
        if (!this.#tail.includes(text)) return;
        this.onText = undefined;
        resolve(performance.timeOrigin + performance.now());
      };
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

/** A modern request as bytes, for a bare socket. */
export function post(
  method: string,
  params: object,
  id: unknown = 1,
  headers: Record<string, string> = {},
  meta: object = {},
): string {
  const body = JSON.stringify(modern(method, { ...params, _meta: { ...META, ...meta } }, id));
  const { name } = params as { readonly name?: string };
  const fields = {
    host: "127.0.0.1",
    ...modernHeaders(method, name),
    "content-length": String(Buffer.byteLength(body)),
    ...headers,
  };
  const head = Object.entries(fields).map(([field, value]) => `${field}: ${value}\r\n`);
  return `POST /mcp HTTP/1.1\r\n${head.join("")}\r\n${body}`;
}
