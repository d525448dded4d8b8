/** Several processes on one port: this one watches over workers, which run the same program and serve. */

import cluster from "node:cluster";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { ConfigurationError } from "../../core/errors.ts";
import type { ListeningServer, Runtime } from "../../core/runtime.ts";
import type { RunHttpOptions } from "../../core/server-options.ts";
import type { SharedStores } from "../../core/sharing/stores.ts";
import { greet } from "../http/banner.ts";
import { DEFAULT_HOST, DEFAULT_PORT, anotherPort, bind } from "../http/binding.ts";
import { checkHttpOptions } from "../http/http-options.ts";
import { shutdownLimits } from "../ending/shutdown.ts";
import { onSignal } from "../ending/signals.ts";
import { type Address, Workers } from "./workers.ts";

/** What workers may need beyond the time that they have to end in, in milliseconds. Then they are killed. */
const GRACE = 5_000;

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

/** The port that is asked for, or a free one for all workers: throws where somebody has it. */
async function freePort({ host = DEFAULT_HOST, port = DEFAULT_PORT }: RunHttpOptions): Promise<number> {
  const probe = createServer();
  const { port: free } = await bind(probe, host, port, anotherPort(port));
  await new Promise((resolve) => probe.close(resolve));
  return free;
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
