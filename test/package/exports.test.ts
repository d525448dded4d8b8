import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";

const lines = (names: string[]) => names.toSorted().join("\n") + "\n";

// A changed name is a changed promise: run `npm test -- test/package/exports -u` and say so in CHANGELOG.md.
describe("the names a user can import", () => {
  it("from gantry-mcp", async () => {
    await expect(lines(Object.keys(await import("gantry-mcp")))).toMatchFileSnapshot("exports.root.txt");
  });

  it("from gantry-mcp/redis", async () => {
    await expect(lines(Object.keys(await import("gantry-mcp/redis")))).toMatchFileSnapshot(
      "exports.redis.txt",
    );
  });

  it("from gantry-mcp/testing", async () => {
    await expect(lines(Object.keys(await import("gantry-mcp/testing")))).toMatchFileSnapshot(
      "exports.testing.txt",
    );
  });
});

const trees: string[] = [];

function check(exports: object, sources: string[], paths: Record<string, string[]> = {}) {
  const root = mkdtempSync(join(tmpdir(), "gantry-exports-"));
  trees.push(root);
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write("package.json", JSON.stringify({ name: "house", exports }));
  write("tsconfig.json", JSON.stringify({ compilerOptions: { paths } }));
  for (const source of sources) write(`src/${source}`, "");
  const { status, stderr } = spawnSync(process.execPath, ["scripts/check-exports.mjs", root], {
    encoding: "utf8",
  });
  return { status, reports: stderr.split("\n").filter((line) => line !== "") };
}

afterEach(() => {
  for (const root of trees.splice(0)) rmSync(root, { recursive: true });
});

describe("the exports map", () => {
  const entry = { types: "./dist/index.d.ts", default: "./dist/index.js" };
  const path = { house: ["./src/index.ts"] };

  it("has a file for each entry", () => {
    const { reports } = check({ ".": entry, "./jobs": entry }, ["index.ts"], path);
    expect(reports).toEqual([
      `package.json exports["./jobs"] has no file: write src/jobs/index.ts, or remove the entry`,
    ]);
  });

  it("has an entry for each index file", () => {
    const { reports } = check({ ".": entry }, ["index.ts", "jobs/index.ts"], path);
    expect(reports).toEqual([expect.stringContaining(`src/jobs/index.ts is not exported: add "./jobs"`)]);
  });

  it("points to what the build makes of that file, types first", () => {
    const wrong = { default: "./dist/main.js", types: "./dist/index.d.ts" };
    const { reports } = check({ ".": wrong }, ["index.ts"], path);
    expect(reports).toEqual([
      `package.json exports["."].default is "./dist/main.js": write "./dist/index.js"`,
      `the first key of package.json exports["."] is "default": write "types"`,
    ]);
  });

  it("agrees with the paths of the compiler", () => {
    const { reports } = check({ ".": entry }, ["index.ts"]);
    expect(reports).toEqual([`tsconfig.json paths["house"] is undefined: write "./src/index.ts"`]);
  });

  it("is in order here", () => {
    const { status, stderr } = spawnSync(process.execPath, ["scripts/check-exports.mjs"], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});
