/** The answer on `node:http`: JSON at once, or an event stream from the first message that comes before it. */

import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Reply } from "../protocol/exchange.ts";
import { BUSY } from "./endpoint.ts";
import { type EventStream, STREAM_HEADERS, type Sink, type Streams } from "./streams.ts";

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
    if (response.destroyed || response.writableEnded) return;
    if (reply.listen) return this.#listen(reply.listen);
    if (reply.response) return this.#pass(reply.response);
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

  #listen(listen: NonNullable<Reply["listen"]>): void {
    if (this.#streams.full) return this.send(BUSY);
    this.#response.once("close", listen(this.#opened()));
  }

  /** Passes on a response that somebody else made. */
  #pass({ status, headers, body }: Response): void {
    this.#response.writeHead(status, append(append([], Object.fromEntries(headers)), this.#headers()));
    if (!body) return void this.#response.end();
    // Events are to leave at once, the headers with the first.
    this.#response.flushHeaders();
    Readable.fromWeb(body)
      .on("error", () => this.#response.destroy())
      .pipe(this.#response)
      .on("close", function (this: ServerResponse) {
        if (!this.writableFinished) void body.cancel().catch(() => {});
      });
  }

  #opened(): EventStream {
    if (this.#stream) return this.#stream;
    const response = this.#response;
    response.writeHead(200, append(append([], STREAM_HEADERS), this.#headers()));
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

  write(frame: string): void {
    this.#response.write(frame);
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
  if (more) for (const name in more) fields.push(name, more[name] as string);
  return fields;
}
