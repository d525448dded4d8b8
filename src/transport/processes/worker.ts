/** A worker, and what it serves with. */

import type { Backend } from "../../core/ports.ts";
import type { ListeningServer, Runtime } from "../../core/runtime.ts";
import type { RunHttpOptions } from "../../core/server-options.ts";
import { listen } from "../http/listen.ts";
import { workerBackend } from "./backend.ts";
import { type WorkersPage, joinPages } from "./metrics-pages.ts";
import { watcherOfWorker } from "./watcher.ts";

export interface WorkerProcess {
  /** What it shares with the others. */
  readonly backend: Backend;
  /** Serves on the port of all workers, until the process that watches over them ends it. */
  readonly listen: (runtime: Runtime, options: RunHttpOptions) => Promise<ListeningServer>;
}

/** This process, where it is a worker; `undefined` in the first one, which runs the same program. */
export function thisWorker(): WorkerProcess | undefined {
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
