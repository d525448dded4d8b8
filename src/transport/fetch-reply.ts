/** The answer as a web `Response`: JSON at once, or an event stream from the first message that comes before it. */

import type { Reply } from "../protocol/exchange.ts";
import { BUSY } from "./endpoint.ts";
import { type EventStream, STREAM_HEADERS, type Sink, type Streams } from "./streams.ts";

type Headers = Readonly<Record<string, string>>;

const encoder = new TextEncoder();

export class FetchReply {
  readonly #streams: Streams;
  readonly #headers: Headers;
  readonly #gone: () => void;
  #stream: EventStream | undefined;
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
  readonly say = (json: string): void => this.#opened(this.#gone).send(json);

  send(reply: Reply): void {
    const { status, body, tail, headers, listen, response } = reply;
    if (response) return this.#pass(response);
    if (listen) {
      if (this.#streams.full) return this.send(BUSY);
      let stop = () => {};
      const stream = this.#opened(() => stop());
      stop = listen(stream);
      return;
    }
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

  /** Passes on a response that somebody else made. */
  #pass(response: Response): void {
    for (const [name, value] of Object.entries(this.#headers)) response.headers.set(name, value);
    this.#resolve(response);
  }

  #opened(gone: () => void): EventStream {
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
    this.#resolve(new Response(sink.body, { headers: { ...STREAM_HEADERS, ...this.#headers } }));
    return stream;
  }
}

class WebSink implements Sink {
  readonly body: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #written = 0;

  constructor(drained: () => void, gone: () => void) {
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

  write(frame: string): void {
    const bytes = encoder.encode(frame);
    this.#written += bytes.length;
    this.#controller?.enqueue(bytes);
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
  }
}
