/** Starting, being ready, ending. */

import type { Room } from "./defence.ts";

export const lifecycleRooms: readonly Room[] = [
  {
    name: "lifecycle",
    tests: ["test/e2e/lifecycle"],
    defences: [
      {
        what: "probes",
        file: "src/core/operations/lifecycle.ts",
        find: "if (answer === false) return failed();",
        replace: "",
      },
      {
        what: "probe limit",
        file: "src/core/operations/lifecycle.ts",
        find: "reject(new Error(`No answer within",
        replace: "void (new Error(`No answer within",
      },
      {
        what: "stop hooks in reverse",
        file: "src/core/operations/lifecycle.ts",
        find: ".toReversed()",
        replace: "",
      },
      {
        what: "run() once",
        file: "src/core/server.ts",
        find: "if (this.#running) throw",
        replace: "if (false) throw",
        tests: ["test/e2e/closed"],
      },
      {
        what: "no run() once closed",
        file: "src/core/server.ts",
        find: "if (this.lifecycle.closed) throw",
        replace: "if (false) throw",
        tests: ["test/e2e/closed"],
      },
      {
        what: "an answer while draining to those who have asked",
        file: "src/core/operations/lifecycle.ts",
        find: "for (const end of this.#waiting) end();",
        replace: "",
        tests: ["test/e2e/drain.test"],
      },
      {
        what: "an answer while draining that waits for nothing",
        file: "src/core/operations/lifecycle.ts",
        find: "if (this.#draining) return { ready: false, checks: {} };",
        replace: "",
        tests: ["test/e2e/drain.test"],
      },
      {
        what: "no start once closed",
        file: "src/core/operations/lifecycle.ts",
        find: "for (const hook of this.#startup) if (!this.#closed) await hook();",
        replace: "for (const hook of this.#startup) await hook();",
        tests: ["test/e2e/closed"],
      },
      {
        what: "hooks that never end",
        file: "src/transport/ending/shutdown.ts",
        find: "if (await within(left, lifecycle.stop(logger))) return;",
        replace: "await lifecycle.stop(logger); return;",
        tests: ["test/e2e/drain.test"],
      },
      {
        what: "calls beyond the limit are cancelled",
        file: "src/transport/http/listen.ts",
        find: 'endpoint.cancelAll(new Error("The server is shutting down."));',
        replace: "",
        tests: ["test/e2e/drain.test"],
      },
      {
        what: "and then cut",
        file: "src/transport/http/listen.ts",
        find: "setTimeout(() => server.closeAllConnections(), CUT_AFTER);",
        replace: "",
        tests: ["test/e2e/drain.test"],
      },
      {
        what: "a second signal ends at once",
        file: "src/transport/ending/signals.ts",
        find: "if (ending) process.exit(1);",
        replace: "if (ending) return;",
        tests: ["test/e2e/drain.test"],
      },
      {
        what: "a shutdown that fails",
        file: "src/transport/ending/signals.ts",
        find: 'logger.error({ err: error }, "The shutdown failed");\n      process.exit(1);',
        replace: "process.exit(0);",
        tests: ["test/e2e/drain.test", "test/e2e/lifecycle"],
      },
      {
        what: "streams end with the server",
        file: "src/transport/http/listen.ts",
        find: "  endpoint.endStreams();\n",
        replace: "",
        tests: ["test/e2e/talking/ending"],
      },
      {
        what: "connections opened in reserve",
        file: "src/transport/http/connections.ts",
        find: "if (socket.bytesRead === 0 && opened < latest) socket.destroy();",
        replace: "void opened;void latest;",
        tests: ["test/e2e/talking/ending"],
      },
      {
        what: "answers on their way are not cut",
        file: "src/transport/http/connections.ts",
        find: "if (sockets.every(([{ writableLength }]) => writableLength === 0)) this",
        replace: "this",
        tests: ["test/e2e/drain.test", "test/e2e/talking/ending"],
      },
    ],
  },
  {
    name: "uncaught",
    tests: ["test/e2e/uncaught"],
    defences: [
      {
        what: "what nobody catches, over HTTP",
        file: "src/transport/http/listen.ts",
        find: "if (signals) ignoreUncaught = ",
        replace: "if (!signals) ignoreUncaught = ",
      },
      {
        what: "and on stdio",
        file: "src/transport/stdio.ts",
        find: "if (signals) ignoreUncaught = ",
        replace: "if (!signals) ignoreUncaught = ",
      },
      {
        what: "promises that nobody waits for",
        file: "src/transport/ending/uncaught.ts",
        find: '.on("uncaughtException", onException).on("unhandledRejection", onRejection);\n  // ',
        replace: '.on("uncaughtException", onException);\n  // ',
      },
      {
        what: "a log that causes what it logs",
        file: "src/transport/ending/uncaught.ts",
        find: "if (++seen <= MOST_LOGGED) ",
        replace: "++seen; ",
      },
      {
        what: "a count of what is not logged",
        file: "src/transport/ending/uncaught.ts",
        find: "    endSecond();\n",
        replace: "",
      },
      {
        what: "readers of what is printed that are gone",
        file: "src/transport/ending/uncaught.ts",
        find: 'process.stderr.on("error", ignore);',
        replace: "",
      },
      {
        what: "an end in good order where it is wished",
        file: "src/transport/ending/uncaught.ts",
        find: "leave(end(), logger, 1);",
        replace: "process.exit(1);",
      },
    ],
  },
];
