/** Event streams: how messages are framed, kept alive, and taken from readers that do not read. */

import type { Logger } from "../../core/ports.ts";
import type { Relay } from "../../protocol/exchange.ts";
import { Backlog } from "./backlog.ts";

/** A response that can be written to piece by piece, as `node:http` and web streams offer it. */
export interface Sink {
  write(text: string | Uint8Array): void;
  /** Whether it is better to wait until it has drained, of which {@link EventStream.drained} is to be told. */
  congested(): boolean;
  /** How many bytes wait for the reader. */
  waiting(): number;
  /** How many bytes the reader has been sent: it stands still where nothing is read. */
  sent(): number;
  end(): void;
  /** Cuts the connection. */
  cut(): void;
}

/**
 * What may wait for a slow reader, in bytes; where more does when a message comes, its stream is cut. With what it
 * takes to hold them, a reader that has stopped reading costs at most 256 KiB.
 */
const MOST_WAITING = 229_376;

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

/** What is written to a stream whose reader is gone already. */
export const NOWHERE: Relay = { send() {}, pass() {}, allow() {}, end() {} };

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
  readonly #logger: Logger;
  #timer: ReturnType<typeof setInterval> | undefined;
  #cutOverflowing = 0;
  #cutStalled = 0;

  constructor(most: number, logger: Logger) {
    this.#most = most;
    this.#logger = logger;
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
      cut: (reason) => this.#count(reason),
      closed: () => this.#forget(stream),
    });
    this.#open.add(stream);
    this.#timer ??= setInterval(() => this.#tick(), KEEP_ALIVE);
    return stream;
  }

  #tick(): void {
    for (const stream of this.#open) stream.tick();
  }

  #count(reason: CutReason): void {
    if (reason === "overflowing") this.#cutOverflowing++;
    else this.#cutStalled++;
    this.#logger.warn({ reason, ...this.counts }, "An event stream was cut: its reader did not keep up");
  }

  #forget(stream: EventStream): void {
    this.#open.delete(stream);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** More waited than may, or nothing was read for long. */
type CutReason = "overflowing" | "stalled";

interface Watch {
  cut(reason: CutReason): void;
  closed(): void;
}

export class EventStream implements Relay {
  readonly #sink: Sink;
  readonly #watch: Watch;
  /** What is to be written once the reader has caught up; made when it is first needed. */
  #backlog: Backlog | undefined;
  /** Messages held back until the reader has caught up; equal ones once. */
  #held: Set<string> | undefined;
  /** What the reader had been sent at the last tick, while more waited. */
  #sentBefore: number | undefined;
  #mostWaiting = MOST_WAITING;
  #ended = false;

  constructor(sink: Sink, watch: Watch) {
    this.#sink = sink;
    this.#watch = watch;
  }

  send(json: string, replaceable = false): void {
    if (this.#ended) return;
    if (replaceable && this.#waiting() > SLOW) (this.#held ??= new Set()).add(json);
    else this.pass(`event: message\ndata: ${json}\n\n`);
  }

  /** Sends a frame as it is. */
  pass(frame: string): void {
    if (this.#ended) return;
    if (this.#waiting() > this.#mostWaiting) this.#cut("overflowing");
    else if (this.#sink.congested()) (this.#backlog ??= new Backlog()).add(frame);
    else this.#sink.write(frame);
  }

  /** Lets so many bytes more wait: those of a replay, which come all at once. */
  allow(bytes: number): void {
    this.#mostWaiting += bytes;
  }

  /** The reader has caught up: what waits here is sent now. */
  drained(): void {
    if (this.#ended) return;
    const held = this.#held;
    this.#held = undefined;
    this.#flush();
    if (held) for (const json of held) this.send(json, true);
  }

  end(): void {
    if (this.#ended) return;
    this.drained();
    this.#flush();
    this.#stop();
    this.#sink.end();
  }

  /** The connection is gone. */
  closed(): void {
    this.#stop();
  }

  /** Keeps the stream alive, or cuts it where its reader has stopped reading. */
  tick(): void {
    if (this.#sink.waiting() === 0) {
      this.#sentBefore = undefined;
      this.#sink.write(":\n\n");
      return;
    }
    const sent = this.#sink.sent();
    if (sent === this.#sentBefore) this.#cut("stalled");
    this.#sentBefore = sent;
  }

  #waiting(): number {
    return this.#sink.waiting() + (this.#backlog?.length ?? 0);
  }

  #flush(): void {
    for (const piece of this.#backlog?.take() ?? []) this.#sink.write(piece);
  }

  #cut(reason: CutReason): void {
    this.#stop();
    this.#watch.cut(reason);
    this.#sink.cut();
  }

  #stop(): void {
    this.#ended = true;
    this.#backlog = undefined;
    this.#held = undefined;
    this.#watch.closed();
  }
}
