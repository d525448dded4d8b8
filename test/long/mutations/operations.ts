/** What becomes of an operation on its way, whatever asks for it. */

import type { Room } from "./defence.ts";

export const operationsRooms: readonly Room[] = [
  {
    name: "errors",
    tests: ["test/e2e/steps"],
    defences: [
      {
        what: "unexpected errors masked",
        file: "src/core/errors.ts",
        find: 'new MCPError("An internal error occurred."',
        replace: "new MCPError(String((cause as Error)?.message ?? cause)",
      },
      {
        what: "cause in the log",
        file: "src/core/sealed/dispatch.ts",
        find: "logger.error(",
        replace: "((..._: unknown[]) => {})(",
      },
      {
        what: "errors that cannot be written",
        file: "src/core/sealed/dispatch.ts",
        find: "if (error.details !== undefined) error.toBody(requestId);",
        replace: "",
        tests: ["test/e2e/unpresentable"],
      },
      {
        what: "cycles in results",
        file: "src/core/values/json.ts",
        find: "if (ancestors.includes(value))",
        replace: "if (false)",
        tests: ["test/unit/core/values/json"],
      },
      {
        what: "a logger that fails",
        file: "src/core/calls/logger.ts",
        find: "} catch {\n      // There is nobody",
        replace: "} catch (error) {\n      throw error;\n      // There is nobody",
        tests: ["test/e2e/unpresentable", "test/unit"],
      },
    ],
  },
  {
    name: "middleware",
    tests: ["test/e2e/middleware", "test/unit/core/calls/compose"],
    defences: [
      {
        what: "next() once",
        file: "src/core/calls/compose.ts",
        find: "if (entered) throw",
        replace: "if (false) throw",
      },
      {
        what: "an answer is needed",
        file: "src/core/calls/compose.ts",
        find: "if (result !== undefined) return result;",
        replace: "return result;",
      },
      {
        what: "a failure nobody waits for",
        file: "src/core/calls/compose.ts",
        find: "rest.catch(() => {});",
        replace: "",
      },
      {
        what: "lists stay lists",
        file: "src/core/sealed/dispatch.ts",
        find: "if (isPage(result, name)) return result;",
        replace: "return result as object;",
      },
      {
        what: "completions stay completions",
        file: "src/core/sealed/dispatch.ts",
        find: 'if (isObject(result) && isObject(result["completion"])) return result;',
        replace: "return result as object;",
      },
    ],
  },
  {
    name: "time",
    tests: ["test/e2e/middleware"],
    defences: [
      {
        what: "time limit of handlers",
        file: "src/core/calls/time-limit.ts",
        find: "const result = heart(ctx, ask);\n      return isPromise(result) ?",
        replace: "const result = heart(ctx, ask);\n      return (false as boolean) ?",
        tests: ["test/e2e/steps"],
      },
      {
        what: "time limit of middleware",
        file: "src/core/calls/time-limit.ts",
        find: "return limit.hold(result.catch((error: unknown) => asked(ctx, error)));",
        replace: "return result.catch((error: unknown) => asked(ctx, error));",
      },
      {
        what: "the signal fires at the limit",
        file: "src/core/calls/time-limit.ts",
        find: "this.#ctx.cancel(error);",
        replace: "",
      },
      {
        what: "no handler after the limit",
        file: "src/core/calls/time-limit.ts",
        find: "if (this.#error) throw this.#error;",
        replace: "",
      },
      {
        what: "middleware sees the handler's limit",
        file: "src/core/calls/time-limit.ts",
        find: "if (!this.#interrupt) return settle(reject)(error);",
        replace: "return settle(reject)(error);",
      },
      {
        what: "and has but a second",
        file: "src/core/calls/time-limit.ts",
        find: "timer = setTimeout(() => settle(reject)(error), LAYERS_AFTER);",
        replace: "",
      },
    ],
  },
  {
    name: "lists",
    tests: ["test/unit/core/sealed/list", "test/e2e/steps"],
    defences: [
      {
        what: "cursors",
        file: "src/core/sealed/list.ts",
        find: "if (!match || encodeCursor(kind, Number(match[1])) !== cursor) {",
        replace: "if (!match) {",
      },
      {
        what: "changes seen by the next request",
        file: "src/core/sealing.ts",
        find: "this.#sealed && this.#version === registry.version",
        replace: "this.#sealed",
        tests: ["test/e2e/steps"],
      },
    ],
  },
];
