/** Several processes on one port. */

import type { Room } from "./defence.ts";

export const processesRooms: readonly Room[] = [
  {
    name: "processes",
    tests: ["test/e2e/processes"],
    defences: [
      {
        what: "a worker that ended is replaced",
        file: "src/transport/processes/workers.ts",
        find: "void this.#restart(number);",
        replace: "",
      },
      {
        what: "connections on their way to a worker that dies are closed",
        file: "src/transport/processes/workers.ts",
        find: "for (const handle of underWay.values()) handle.close();",
        replace: "",
      },
      {
        what: "several processes on stdio refused",
        file: "src/core/server-options.ts",
        find: 'options.transport === "stdio" && processes !== 1',
        replace: "false",
        tests: ["test/unit/core/registration"],
      },
      {
        what: "a worker ends for what nobody catches",
        file: "src/transport/http/listen.ts",
        find: 'uncaught === "end" ? end : undefined',
        replace: "undefined",
      },
      {
        what: "sessions of several processes refused",
        file: "src/transport/processes/supervise.ts",
        find: "    http.sessions &&\n",
        replace: "    false &&\n",
      },
      {
        what: "the token endpoint of several processes refused",
        file: "src/transport/processes/supervise.ts",
        find: "routes.some(({ local }) => local) &&",
        replace: "false &&",
      },
      {
        what: "a program that has several processes twice refused",
        file: "src/transport/processes/supervise.ts",
        find: "  supervising = true;\n",
        replace: "",
      },
      {
        what: "one key for the state of questions",
        file: "src/transport/processes/worker.ts",
        find: 'const stateKeys = { keys: [await watcher.ask<string>("stateKey")], ...runtime.stateKeys };',
        replace: "const { stateKeys } = runtime;",
      },
      {
        what: "workers outlive the process that watches until their calls have ended",
        file: "src/transport/processes/watcher.ts",
        find: "if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;",
        replace: "",
      },
      {
        what: "what a dead worker held is given back",
        file: "src/transport/processes/desk.ts",
        find: "for (const { giveBack } of this.#loans.values()) void giveBack();",
        replace: "",
        tests: ["test/contracts/worker-backend"],
      },
      {
        what: "what a dead worker waited for is withdrawn",
        file: "src/transport/processes/desk.ts",
        find: "for (const asking of this.#asking.values()) asking.abort();",
        replace: "",
        tests: ["test/contracts/worker-backend"],
      },
    ],
  },
];
