/** Event streams: how messages are framed, kept alive, and taken from readers that do not read. */

import type { Outlet } from "../protocol/subscriptions.ts";

/** A response that can be written to piece by piece, as `node:http` and web streams offer it. */
export interface Sink {
  write(frame: string): void;
  /** How many bytes wait for the reader. */
  waiting(): number;
  /** How many bytes the reader has been sent: it stands still where nothing is read. */
  sent(): number;
  end(): void;
  /** Cuts the connection. */
  cut(): void;
}

/** What may wait for a slow reader, in bytes; above, its stream is cut. */
const MOST_WAITING = 262_144;

/** Above this, messages that another will make good for are held back; in bytes. */
const SLOW = 65_536;

/**
 * How often idle streams get a comment, so that nobody on the way thinks them dead; in milliseconds. A reader
 * that has left everything unread from one time to the next but one is taken for stalled.
 */
const KEEP_ALIVE = 15_000;

/** Headers of every event stream; the third keeps proxies from buffering it. */
export const STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

/** Why streams were cut, counted. */
export interface StreamCounts {
  readonly open: number;
  readonly cutOverflowing: number;
  readonly cutStalled: number;
}

/** The open streams of a server. */
export class Streams {
  readonly #open = new Set<EventStream>();
  readonly #most: number;
  #timer: ReturnType<typeof setInterval> | undefined;
  #cutOverflowing = 0;
  #cutStalled = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get counts(): StreamCounts {
    return { open: this.#open.size, cutOverflowing: this.#cutOverflowing, cutStalled: this.#cutStalled };
  }

  get full(): boolean {
    return this.#open.size >= this.#most;
  }

  /** Opens a stream on `sink`. Call {@link EventStream.closed} when its connection is gone. */
  open(sink: Sink): EventStream {
    const stream = new EventStream(sink, {
      overflowing: () => this.#cutOverflowing++,
      stalled: () => this.#cutStalled++,
      closed: () => this.#forget(stream),
    });
    this.#open.add(stream);
    this.#timer ??= setInterval(() => this.#tick(), KEEP_ALIVE);
    return stream;
  }

  #tick(): void {
    for (const stream of this.#open) stream.tick();
  }

  #forget(stream: EventStream): void {
    this.#open.delete(stream);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

interface Watch {
  overflowing(): void;
  stalled(): void;
  closed(): void;
}

export class EventStream implements Outlet {
  readonly #sink: Sink;
  readonly #watch: Watch;
  /** Messages held back until the reader has caught up; equal ones once. */
  #held: Set<string> | undefined;
  /** What the reader had been sent at the last tick, while more waited. */
  #sentBefore: number | undefined;
  #ended = false;

  constructor(sink: Sink, watch: Watch) {
    this.#sink = sink;
    this.#watch = watch;
  }

  send(json: string, replaceable = false): void {
    if (this.#ended) return;
    const waiting = this.#sink.waiting();
    if (replaceable && waiting > SLOW) {
      (this.#held ??= new Set()).add(json);
      return;
    }
    if (waiting + json.length > MOST_WAITING && waiting > 0) {
      this.#watch.overflowing();
      return this.#cut();
    }
    this.#sink.write(`event: message\ndata: ${json}\n\n`);
  }

  /** The reader has caught up: what was held back is sent now. */
  drained(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held) for (const json of held) this.send(json, true);
  }

  end(): void {
    if (this.#ended) return;
    this.drained();
    this.#ended = true;
    this.#watch.closed();
    this.#sink.end();
  }

  /** The connection is gone. */
  closed(): void {
    this.#ended = true;
    this.#watch.closed();
  }

  /** Keeps the stream alive, or cuts it where its reader has stopped reading. */
  tick(): void {
    if (this.#sink.waiting() === 0) {
      this.#sentBefore = undefined;
      this.#sink.write(":\n\n");
      return;
    }
    const sent = this.#sink.sent();
    if (sent === this.#sentBefore) {
      this.#watch.stalled();
      this.#cut();
    }
    this.#sentBefore = sent;
  }

  #cut(): void {
    this.#ended = true;
    this.#watch.closed();
    this.#sink.cut();
  }
}
