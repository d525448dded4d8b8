/** The process that watches over workers, as a worker knows it. */

import cluster from "node:cluster";
import type { ServerEvent } from "../../core/ports.ts";
import type { Overseer } from "../http/listen.ts";
import { type FromWorker, type Question, type ToWorker, WORKER } from "./messages.ts";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The process that watches over this one, where this one is a worker. */
export function watcherOfWorker(): Watcher | undefined {
  const port = process.env[WORKER];
  if (port === undefined) return undefined;
  // Programs that a worker starts are none.
  delete process.env[WORKER];
  const watcher = new Watcher(Number(port), {
    get connected() {
      return process.connected;
    },
    send: (message) => process.send?.(message),
    close: () => process.disconnect(),
  });
  process.on("message", (message: ToWorker) => watcher.hear(message));
  // Node would end a worker at once.
  process.prependOnceListener("disconnect", () => {
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    watcher.lost();
  });
  return watcher;
}

/** How a worker is heard by the process that watches over it. */
export interface Line {
  readonly connected: boolean;
  send(message: FromWorker): void;
  close(): void;
}

/** The process that watches over a worker, as the worker knows it. */
export class Watcher implements Overseer {
  /** Where all workers listen. */
  readonly port: number;
  readonly #line: Line;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: ServerEvent) => void>();
  #last = 0;
  #end: ((notice: number) => void) | undefined;
  /** It was told to end before it could. */
  #ended: number | undefined;
  #page: (() => Promise<string>) | undefined;

  constructor(port: number, line: Line) {
    this.port = port;
    this.#line = line;
  }

  get connected(): boolean {
    return this.#line.connected;
  }

  /** Calls `end` when the worker is to end, after so many milliseconds of notice. */
  onEnd(end: (notice: number) => void): void {
    this.#end = end;
    if (this.#ended !== undefined) end(this.#ended);
  }

  /** Calls `page` when the worker's metrics are asked for. */
  onPage(page: () => Promise<string>): void {
    this.#page = page;
  }

  /** Calls `listener` for what any worker publishes, until the returned function is called. */
  onEvent(listener: (event: ServerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  listens(url: string, port: number): void {
    this.say({ gantry: "listening", url, port });
  }

  leaves(): void {
    this.say({ gantry: "leaving" });
  }

  left(): void {
    if (this.connected) this.#line.close();
  }

  say(message: FromWorker): void {
    if (this.connected) this.#line.send(message);
  }

  ask<T>(what: Question, ...args: readonly unknown[]): Promise<T> {
    return this.#ask(++this.#last, what, args) as Promise<T>;
  }

  /** Asks for something that the caller wants only until `signal` fires. */
  async askFor<T>(signal: AbortSignal, what: Question, ...args: readonly unknown[]): Promise<T> {
    signal.throwIfAborted();
    const id = ++this.#last;
    const withdraw = () => this.say({ gantry: "withdraw", id });
    signal.addEventListener("abort", withdraw, { once: true });
    try {
      return (await this.#ask(id, what, args)) as T;
    } finally {
      signal.removeEventListener("abort", withdraw);
    }
  }

  hear(message: ToWorker): void {
    if (message.gantry === "end") this.#endAfter(message.notice);
    else if (message.gantry === "event") for (const listener of this.#listeners) listener(message.event);
    else if (message.gantry === "page") void this.#tellPage(message.id);
    else if (message.gantry === "answer") {
      const { id, value, failed } = message;
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (failed === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(failed));
    }
  }

  async #tellPage(id: number): Promise<void> {
    this.say({ gantry: "page", id, page: (await this.#page?.()) ?? "" });
  }

  /** The watching process has ended: the worker ends as after a signal. */
  lost(): void {
    for (const { reject } of this.#waiting.values()) reject(gone());
    this.#waiting.clear();
    this.#endAfter(0);
  }

  #endAfter(notice: number): void {
    this.#ended = notice;
    this.#end?.(notice);
  }

  #ask(id: number, what: Question, args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.connected) return reject(gone());
      this.#waiting.set(id, { resolve, reject });
      this.say({ gantry: "ask", id, what, args });
    });
  }
}

function gone(): Error {
  return new Error("The process that watches over this worker has ended.");
}
