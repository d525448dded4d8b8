// The exports map of package.json, the index files of src and the paths of tsconfig.json say the same.
// Usage: node scripts/check-exports.mjs [project root]
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { isMain, root as project } from "./run.mjs";

/** Answers with one line for each disagreement; none means all is well. */
export function checkExports(root) {
  const read = (file) => JSON.parse(readFileSync(join(root, file), "utf8"));
  const { name, exports } = read("package.json");
  const { paths = {} } = read("tsconfig.json").compilerOptions;
  const problems = [];
  const expect = (where, found, wanted) => {
    if (found !== wanted)
      problems.push(`${where} is ${JSON.stringify(found)}: write ${JSON.stringify(wanted)}`);
  };

  for (const [subpath, target] of Object.entries(exports)) {
    if (subpath === "./package.json") continue;
    const source = `${subpath}/index`;
    if (!existsSync(join(root, "src", `${source}.ts`))) {
      problems.push(
        `package.json exports["${subpath}"] has no file: write src/${source.slice(2)}.ts, or remove the entry`,
      );
      continue;
    }
    const built = `./dist/${source.slice(2)}`;
    expect(`package.json exports["${subpath}"].types`, target.types, `${built}.d.ts`);
    expect(`package.json exports["${subpath}"].default`, target.default, `${built}.js`);
    expect(`the first key of package.json exports["${subpath}"]`, Object.keys(target)[0], "types");
    const alias = name + subpath.slice(1);
    expect(`tsconfig.json paths["${alias}"]`, paths[alias]?.[0], `./src/${source.slice(2)}.ts`);
  }
  for (const index of indexFiles(join(root, "src"))) {
    const subpath = index === "" ? "." : `./${index}`;
    if (exports[subpath] !== undefined) continue;
    problems.push(
      `src/${index}/index.ts is not exported: add "${subpath}" to package.json exports, or import its files by name`,
    );
  }
  return problems;
}

/** The folders of src that have an index.ts, "" for src itself. */
const indexFiles = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path === "index.ts" || path.endsWith("/index.ts"))
    .map((path) => path.replace(/\/?index\.ts$/, ""));

if (isMain(import.meta.url)) {
  const problems = checkExports(resolve(process.argv[2] ?? project));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
