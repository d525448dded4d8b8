/** Workers, as the process that watches over them knows them: started, kept alive, and ended. */

import cluster, { type Worker } from "node:cluster";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Logger } from "../../core/ports.ts";
import type { ListeningServer } from "../../core/runtime.ts";
import type { SharedStores } from "../../core/sharing/stores.ts";
import { pause } from "../../core/values/promises.ts";
import { within } from "../ending/shutdown.ts";
import { Desk, type Shared } from "./desk.ts";
import { type FromWorker, type ToWorker, WORKER } from "./messages.ts";
import type { WorkersPage } from "./metrics-pages.ts";

/** How long it takes until an ended worker is started again, in milliseconds: twice as long each time, until one lives. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;

/** A worker that served for so long was sound, in milliseconds. */
const SOUND_AFTER = 10_000;

/** Where workers listen. */
export type Address = Pick<ListeningServer, "url" | "port">;

/** How long a worker may take to tell its metrics, in milliseconds: one that is busy for longer is left out. */
const PAGE_LIMIT = 2_000;

export class Workers {
  readonly #port: number;
  readonly #shared: Shared;
  readonly #logger: Logger;
  readonly #alive = new Map<Worker, Member>();
  readonly #asked = new Map<number, (page: string) => void>();
  #last = 0;
  #pause = FIRST_PAUSE;
  #ending = false;
  #notice = 0;

  constructor(stores: SharedStores, port: number, logger: Logger) {
    this.#port = port;
    this.#logger = logger;
    const stateKey = randomBytes(32).toString("base64url");
    this.#shared = { stores, stateKey, making: new Map(), pages: () => this.#pages() };
  }

  /** Starts worker `number`. Resolves once it listens, and rejects where it ends before. */
  start(number: number): Promise<Address> {
    const worker = cluster.fork({ [WORKER]: String(this.#port) });
    closeHandoffs(worker);
    const desk = new Desk(this.#shared, (message) => tell(worker, message));
    const started = performance.now();
    let leaves = false;
    this.#alive.set(worker, { number, exit: once(worker, "exit") });
    return new Promise((resolve, reject) => {
      let listens = false;
      worker.on("message", (message: FromWorker) => {
        // What it was told while its program was read, nobody heard: cluster takes messages in before there is a listener.
        if (this.#ending && !listens) tell(worker, { gantry: "end", notice: this.#notice });
        desk.hear(message);
        if (message.gantry === "page") this.#asked.get(message.id)?.(message.page);
        else if (message.gantry === "leaving") leaves = true;
        else if (message.gantry === "listening") {
          listens = true;
          resolve(message);
        }
      });
      worker.once("exit", (code, signal) => {
        desk.close();
        this.#alive.delete(worker);
        if (!listens) reject(notStarted(code, signal));
        else if (!leaves && !this.#ending) {
          const fields = { worker: number, pid: worker.process.pid, code, signal };
          this.#logger.error(fields, "A worker ended unexpectedly: another takes its place");
          if (performance.now() - started > SOUND_AFTER) this.#pause = FIRST_PAUSE;
          void this.#restart(number);
        }
      });
    });
  }

  /** Ends all workers; those that take longer than `limit` are killed. */
  async end(notice: number, limit: number): Promise<void> {
    this.#ending = true;
    this.#notice = notice;
    for (const worker of this.#alive.keys()) tell(worker, { gantry: "end", notice });
    const exits = Promise.all([...this.#alive.values()].map(({ exit }) => exit));
    if (!(await within(limit, exits))) this.kill();
    if ((await exits).some(([code]) => code !== 0)) throw new Error("A worker did not end in order");
  }

  kill(): void {
    for (const worker of this.#alive.keys()) worker.process.kill("SIGKILL");
  }

  /** One after the other, so that a program which cannot start does not use up the machine. */
  async #restart(number: number): Promise<void> {
    for (;;) {
      const wait = this.#pause;
      this.#pause = Math.min(wait * 2, LONGEST_PAUSE);
      await pause(wait);
      if (this.#ending) return;
      try {
        await this.start(number);
        return;
      } catch (error) {
        // Told to end while its program was read, it has done so.
        if (this.#ending) return;
        this.#logger.error({ worker: number, err: error }, "A worker could not be started again");
      }
    }
  }

  async #pages(): Promise<readonly WorkersPage[]> {
    const pages = await Promise.all(
      [...this.#alive].map(async ([worker, { number }]) => {
        const id = ++this.#last;
        const answered = new Promise<string>((resolve) => this.#asked.set(id, resolve));
        tell(worker, { gantry: "page", id });
        const page = await Promise.race([answered, pause(PAGE_LIMIT)]);
        this.#asked.delete(id);
        return page === undefined ? [] : [{ worker: number, page }];
      }),
    );
    return pages.flat();
  }
}

/** A worker that is alive. */
interface Member {
  /** Its place among the others: another that takes it has the same. */
  readonly number: number;
  readonly exit: Promise<unknown[]>;
}

/** Node leaves connections open that it was handing to a worker which ends: their clients would wait for an answer. */
function closeHandoffs(worker: Worker): void {
  const child = worker.process as Handing;
  const underWay = new Map<unknown, { close(): void }>();
  const send = child.send.bind(child);
  child.send = (message, handle, ...more) => {
    if (message.act === "newconn" && handle) underWay.set(message.seq, handle);
    return send(message, handle, ...more);
  };
  child.on("internalMessage", ({ ack }: { readonly ack?: unknown }) => underWay.delete(ack));
  worker.once("exit", () => {
    for (const handle of underWay.values()) handle.close();
  });
}

/** A worker's process as `node:cluster` uses it. */
interface Handing extends NodeJS.EventEmitter {
  send(
    message: { readonly act?: string; readonly seq?: unknown },
    handle?: { close(): void },
    ...more: readonly unknown[]
  ): boolean;
}

function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message);
}

function notStarted(code: number | null, signal: string | null): Error {
  return new Error(
    `A worker did not start: it ended with ${signal ?? `code ${code}`}. What it printed says why.`,
  );
}
