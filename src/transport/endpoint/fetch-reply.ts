/** The answer as a web `Response`: JSON at once, or an event stream from the first message that comes before it. */

import type { Reply } from "../../protocol/exchange.ts";
import { BUSY } from "./endpoint.ts";
import { type EventStream, STREAM_HEADERS, type Sink, type Streams } from "./streams.ts";

type Headers = Readonly<Record<string, string>>;

const encoder = new TextEncoder();

export class FetchReply {
  readonly #streams: Streams;
  readonly #headers: Headers;
  readonly #gone: () => void;
  #stream: EventStream | undefined;
  #answered = false;
  #resolve: (response: Response) => void = () => {};
  /** The response, as soon as it is known whether it is a stream. */
  readonly response: Promise<Response>;

  /** @param gone - Called when the reader of a stream goes away. */
  constructor(streams: Streams, headers: Headers, gone: () => void) {
    this.#streams = streams;
    this.#headers = headers;
    this.#gone = gone;
    this.response = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Sends a message before the answer. */
  readonly say = (json: string): void => {
    if (!this.#answered) this.#opened(this.#gone).send(json);
  };

  send(reply: Reply): void {
    const { status, body, tail, headers, listen, relay } = reply;
    if (listen) return this.#streams.full ? this.send(BUSY) : this.#handOver(listen, headers);
    if (relay) return this.#handOver(relay, headers);
    this.#answered = true;
    const whole = tail ? body + new TextDecoder().decode(tail) : body;
    if (this.#stream) {
      this.#stream.send(whole);
      return this.#stream.end();
    }
    const type = whole === "" ? undefined : { "content-type": "application/json" };
    this.#resolve(
      new Response(whole === "" ? null : whole, {
        status,
        headers: { ...type, ...this.#headers, ...headers },
      }),
    );
  }

  #handOver(start: (stream: EventStream) => () => void, headers: Headers | undefined): void {
    let stop = () => {};
    let isGone = false;
    const stream = this.#opened(() => {
      isGone = true;
      stop();
    }, headers);
    stop = start(stream);
    if (isGone) stop();
  }

  #opened(gone: () => void, headers?: Headers): EventStream {
    if (this.#stream) return this.#stream;
    const sink = new WebSink(
      () => stream.drained(),
      () => {
        stream.closed();
        gone();
      },
    );
    const stream = this.#streams.open(sink);
    this.#stream = stream;
    this.#resolve(new Response(sink.body, { headers: { ...STREAM_HEADERS, ...this.#headers, ...headers } }));
    return stream;
  }
}

class WebSink implements Sink {
  readonly body: ReadableStream<Uint8Array>;
  readonly #gone: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #written = 0;

  /** @param gone - Called when the reader is gone, or was cut off. */
  constructor(drained: () => void, gone: () => void) {
    this.#gone = gone;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: drained,
        cancel: gone,
      },
      // What waits is counted in bytes; anything that waits is more than is wanted.
      new ByteLengthQueuingStrategy({ highWaterMark: 1 }),
    );
  }

  write(text: string | Uint8Array): void {
    const bytes = typeof text === "string" ? encoder.encode(text) : text;
    this.#written += bytes.length;
    this.#controller?.enqueue(bytes);
  }

  congested(): boolean {
    return this.waiting() > 0;
  }

  waiting(): number {
    return Math.max(0, 1 - (this.#controller?.desiredSize ?? 1));
  }

  sent(): number {
    return this.#written - this.waiting();
  }

  end(): void {
    this.#controller?.close();
  }

  cut(): void {
    this.#controller?.error(new Error("The reader did not keep up."));
    this.#gone();
  }
}
