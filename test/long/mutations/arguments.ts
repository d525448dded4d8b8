/** What reaches a handler, and what is said of what does not. */

import type { Room } from "./defence.ts";

export const argumentsRooms: readonly Room[] = [
  {
    name: "arguments",
    tests: ["test/unit/core/components/arguments"],
    defences: [
      {
        what: "arguments checked",
        file: "src/core/components/arguments.ts",
        find: "if (!validation.issues && !extra) return validation.value;",
        replace: "return validation.issues ? args : validation.value;",
        tests: ["test/unit/core/components/arguments", "test/properties/arguments"],
      },
      {
        what: "JSON strings taken",
        file: "src/core/components/arguments.ts",
        find: "const mended = validation.issues && parseEncoded(args, json, validation.issues);",
        replace: "const mended = undefined as Arguments | undefined; void parseEncoded;",
      },
      {
        what: "JSON strings are strict JSON",
        file: "src/core/components/arguments.ts",
        find: "(parseStrictJson(text).value as object | undefined)",
        replace: "(JSON.parse(text) as object | undefined)",
      },
      {
        what: "unknown arguments refused",
        file: "src/core/components/arguments.ts",
        find: 'unknownArguments === "refuse" ?',
        replace: "false ?",
      },
      {
        what: "unknown arguments bounded",
        file: "src/core/schemas/unknown-arguments.ts",
        find: "else if (found.left-- > 0) found",
        replace: "else found",
      },
      {
        what: "unknown arguments told once",
        file: "src/core/schemas/schema.ts",
        find: "issues.filter((issue) => !isTold(issue, unknown))",
        replace: "issues",
      },
      {
        what: "problems bounded",
        file: "src/core/schemas/schema.ts",
        find: "untold.slice(0, 32)",
        replace: "untold",
      },
      {
        what: "values not echoed, ArkType",
        file: "src/core/schemas/problem.ts",
        find: "  if (isArkIssue(issue)) return arkProblem(issue);\n",
        replace: "",
      },
      {
        what: "values not echoed, Valibot",
        file: "src/core/schemas/problem.ts",
        find: "if (!isValibotIssue(issue)) return message;",
        replace: "return message;",
      },
      {
        what: "inherited field names",
        file: "src/core/schemas/schema.ts",
        find: "if (!Object.hasOwn(fieldErrors, key)) fieldErrors[key] =",
        replace: "fieldErrors[key] ??=",
      },
    ],
  },
  {
    name: "schemas",
    tests: ["test/unit/core/schemas/schema.test"],
    defences: [
      {
        what: "inherited names in JSON Schema",
        file: "src/validation/json-schema.ts",
        find: "own ? OWN_OPTIONS : OPTIONS",
        replace: "OPTIONS",
        tests: ["test/unit/core/schemas/schema.test", "test/unit/core/components/arguments"],
      },
      {
        what: "pointers of wrapped outputs",
        file: "src/protocol/legacy.ts",
        find: '"$&/properties/result"',
        replace: '"$&"',
      },
      {
        what: "outputs wrapped for older clients",
        file: "src/protocol/legacy.ts",
        find: 'return ask.kind === "tool" &&',
        replace: "return false &&",
        tests: ["test/e2e/steps"],
      },
      {
        what: "recursion kept",
        file: "src/core/schemas/schema.ts",
        find: "recursive.size === 0 ? result : { ...result, $defs: definitions }",
        replace: "result",
      },
      {
        what: "schema growth",
        file: "src/core/schemas/schema.ts",
        find: "if (++nodes > LARGEST ||",
        replace: "if (",
      },
      {
        what: "output checked",
        file: "src/core/sealed/heart.ts",
        find: "if (validation.issues) {",
        replace: "if (false as boolean) {",
        tests: ["test/e2e/steps"],
      },
    ],
  },
];
