/** The server that is fuzzed over sockets, in a process of its own: `fork(…, [JSON.stringify(HttpOptions)])`. */

import { answerParent, memory, resources } from "../reliability/own-process.ts";
import type { HttpOptions } from "gantry-mcp";
import { fuzzServer } from "./server.ts";

const { server, faults, handlers } = fuzzServer(JSON.parse(process.argv[2] ?? "{}") as HttpOptions);

const answers = {
  memory,
  resources,
  /** What went wrong and how many handlers ran since the last time, and how many run. */
  inside: () => {
    const { ran, running } = handlers;
    handlers.ran = 0;
    return { faults: faults.splice(0), ran, running };
  },
};

export type FuzzAnswers = typeof answers;

const { port } = await server.run({ transport: "http", port: 0, signals: false });
answerParent(answers, port);
