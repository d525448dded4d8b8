/** The list of defences, which `node test/long/mutations.mjs` switches off, is about the source as it is. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { rooms } from "../long/mutations/index.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const testFiles = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
  .map((path) => `test/${path.replaceAll("\\", "/")}`)
  .filter((path) => path.endsWith(".test.ts"));

test("no two rooms have one name", () => {
  const names = rooms.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
});

describe.each(rooms)("$name", ({ tests, defences }) => {
  test.each(defences)("$what stands in its file once", ({ file, find, replace }) => {
    const times = readFileSync(join(root, file), "utf8").split(find).length - 1;
    expect(times, `mend its entry in test/long/mutations: "find" stands so often in ${file}`).toBe(1);
    expect(replace).not.toBe(find);
  });

  test("has tests", () => {
    const filters = new Set([...tests, ...defences.flatMap((defence) => defence.tests ?? [])]);
    const without = [...filters].filter((filter) => !testFiles.some((path) => path.includes(filter)));
    expect(without).toEqual([]);
  });
});
