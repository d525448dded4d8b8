/** How a body is read. */

import type { Room } from "./defence.ts";

export const bodyRooms: readonly Room[] = [
  {
    name: "json",
    tests: ["test/e2e/bad-input/json", "test/unit/protocol/json"],
    defences: [
      {
        what: "duplicate keys",
        file: "src/strict-json.ts",
        find: "walk.keys !== countColons(source)",
        replace: "false",
      },
      {
        what: "__proto__",
        file: "src/strict-json.ts",
        find: 'key === "__proto__"',
        replace: 'key === "__nope__"',
      },
      { what: "depth", file: "src/strict-json.ts", find: "depth >= DEEPEST", replace: "depth >= 1e9" },
      {
        what: "numbers that overflow",
        file: "src/strict-json.ts",
        find: "if (!Number.isFinite(value)) this",
        replace: "if (false) this",
      },
      {
        what: "whole numbers that are not exact",
        file: "src/strict-json.ts",
        find: "walk.large && hasInexactInteger(source)",
        replace: "false",
      },
      {
        what: "strict UTF-8",
        file: "src/protocol/json.ts",
        find: "fatal: true, ignoreBOM: true",
        replace: "fatal: false, ignoreBOM: true",
      },
      {
        what: "byte order mark",
        file: "src/protocol/json.ts",
        find: "fatal: true, ignoreBOM: true",
        replace: "fatal: true",
      },
    ],
  },
  {
    name: "messages",
    tests: ["test/e2e/bad-input/messages"],
    defences: [
      {
        what: "envelope",
        file: "src/protocol/modern.ts",
        find: "if (problem !== undefined) return refuse(id, invalidParams(problem));",
        replace: "",
      },
      {
        what: "revision of the envelope",
        file: "src/protocol/modern.ts",
        find: "if (version !== MODERN) return",
        replace: "if (false) return",
      },
      {
        what: "revision of the header",
        file: "src/protocol/answer.ts",
        find: "!LEGACY.includes(version) &&",
        replace: "false &&",
      },
      {
        what: "revision of a notification",
        file: "src/protocol/answer.ts",
        find: "  return isServed\n",
        replace: "  return isServed || true\n",
      },
      {
        what: "modern header without an envelope",
        file: "src/protocol/answer.ts",
        find: "if (version === MODERN) return missingEnvelope(request.id);",
        replace: "",
      },
      {
        what: "ids",
        file: "src/protocol/jsonrpc.ts",
        find: 'typeof id === "string" || Number.isSafeInteger(id)',
        replace: 'typeof id === "string" || typeof id === "number" || id === null',
      },
      {
        what: "jsonrpc 2.0",
        file: "src/protocol/jsonrpc.ts",
        find: 'if (jsonrpc !== "2.0")',
        replace: "if (false)",
      },
      {
        what: "batch size",
        file: "src/protocol/answer.ts",
        find: "messages.length > LARGEST_BATCH",
        replace: "false",
      },
      {
        what: "batch revision",
        file: "src/protocol/answer.ts",
        find: "if (version !== undefined && version !== UNSTATED_LEGACY)",
        replace: "if (false)",
      },
      {
        what: "inherited method names",
        file: "src/protocol/methods.ts",
        find: "Object.hasOwn(METHODS, method)",
        replace: "method in METHODS",
      },
      {
        what: "unknown methods are 404",
        file: "src/protocol/modern.ts",
        find: "errorReply(404, id, methodNotFound",
        replace: "errorReply(200, id, methodNotFound",
      },
      {
        what: "arguments are an object",
        file: "src/protocol/methods.ts",
        find: "return isObject(args) ? { kind, name, args }",
        replace: "return true ? { kind, name, args: args as never }",
      },
      {
        what: "URI length",
        file: "src/protocol/methods.ts",
        find: "uri.length <= LONGEST_URI",
        replace: "true",
        tests: ["test/e2e/bad-input/names"],
      },
      {
        what: "long names cut",
        file: "src/refusals.ts",
        find: "name.length > LONGEST_NAME",
        replace: "false",
        tests: ["test/e2e/bad-input/names"],
      },
    ],
  },
];
