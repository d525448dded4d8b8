// src → dist: a declaration file for each source file, and modules that load quickly: one for each entry and command of package.json, and
// more for what is imported when it is first needed.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build as bundle } from "esbuild";
import { isMain, root, run } from "./run.mjs";

export async function build() {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const declarations = await run("tsc", ["-p", "tsconfig.build.json"]);
  if (declarations.code !== 0) return declarations;
  const { engines, exports, bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const built = [...Object.values(exports).flatMap((entry) => entry.default ?? []), ...Object.values(bin)];
  const entries = built.map((path) => path.replace("./dist/", "src/").replace(/js$/, "ts"));
  try {
    await bundle({
      absWorkingDir: root,
      entryPoints: entries,
      outbase: "src",
      outdir: "dist",
      bundle: true,
      splitting: true,
      packages: "external",
      format: "esm",
      platform: "node",
      target: `node${/[\d.]+/.exec(engines.node)[0]}`,
      logLevel: "silent",
    });
    return declarations;
  } catch (error) {
    return { code: 1, output: error.message };
  }
}

if (isMain(import.meta.url)) {
  const { code, output } = await build();
  if (output) console.error(output);
  process.exitCode = code;
}
