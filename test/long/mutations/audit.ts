/** What must not be written down, and what is. */

import type { Room } from "./defence.ts";

export const auditRooms: readonly Room[] = [
  {
    name: "sensitive",
    tests: ["test/unit/sensitive"],
    defences: [
      {
        what: "writeOnly is sensitive",
        file: "src/sensitive.ts",
        find: 'schema["writeOnly"] === true ||',
        replace: "",
      },
      {
        what: "passwords are sensitive",
        file: "src/sensitive.ts",
        find: ' || schema["format"] === "password"',
        replace: "",
      },
      {
        what: "references followed",
        file: "src/sensitive.ts",
        find: 'for (const key of ["$ref", "$dynamicRef", "$recursiveRef"])',
        replace: "for (const key of [] as string[])",
      },
      {
        what: "branches followed",
        file: "src/sensitive.ts",
        find: 'for (const key of ["allOf", "anyOf", "oneOf"])',
        replace: "for (const key of [] as string[])",
      },
      {
        what: "texts where objects belong",
        file: "src/sensitive.ts",
        find: 'return typeof value === "string" ? REDACTED : value;',
        replace: "return value;",
      },
      {
        what: "lists where objects belong",
        file: "src/sensitive.ts",
        find: "if (!all.some(({ prefix, items, elements }) => [...prefix, ...items, ...elements].some(leads)))\n      return REDACTED;",
        replace: "",
      },
      {
        what: "objects where lists belong",
        file: "src/sensitive.ts",
        find: "if (!all.some(describesMembers)) return REDACTED;",
        replace: "",
      },
      {
        what: "depth bounded",
        file: "src/sensitive.ts",
        find: "depth > DEEPEST || ",
        replace: "",
      },
    ],
  },
];
