/** The answer on `node:http`: JSON at once, or an event stream from the first message that comes before it. */

import type { ServerResponse } from "node:http";
import type { Reply } from "../../protocol/exchange.ts";
import { BUSY } from "./endpoint.ts";
import { type EventStream, NOWHERE, STREAM_HEADERS, type Sink, type Streams } from "./streams.ts";

type Headers = Readonly<Record<string, string>>;

export class NodeReply {
  readonly #response: ServerResponse;
  readonly #streams: Streams;
  readonly #headers: () => Headers;
  #stream: EventStream | undefined;

  /** @param headers - Further headers of the answer, asked for when they are written. */
  constructor(response: ServerResponse, streams: Streams, headers: () => Headers) {
    this.#response = response;
    this.#streams = streams;
    this.#headers = headers;
  }

  /** Sends a message before the answer. */
  readonly say = (json: string): void => {
    if (!this.#response.writableEnded && !this.#response.destroyed) this.#opened().send(json);
  };

  send(reply: Reply): void {
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return reply.relay?.(NOWHERE)();
    if (reply.listen) return this.#streams.full ? this.send(BUSY) : this.#handOver(reply.listen, reply);
    if (reply.relay) {
      this.#handOver(reply.relay, reply);
      // The client is to know that its stream is open, though nothing may be said for long.
      return response.flushHeaders();
    }
    const { status, body, tail, headers } = reply;
    if (this.#stream) {
      this.#stream.send(tail ? body + Buffer.from(tail).toString() : body);
      return this.#stream.end();
    }
    const fields: string[] = [];
    if (body !== "") fields.push("content-type", "application/json");
    if (status !== 204) fields.push("content-length", String(Buffer.byteLength(body) + (tail?.length ?? 0)));
    response.writeHead(status, append(append(fields, this.#headers()), headers));
    if (tail) {
      response.write(body);
      response.end(tail);
    } else {
      response.end(body);
    }
  }

  #handOver(start: (stream: EventStream) => () => void, { headers }: Reply): void {
    const stop = start(this.#opened(headers));
    if (this.#response.closed) stop();
    else this.#response.once("close", stop);
  }

  #opened(headers?: Headers): EventStream {
    if (this.#stream) return this.#stream;
    const response = this.#response;
    response.writeHead(200, append(append(append([], STREAM_HEADERS), this.#headers()), headers));
    const stream = this.#streams.open(new NodeSink(response));
    response.on("drain", () => stream.drained()).once("close", () => stream.closed());
    this.#stream = stream;
    return stream;
  }
}

class NodeSink implements Sink {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  write(text: string | Uint8Array): void {
    this.#response.write(text);
  }

  congested(): boolean {
    return this.#response.writableNeedDrain;
  }

  waiting(): number {
    return this.#response.writableLength;
  }

  sent(): number {
    return (this.#response.socket?.bytesWritten ?? 0) - this.#response.writableLength;
  }

  end(): void {
    this.#response.end();
  }

  cut(): void {
    this.#response.destroy();
  }
}

function append(fields: string[], more: Headers | undefined): string[] {
  // Not what some library has put on all objects.
  if (more) for (const name of Object.keys(more)) fields.push(name, more[name] as string);
  return fields;
}
