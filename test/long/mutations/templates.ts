/** URIs and the templates that match them. */

import type { Room } from "./defence.ts";

export const templatesRooms: readonly Room[] = [
  {
    name: "templates",
    tests: ["test/e2e/bad-input/names", "test/unit/core/schemas/uri-template", "test/properties/uri"],
    defences: [
      {
        what: "separators in simple variables",
        file: "src/core/schemas/uri-template.ts",
        find: 'if (kind === "simple" && segments.length > 1) return undefined;',
        replace: "",
      },
      {
        what: "raw separators",
        file: "src/core/schemas/uri-template.ts",
        find: 'if (kind === "simple" && /[/?#]/.test(raw)) return undefined;',
        replace: "",
      },
      {
        what: ".. segments",
        file: "src/core/schemas/uri-template.ts",
        find: 'segment === "." || segment === ".."',
        replace: "false",
      },
      {
        what: "backslash and control characters",
        file: "src/core/schemas/uri-template.ts",
        find: "if (/[\\\\\\u0000-\\u001f\\u007f]/.test(value)) return undefined;",
        replace: "",
      },
      {
        what: "empty variables",
        file: "src/core/schemas/uri-template.ts",
        find: ': raw === "") return undefined;',
        replace: ": false) return undefined;",
      },
      {
        what: "decoded once",
        file: "src/core/schemas/uri-template.ts",
        find: 'value = decodeURIComponent(kind === "segments" ? raw.slice(1) : raw);',
        replace: 'value = decodeURIComponent(decodeURIComponent(kind === "segments" ? raw.slice(1) : raw));',
      },
      {
        what: "static before template",
        file: "src/core/sealed/dispatch.ts",
        find: "if (resource) return { ...resource, params: {} };",
        replace: "if (false as boolean) return { ...(resource as never), params: {} };",
        tests: ["test/e2e/steps"],
      },
      {
        what: "exact before greedy",
        file: "src/core/sealed/seal.ts",
        find: "Number(a.template?.greedy) - Number(b.template?.greedy)",
        replace: "0",
        tests: ["test/e2e/steps"],
      },
    ],
  },
];
