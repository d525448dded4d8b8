import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./program.ts";

const page = readFileSync(join(root, "docs/architecture.md"), "utf8");
const named = new Set(
  [...page.matchAll(/`((?:[\w-]+\/)*[\w.-]+\.(?:ts|mjs))`/g)].map(([, path = ""]) => path),
);
const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts"));

it("names every file of src by its path, those of the core by their path within it", () => {
  const missing = sources.filter(
    (path) => !named.has(path) && !named.has(path.replace(/^core\//, "")) && !named.has(`src/${path}`),
  );
  expect(missing).toEqual([]);
});

it("names no file that is not there", () => {
  const invented = [...named].filter(
    (path) => !["src/core", "src", "."].some((folder) => existsSync(join(root, folder, path))),
  );
  expect(invented).toEqual([]);
});
