/** Metrics: who may read them, and that callers cannot make them grow. */

import type { Room } from "./defence.ts";

export const metricsRooms: readonly Room[] = [
  {
    name: "metrics",
    tests: ["test/e2e/metrics-access"],
    defences: [
      {
        what: "callers identified",
        file: "src/transport/protection.ts",
        find: "return identityOf(ctx) ? undefined : UNKNOWN_CALLER;",
        replace: "return undefined;",
      },
      {
        what: "the token",
        file: "src/transport/protection.ts",
        find: "timingSafeEqual(digest(given), expected)",
        replace: "expected",
      },
      {
        what: "a token whose environment variable is not set",
        file: "src/core/operations/metrics.ts",
        find: 'if (!("token" in options)) return [];',
        replace: "if ((options as MetricsOptions).token === undefined) return [];",
      },
      {
        what: "the token on the server's port",
        file: "src/transport/routes.ts",
        find: "guarded.token === undefined ? byCaller(runtime) : byToken(guarded.token)",
        replace: "byCaller(runtime)",
      },
      {
        what: "the token on a port of their own",
        file: "src/transport/metrics-port.ts",
        find: "token !== undefined ? byToken(token) :",
        replace: "",
      },
      {
        what: "names of the server",
        file: "src/transport/protection.ts",
        find: "host !== undefined && gate.allowsHost(host)",
        replace: "true",
      },
      {
        what: "pages of other sites",
        file: "src/transport/protection.ts",
        find: "(origin === undefined || gate.allowsOrigin(origin))",
        replace: "true",
      },
      {
        what: "names on a port of their own",
        file: "src/transport/metrics-port.ts",
        find: "isLoopback(host) ? byName({}) : anybody",
        replace: "anybody",
      },
      {
        what: "a port for everybody by accident",
        file: "src/core/operations/metrics.ts",
        find: "token === undefined && !isReason(reason)",
        replace: "false",
      },
      {
        what: "reasons that are none",
        file: "src/core/operations/metrics.ts",
        find: 'reason.trim() !== ""',
        replace: "true",
      },
      {
        what: "what nobody reaches on stdio",
        file: "src/transport/stdio.ts",
        find: "    warnOfRoutes(runtime);\n",
        replace: "",
      },
      {
        what: "metrics that nobody is told",
        file: "src/observe/metrics.ts",
        find: "!meter && options.path === false",
        replace: "false",
      },
      {
        what: "tokens that can be guessed",
        file: "src/core/operations/metrics.ts",
        find: "token.length < SHORTEST_TOKEN",
        replace: "false",
      },
      {
        what: "names that callers invent",
        file: "src/observe/calls.ts",
        find: " ? name : UNKNOWN;",
        replace: " ? name : name;",
        tests: ["test/e2e/metrics.test"],
      },
      {
        what: "codes without end",
        file: "src/observe/calls.ts",
        find: "own.size >= MOST_CODES || ",
        replace: "",
        tests: ["test/e2e/metrics.test"],
      },
      {
        what: "codes that are long",
        file: "src/observe/calls.ts",
        find: " || code.length > LONGEST_CODE",
        replace: "",
        tests: ["test/unit/observe/calls"],
      },
      {
        what: "components that come and go",
        file: "src/observe/calls.ts",
        find: "components.size < MOST_COMPONENTS",
        replace: "true",
        tests: ["test/unit/observe/calls"],
      },
      {
        what: "series without end",
        file: "src/observe/registry.ts",
        find: "if (this.#series < this.#most) {",
        replace: "if (true) {",
        tests: ["test/unit/observe/registry"],
      },
      {
        what: "labels as they are written",
        file: "src/observe/registry.ts",
        find: 'value.replace(/[\\\\"\\n]/g',
        replace: "value.replace(/$^/g",
        tests: ["test/unit/observe/registry"],
      },
      {
        what: "calls that are never settled",
        file: "src/core/calls/time-limit.ts",
        find: "whenAnswered(ctx, () => once(failed, cancellationOf(ctx).reason));",
        replace: "",
        tests: ["test/e2e/metrics.test"],
      },
      {
        what: "the last scrape",
        file: "src/core/operations/lifecycle.ts",
        find: "this.#shutdown.unshift(() => close());",
        replace: "this.#shutdown.push(() => close());",
      },
    ],
  },
];
