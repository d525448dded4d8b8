/** Several processes on one port: this one watches over workers, which run the same program and serve. */

import cluster, { type Worker } from "node:cluster";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { ConfigurationError } from "../core/errors.ts";
import type { RunHttpOptions } from "../core/server-options.ts";
import type { Backend, Logger } from "../core/ports.ts";
import type { ListeningServer, Runtime } from "../core/runtime.ts";
import type { SharedStores } from "../core/sharing/stores.ts";
import { greet } from "./banner.ts";
import { checkHttpOptions } from "./http-options.ts";
import { Desk, type Shared } from "./process-desk.ts";
import { type FromWorker, type ToWorker, WORKER } from "./process-messages.ts";
import { type WorkersPage, joinPages } from "./metrics-pages.ts";
import { anotherPort, bind } from "./binding.ts";
import { DEFAULT_PORT, LOOPBACK, listen } from "./listen.ts";
import { pause, shutdownLimits, within } from "./shutdown.ts";
import { onSignal } from "./signals.ts";
import { workerBackend } from "./worker-backend.ts";
import { watcherOfWorker } from "./worker.ts";

/** How long it takes until an ended worker is started again, in milliseconds: twice as long each time, until one lives. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;

/** A worker that served for so long was sound, in milliseconds. */
const SOUND_AFTER = 10_000;

/** What workers may need beyond the time that they have to end in, in milliseconds. Then they are killed. */
const GRACE = 5_000;

/** What a worker serves with; nothing in the first process. */
export function joined():
  | {
      readonly backend: Backend;
      readonly listen: (runtime: Runtime, options: RunHttpOptions) => Promise<ListeningServer>;
    }
  | undefined {
  const watcher = watcherOfWorker();
  return (
    watcher && {
      backend: workerBackend(watcher),
      listen: async (runtime, options) => {
        const stateKeys = { keys: [await watcher.ask<string>("stateKey")], ...runtime.stateKeys };
        runtime.metrics?.gather((own) => {
          watcher.onPage(own);
          return async () => joinPages(await watcher.ask<readonly WorkersPage[]>("pages"));
        });
        return listen({ ...runtime, stateKeys }, { ...options, port: watcher.port }, watcher);
      },
    }
  );
}

/** Starts so many workers, keeps as many alive, and ends them together. */
export async function supervise(
  runtime: Runtime,
  options: RunHttpOptions,
  stores: SharedStores,
): Promise<ListeningServer> {
  checkHttpOptions(runtime, options);
  checkProgram(runtime);
  const { notice, limit } = shutdownLimits(options.shutdown);
  const { processes: asked = 1, signals = true } = options;
  const count = asked === "auto" ? availableParallelism() : asked;
  const workers = new Workers(stores, await freePort(options), runtime.logger);
  let closing: Promise<void> | undefined;
  const end = (wait: number) => (closing ??= workers.end(wait, wait + limit + GRACE));
  // A second signal ends everything at once.
  process.once("exit", () => closing && workers.kill());
  const ignoreSignals = signals ? onSignal(() => end(notice), runtime.logger) : () => {};
  try {
    const [first] = await Promise.all(Array.from({ length: count }, (_, index) => workers.start(index + 1)));
    const { url, port } = first as Address;
    greet(runtime, await runtime.sealed(), url, options.allowUnauthenticated, count);
    return {
      url,
      port,
      close: () => {
        ignoreSignals();
        return end(0);
      },
    };
  } catch (error) {
    ignoreSignals();
    await end(0).catch(() => {});
    throw error;
  }
}

type Address = Pick<ListeningServer, "url" | "port">;

/** How long a worker may take to tell its metrics, in milliseconds: one that is busy for longer is left out. */
const PAGE_LIMIT = 2_000;

class Workers {
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

/** The port that is asked for, or a free one for all workers: throws where somebody has it. */
async function freePort({ host = LOOPBACK, port = DEFAULT_PORT }: RunHttpOptions): Promise<number> {
  const probe = createServer();
  const { port: free } = await bind(probe, host, port, anotherPort(port));
  await new Promise((resolve) => probe.close(resolve));
  return free;
}

function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message);
}

/** Throws where workers cannot run the program anew, or cannot share what it keeps. */
function checkProgram({ http, routes }: Runtime): void {
  const problems = [
    process.argv[1] === undefined && "The program is not a file: run it as node server.js.",
    cluster.isWorker && "This process is a worker of another program's: leave out processes.",
    supervising && "The program runs such a server already: run the others without processes.",
    http.sessions &&
      "A session lives in one process: leave out http.sessions, or run single processes behind a proxy that sends each session to its own.",
    routes.some(({ local }) => local) &&
      "The token endpoint for development keeps its tokens in one process: leave out processes while you develop.",
  ].filter((problem) => typeof problem === "string");
  if (problems.length > 0)
    throw new ConfigurationError(problems.map((problem) => `Several processes cannot serve. ${problem}`));
  supervising = true;
}

let supervising = false;

function notStarted(code: number | null, signal: string | null): Error {
  return new Error(
    `A worker did not start: it ended with ${signal ?? `code ${code}`}. What it printed says why.`,
  );
}
