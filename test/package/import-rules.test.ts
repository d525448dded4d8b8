import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { afterEach, describe, expect, it } from "vitest";

const trees: string[] = [];

/** Writes `files` under src/ of an empty project and lets the checker read it. */
function check(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), "gantry-rules-"));
  trees.push(root);
  for (const [path, source] of Object.entries(files)) {
    const file = join(root, "src", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, source);
  }
  const { status, stderr } = spawnSync(process.execPath, ["scripts/check-imports.mjs", root], {
    encoding: "utf8",
  });
  return { status, reports: stderr.split("\n").filter((line) => line !== "") };
}

afterEach(() => {
  for (const root of trees.splice(0)) rmSync(root, { recursive: true });
});

/** What is broken, the files that break it, and the start of the one report expected. */
const broken: [rule: string, files: Record<string, string>, report: string][] = [
  [
    "the core imports no room",
    { "core/calls/context.ts": `import { log } from "../../observe/log.ts";` },
    "src/core/calls/context.ts:1 [core] imports observe/log.ts",
  ],
  [
    "the core imports no room's types either",
    { "core/calls/context.ts": `import type { Log } from "../../observe/log.ts";` },
    "src/core/calls/context.ts:1 [core] imports observe/log.ts",
  ],
  [
    "the core names no room's types by import() either",
    { "core/calls/context.ts": `export type Log = import("../../observe/log.ts").Log;` },
    "src/core/calls/context.ts:1 [core] imports observe/log.ts",
  ],
  [
    "only core/rooms.ts loads rooms",
    { "core/router.ts": `export const load = () => import("../transport/node.ts");` },
    "src/core/router.ts:1 [core] imports transport/node.ts",
  ],
  [
    "core/rooms.ts loads rooms lazily",
    { "core/rooms.ts": `\nimport { listen } from "../transport/node.ts";` },
    "src/core/rooms.ts:2 [core] imports transport/node.ts: core/rooms.ts may load a room only with await import",
  ],
  [
    "the core has no node: modules",
    { "core/calls/context.ts": `import { randomUUID } from "node:crypto";` },
    "src/core/calls/context.ts:1 [node] imports node:crypto",
  ],
  [
    "a node module without its prefix is one too",
    { "protocol/modern.ts": `import { join } from "path";` },
    "src/protocol/modern.ts:1 [node] imports path",
  ],
  [
    "getBuiltinModule is no way around that",
    { "observe/trace.ts": `const hooks = process.getBuiltinModule("node:async_hooks");` },
    "src/observe/trace.ts:1 [node] imports node:async_hooks",
  ],
  [
    "protocol imports the core only",
    { "protocol/modern.ts": `import { listen } from "../transport/node.ts";` },
    "src/protocol/modern.ts:1 [direction] imports transport/node.ts: protocol/ may import core",
  ],
  [
    "transport imports no feature room",
    { "transport/node.ts": `import { jwt } from "../auth/jwt.ts";` },
    "src/transport/node.ts:1 [direction] imports auth/jwt.ts: transport/ may import core, protocol, sdk",
  ],
  [
    "transport loads sdk lazily",
    { "transport/stdio.ts": `import { bridge } from "../sdk/stdio.ts";` },
    "src/transport/stdio.ts:1 [lazy] imports sdk/stdio.ts",
  ],
  [
    "feature rooms do not know each other",
    { "cache/memory.ts": `import { clock } from "../limits/clock.ts";` },
    "src/cache/memory.ts:1 [rooms] imports limits/clock.ts: feature rooms do not know each other",
  ],
  [
    "feature rooms do not know the protocol",
    { "auth/jwt.ts": `import { header } from "../protocol/headers.ts";` },
    "src/auth/jwt.ts:1 [direction] imports protocol/headers.ts: auth/ may import core",
  ],
  [
    "nothing imports what stands on top",
    { "transport/node.ts": `import { page } from "../console/page.ts";` },
    "src/transport/node.ts:1 [direction] imports console/page.ts: nothing imports console/",
  ],
  [
    "the tops do not import each other",
    { "cli/dev.ts": `import { TestClient } from "../testing/client.ts";` },
    "src/cli/dev.ts:1 [direction] imports testing/client.ts: nothing imports testing/",
  ],
  [
    "core/rooms.ts loads nothing that stands on top",
    { "core/rooms.ts": `export const load = () => import("../console/page.ts");` },
    "src/core/rooms.ts:1 [direction] imports console/page.ts: nothing imports console/",
  ],
  [
    "nobody imports index.ts",
    { "testing/client.ts": `import { MCPServer } from "../index.ts";` },
    "src/testing/client.ts:1 [face] imports index.ts",
  ],
  [
    "an npm package is imported in its one file",
    { "transport/node.ts": `import { Hono } from "hono/tiny";` },
    "src/transport/node.ts:1 [packages] imports hono: only src/transport/http/routes.ts does",
  ],
  [
    "the official SDK is imported in sdk/ only",
    { "transport/stdio.ts": `import type { Server } from "@modelcontextprotocol/server/x";` },
    "src/transport/stdio.ts:1 [packages] imports @modelcontextprotocol/server: only src/sdk/ does",
  ],
  [
    "an npm package nobody listed is refused",
    { "cache/redis.ts": `export const load = () => import("left-pad").then((pad) => pad);` },
    "src/cache/redis.ts:1 [packages] imports left-pad, which has no home",
  ],
  [
    "the schema standard is imported for its types",
    { "core/schema.ts": `import { StandardSchemaV1 } from "@standard-schema/spec";` },
    "src/core/schema.ts:1 [packages] imports @standard-schema/spec: it has types only; write import type",
  ],
  [
    "no default export",
    { "core/compose.ts": `export default function compose() {}` },
    "src/core/compose.ts:1 [default]",
  ],
  [
    "no default export by renaming",
    { "core/compose.ts": `const compose = 1;\nexport { compose as default };` },
    "src/core/compose.ts:2 [default]",
  ],
  [
    "no star exports in index.ts",
    { "index.ts": `export * from "./core/server.ts";` },
    "src/index.ts:1 [star]",
  ],
  ["no folder named utils", { "observe/utils/time.ts": `` }, "src/observe/utils/time.ts:1 [names]"],
  ["no file named helpers", { "core/helpers.ts": `` }, "src/core/helpers.ts:1 [names]"],
  ["no file beside the rooms", { "x.ts": `` }, `src/x.ts:1 [rooms] "x.ts" is not a room`],
  ["no unknown room", { "misc/x.ts": `` }, `src/misc/x.ts:1 [rooms] "misc" is not a room`],
  [
    "no file is longer than 400 lines",
    { "core/server.ts": "export {};\n".repeat(401) },
    "src/core/server.ts:400 [length] has 401 lines",
  ],
  [
    "no circle of files",
    { "core/x/a.ts": `import { b } from "./b.ts";`, "core/x/b.ts": `import { a } from "./a.ts";` },
    "src/core/x/a.ts [circle] files import each other: core/x/a.ts → core/x/b.ts → core/x/a.ts",
  ],
];

