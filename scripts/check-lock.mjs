// package-lock.json serves every platform: npm ci refuses a lock file that leaves out an optional package.
// Usage: node scripts/check-lock.mjs [project root]
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isMain, root as project } from "./run.mjs";

/** Answers with one line for each package that is missing or bound to one registry; none means all is well. */
export function checkLock(root) {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const problems = [];
  for (const [path, { optionalDependencies = {}, resolved }] of Object.entries(packages)) {
    if (resolved !== undefined) {
      problems.push(
        `${path} is bound to ${resolved}: run npm install with --omit-lockfile-registry-resolved`,
      );
    }
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (found(packages, path, name)) continue;
      problems.push(
        `${path} wants ${name}@${version} on some platform: restore its entry, or npm ci fails everywhere`,
      );
    }
  }
  return problems;
}

/** Looks where node would: in the package's own node_modules, then in those around it. */
function found(packages, path, name) {
  for (let place = path; ; place = place.slice(0, Math.max(place.lastIndexOf("/node_modules/"), 0))) {
    if (packages[`${place === "" ? "" : `${place}/`}node_modules/${name}`] !== undefined) return true;
    if (place === "") return false;
  }
}

if (isMain(import.meta.url)) {
  const problems = checkLock(resolve(process.argv[2] ?? project));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
