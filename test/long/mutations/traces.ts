/** Spans of calls: what must not come of them, whatever callers send and whatever fails. */

import type { Room } from "./defence.ts";

export const tracesRooms: readonly Room[] = [
  {
    name: "traces",
    tests: ["test/e2e/tracing"],
    defences: [
      {
        what: "invented names of tools are no names of spans",
        file: "src/observe/trace.ts",
        find: "// A name that is not there is the caller's invention, and names of spans are to be few.\n        name: component === undefined ? method :",
        replace: "name:",
      },
      {
        what: "names of tools in spans are bounded",
        file: "src/observe/trace.ts",
        find: '"gen_ai.tool.name": shortened(name)',
        replace: '"gen_ai.tool.name": name',
      },
      {
        what: "contexts of callers are bounded",
        file: "src/observe/trace.ts",
        find: "value.length <= LONGEST_VALUE",
        replace: "true",
      },
      {
        what: "what results say of failures stays out of spans",
        file: "src/observe/trace.ts",
        find: "const message = code === undefined ? {} :",
        replace: "const message =",
      },
      {
        what: "a recorder that fails fails no call",
        file: "src/observe/trace.ts",
        find: "// Whatever is wrong with what records traces, it is no reason to refuse a call.\n      return rest();",
        replace: "throw new Error();",
      },
      {
        what: "spans end with the answer",
        file: "src/core/calls/time-limit.ts",
        find: "whenAnswered(ctx, () => once(failed, cancellationOf(ctx).reason));",
        replace: "",
      },
      {
        what: "parts end with the answer",
        file: "src/observe/trace.ts",
        find: "if (ctx) whenAnswered",
        replace: "if (false as boolean) whenAnswered",
      },
      {
        what: "what all calls share belongs to no trace",
        file: "src/core/dependencies/injection.ts",
        find: "return stages ? stages.apart(open) : open();",
        replace: "return open();",
      },
      {
        what: "what was unexpected reaches those who read traces",
        file: "src/observe/trace.ts",
        find: "if (cause !== undefined)\n      span.recordException",
        replace: "if (false as boolean)\n      span.recordException",
      },
      {
        what: "answers of layers that are none have failed, for those who watch too",
        file: "src/core/sealed/seal.ts",
        find: "(result) => asResult(ctx.operation, result)",
        replace: "(result) => result",
      },
      {
        what: "thenables are waited for under observation too",
        file: "src/core/values/promises.ts",
        find: "Promise.resolve(result).then(fulfilled, rejected)",
        replace: "result.then(fulfilled, rejected)",
      },
      {
        what: "layers are counted as their author added them",
        file: "src/core/calls/compose.ts",
        find: "filter((layer) => !(uncounted in layer))",
        replace: "filter(() => true)",
      },
      {
        what: "tracing can be switched off",
        file: "src/core/rooms.ts",
        find: "if (tracing === false || stagesOf(observers)) return;",
        replace: "if (stagesOf(observers)) return;",
      },
    ],
  },
];