describe("the import rules", () => {
  it.each(broken)("report a breach: %s", (_rule, files, report) => {
    const { status, reports } = check(files);
    expect(reports).toEqual([expect.stringContaining(report)]);
    expect(status).toBe(1);
  });

  it("report a circle between folders that only types make", () => {
    const { reports } = check({
      "protocol/outcome.ts": `import type { Socket } from "../transport/node.ts";`,
      "transport/node.ts": `import type { Outcome } from "../protocol/outcome.ts";`,
    });
    expect(reports).toContainEqual(
      expect.stringContaining("[circle] folders import each other: protocol → transport → protocol"),
    );
  });

  it.each([
    ["core/calls", "core/schemas"],
    ["transport/http", "transport/processes"],
  ])("report a circle between folders of a room: %s and %s", (one, other) => {
    const { reports } = check({
      [`${one}/a.ts`]: `import type { B } from "../${posix.basename(other)}/b.ts";`,
      [`${other}/b.ts`]: `import type { A } from "../${posix.basename(one)}/a.ts";`,
    });
    expect(reports).toContainEqual(
      expect.stringContaining(`[circle] folders import each other: ${one} → ${other} → ${one}`),
    );
  });

  it("see imports of every form, with their line", () => {
    const { reports } = check({
      "protocol/modern.ts": [
        `import "../transport/a.ts";`,
        `import {`,
        `  one,`,
        `  two,`,
        `} from "../transport/b.ts";`,
        `export { three } from "../transport/c.ts";`,
        `export * as four from "../transport/d.ts";`,
        `import five, { type Six } from '../transport/e.ts';`,
        `const seven = await import(\`../transport/f.ts\`);`,
      ].join("\n"),
    });
    const places = reports.map((report) => report.slice(0, report.indexOf(":", 30)));
    expect(places).toEqual(
      [
        ["1", "a"],
        ["2", "b"],
        ["6", "c"],
        ["7", "d"],
        ["8", "e"],
        ["9", "f"],
      ].map(([line, file]) => `src/protocol/modern.ts:${line} [direction] imports transport/${file}.ts`),
    );
  });

  it("do not take comments and texts for imports", () => {
    const { status, reports } = check({
      "core/router.ts": [
        `/** import { a } from "../transport/a.ts"; */`,
        `// import { b } from "../transport/b.ts";`,
        `export const url = "http://localhost"; // import("../transport/c.ts")`,
        "export const advice = `write",
        `import { d } from "../transport/d.ts";`,
        "`;",
      ].join("\n"),
    });
    expect(reports).toEqual([]);
    expect(status).toBe(0);
  });

  it("let a house in order pass", () => {
    const { status, reports } = check({
      "index.ts": `export { MCPServer } from "./core/server.ts";\nexport { logging } from "./middleware/logging.ts";`,
      "core/server.ts": `export { run } from "./rooms.ts";`,
      "core/rooms.ts": `import type { Call } from "./ports.ts";\nexport const run = () => import("../transport/node.ts");`,
      "core/schema.ts": `import type { StandardSchemaV1 } from "@standard-schema/spec";\nexport type S = StandardSchemaV1;`,
      "core/ports.ts": `export interface Call {}`,
      "middleware/logging.ts": `import type { Call } from "../core/ports.ts";`,
      "protocol/modern.ts": `import type { Call } from "../core/ports.ts";`,
      "transport/node.ts": `import { createServer } from "node:http";\nimport { answer } from "../protocol/modern.ts";\nconst sdk = () => import("../sdk/stdio.ts");`,
      "transport/http/routes.ts": `import { Hono } from "hono";`,
      "sdk/stdio.ts": `import { Server } from "@modelcontextprotocol/server";`,
      "testing/index.ts": `export { TestClient } from "./client.ts";`,
      "testing/client.ts": `import { run } from "../core/server.ts";`,
    });
    expect(reports).toEqual([]);
    expect(status).toBe(0);
  });

  it("are kept by this project", () => {
    const { status, stderr } = spawnSync(process.execPath, ["scripts/check-imports.mjs"], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});
