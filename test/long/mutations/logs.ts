/** What must not get into the log, nor out of its line. */

import type { Room } from "./defence.ts";

const observe = ["test/unit/observe"];

export const logsRooms: readonly Room[] = [
  {
    name: "logs",
    tests: observe,
    defences: [
      {
        what: "texts bounded",
        file: "src/observe/entry.ts",
        find: "text.length > LONGEST_TEXT",
        replace: "false",
      },
      {
        what: "entries bounded",
        file: "src/observe/entry.ts",
        find: "const LONGEST_ENTRY = 131_072",
        replace: "const LONGEST_ENTRY = Infinity",
      },
      {
        what: "what cannot be read",
        file: "src/observe/entry.ts",
        find: "return (object as Record<string, unknown>)[key];\n  } catch {",
        replace: "return (object as Record<string, unknown>)[key];\n  } catch (error) {\n    throw error;",
      },
      {
        what: "cycles",
        file: "src/observe/entry.ts",
        find: "if (this.#path.includes(value)) return CIRCULAR;",
        replace: "",
      },
      {
        what: "control characters that JSON leaves",
        file: "src/observe/entry.ts",
        find: ".replace(CONTROL, escaped)",
        replace: "",
        tests: ["test/security/log-injection"],
      },
      {
        what: "fields that pass for the level",
        file: "src/observe/entry.ts",
        find: "RESERVED.has(key)",
        replace: "false",
      },
      {
        what: "fields named like secrets",
        file: "src/observe/secrets.ts",
        find: "SECRET_NAME.test(name)",
        replace: "false",
      },
      {
        what: "fields that the author names",
        file: "src/observe/secrets.ts",
        find: "own.has(name.toLowerCase())",
        replace: "false",
      },
      {
        what: "secrets within texts",
        file: "src/observe/secrets.ts",
        find: "if (!SUSPICIOUS.test(text))",
        replace: "if (text)",
      },
      {
        what: "secrets across the cut",
        file: "src/observe/entry.ts",
        find: "const LONGEST_SEARCH = 2 * LONGEST_TEXT",
        replace: "const LONGEST_SEARCH = LONGEST_TEXT + 10",
      },
      {
        what: "escape sequences on terminals",
        file: "src/observe/pretty.ts",
        find: "unquoted(jsonText(line))",
        replace: "line",
      },
      {
        what: "arguments that the schema marks",
        file: "src/core/components/told-arguments.ts",
        find: "redact ? redact(args) : args",
        replace: "args",
        tests: ["test/e2e/wide-events"],
      },
      {
        what: "arguments that nobody asked to log",
        file: "src/core/components/told-arguments.ts",
        find: "layer.tellsArguments === true",
        replace: "true",
        tests: ["test/e2e/wide-events"],
      },
      {
        what: "what a caller says of itself",
        file: "src/middleware/logging.ts",
        find: "shortened(text)",
        replace: "text",
        tests: ["test/e2e/wide-events"],
      },
      {
        what: "what is known of a call",
        file: "src/middleware/logging.ts",
        find: "fields[noted] ??= value",
        replace: "fields[noted] = value",
        tests: ["test/e2e/wide-events"],
      },
      {
        what: "calls of which nobody within answers",
        file: "src/core/calls/time-limit.ts",
        find: "whenAnswered(ctx, () => once(failed, cancellationOf(ctx).reason));",
        replace: "",
        tests: ["test/e2e/wide-events"],
      },
      {
        what: "failures among samples",
        file: "src/middleware/logging.ts",
        find: 'outcome === "ok" && share < 1',
        replace: "share < 1",
        tests: ["test/e2e/wide-events"],
      },
      {
        what: "stacks of calls that were cancelled",
        file: "src/core/sealed/dispatch.ts",
        find: "reason: said(shown.cause)",
        replace: "err: shown.cause",
        tests: ["test/e2e/wide-events"],
      },
      {
        what: "stderr without a reader",
        file: "src/observe/stderr.ts",
        find: 'stream.on("error"',
        replace: 'if (performance.now() < 0) stream.on("error"',
        tests: ["test/reliability/log-readers"],
      },
      {
        what: "stderr with a slow reader",
        file: "src/observe/stderr.ts",
        find: "stream.writableLength > MOST_WAITING",
        replace: "false",
        tests: ["test/reliability/log-readers"],
      },
    ],
  },
];
