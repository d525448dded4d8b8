/** What clients may keep, and what headers mirror. */

import type { Room } from "./defence.ts";

export const hintsRooms: readonly Room[] = [
  {
    name: "cache",
    tests: ["test/e2e/talking/cache-hints"],
    defences: [
      {
        what: "private where it depends on the caller",
        file: "src/core/results/cache-hint.ts",
        find: 'scope = dependsOnCaller ? "private" : "public"',
        replace: 'scope = "public"',
      },
      {
        what: "handlers that find the context",
        file: "src/core/sealed/heart.ts",
        find: "ctx.consulted ? callersHint : hint",
        replace: "hint",
      },
      {
        what: "middleware before a resource",
        file: "src/core/sealed/heart.ts",
        find: "options.callersDiffer || !resource.layers",
        replace: "!resource.layers",
      },
      {
        what: "the router's layers before a resource",
        file: "src/core/sealed/heart.ts",
        find: " || !resource.layers.every(isPassive)",
        replace: "",
        tests: ["test/e2e/talking/cache-hints", "test/e2e/routers"],
      },
      {
        what: "what came of answers",
        file: "src/core/sealed/heart.ts",
        find: "ctx.inquiry?.answered ? NOT_CACHEABLE :",
        replace: "",
      },
      {
        what: "what a middleware made",
        file: "src/core/results/result.ts",
        find: "hint: string = NOT_CACHEABLE",
        replace: 'hint: string = \',"ttlMs":0,"cacheScope":"public"\'',
      },
      {
        what: "lists behind middleware",
        file: "src/core/sealed/seal.ts",
        find: 'hintJson(options.cacheHint, options.callersDiffer, "cacheHint")',
        replace: 'hintJson(options.cacheHint, false, "cacheHint")',
      },
    ],
  },
  {
    name: "parameters",
    tests: ["test/e2e/talking/param-headers"],
    defences: [
      {
        what: "compared with the arguments",
        file: "src/protocol/headers.ts",
        find: "if (!equal) return mismatch(`${name} is not what the arguments say`);",
        replace: "",
      },
      {
        what: "missing",
        file: "src/protocol/headers.ts",
        find: "if (raw === undefined) return mismatch(`${name} is missing`);",
        replace: "if (raw === undefined) continue;",
      },
      {
        what: "characters",
        file: "src/protocol/headers.ts",
        find: "if (!PLAIN.test(raw)) return mismatch(`${name}",
        replace: "if (false) return mismatch(`${name}",
      },
      {
        what: "without an argument",
        file: "src/protocol/headers.ts",
        find: 'if (raw !== undefined)\n        return mismatch(`${name} is set and the arguments have no such ${path.join(".")}`);\n',
        replace: "",
      },
      {
        what: "whole numbers as numbers are written",
        file: "src/protocol/headers.ts",
        find: "/^-?\\d+(?:\\.0+)?$/.test(decoded) && ",
        replace: "",
      },
      {
        what: "inherited names",
        file: "src/protocol/headers.ts",
        find: "isObject(inner) && Object.hasOwn(inner, key) ? inner[key]",
        replace: "isObject(inner) ? inner[key]",
      },
      {
        what: "secrets",
        file: "src/core/components/param-headers.ts",
        find: "if (SENSITIVE.test(name)) throw",
        replace: "if (false) throw",
      },
      {
        what: "names of headers",
        file: "src/core/components/param-headers.ts",
        find: 'typeof annotation !== "string" || !TOKEN.test(annotation)',
        replace: 'typeof annotation !== "string"',
      },
      {
        what: "types",
        file: "src/core/components/param-headers.ts",
        find: 'if (type !== "string" && type !== "integer" && type !== "boolean")',
        replace: "if (false)",
      },
      {
        what: "where clients cannot follow",
        file: "src/core/components/param-headers.ts",
        find: "if (annotations > found.length) {",
        replace: "if (false) {",
      },
      {
        what: "two of one name",
        file: "src/core/components/param-headers.ts",
        find: "if (new Set(found.map(({ header }) => header)).size < found.length) {",
        replace: "if (false) {",
      },
    ],
  },
];
