// npm run check: everything that must hold before a change is sent. The last line is "N passed, N failed".
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { checkExports } from "./check-exports.mjs";
import { checkImports } from "./check-imports.mjs";
import { checkLock } from "./check-lock.mjs";
import { install } from "./install.mjs";
import { isMain, root, run } from "./run.mjs";
import { installServices } from "./services.mjs";

const fromList = (problems) => ({ code: problems.length > 0 ? 1 : 0, output: problems.join("\n") });

const steps = {
  format: () => run("oxfmt", ["--check", "."]),
  lint: () => run("oxlint", ["--type-aware", "--deny-warnings", "--report-unused-disable-directives"]),
  types: () => run("tsc", ["--noEmit"]),
  imports: () => fromList(checkImports(root)),
  exports: () => fromList(checkExports(root)),
  lock: () => fromList(checkLock(root)),
  build,
  packaging,
  unused: () => run("knip", ["--no-progress"]),
};

/** Tests that hang are a failure, not a wait. */
const longest = 14 * 60_000;

/** Runs all steps and all tests, whatever fails on the way; resolves with whether everything passed. */
export async function check() {
  let passed = 0;
  const failed = [];
  for (const [name, step] of Object.entries(steps)) {
    const started = performance.now();
    const { code, output } = await step();
    const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5);
    console.log(`${code === 0 ? "ok    " : "FAILED"} ${name.padEnd(10)} ${seconds} s`);
    if (code === 0) passed += 1;
    else {
      failed.push(name);
      console.log(indent(output));
    }
  }
  const tests = await vitest();
  passed += tests.passed;
  if (failed.length > 0) console.log(`failed steps: ${failed.join(", ")}`);
  if (tests.skipped > 0) console.log(`skipped tests: ${tests.skipped}`);
  const failures = failed.length + tests.failed;
  console.log(`${passed} passed, ${failures} failed`);
  return failures === 0;
}

// Publishers and users see the tarball, not the folder: publint and attw judge that.
async function packaging() {
  const folder = mkdtempSync(join(tmpdir(), "gantry-pack-"));
  try {
    const pack = await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder]);
    if (pack.code !== 0) return pack;
    const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const tarball = join(folder, `${name}-${version}.tgz`);
    const results = [
      await run("publint", ["run", tarball, "--strict"]),
      await run("attw", [tarball, "--profile", "esm-only", "--no-emoji"]),
    ];
    const bad = results.filter((result) => result.code !== 0);
    return { code: bad.length, output: bad.map((result) => result.output).join("\n") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// A test file that cannot be loaded has no tests to count, and an unhandled error belongs to none: one failure each.
async function vitest() {
  const folder = mkdtempSync(join(tmpdir(), "gantry-vitest-"));
  const file = join(folder, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const { code } = await run("vitest", ["run", ...reporters], { show: true, timeout: longest });
    const report = readReport(file);
    if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
    const broken = report.testResults.filter(
      (suite) =>
        suite.status === "failed" && !suite.assertionResults.some((test) => test.status === "failed"),
    );
    let failed = report.numFailedTests + broken.length;
    if (code !== 0 && failed === 0) failed = 1;
    return { passed: report.numPassedTests, failed, skipped: report.numPendingTests + report.numTodoTests };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

const indent = (text) => text.trimEnd().replace(/^/gm, "       ");

if (isMain(import.meta.url)) {
  install();
  installServices();
  process.exitCode = (await check()) ? 0 : 1;
}
