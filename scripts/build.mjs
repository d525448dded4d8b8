// src → dist: one ES module and one declaration file for each source file.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { isMain, root, run } from "./run.mjs";

export async function build() {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  return run("tsc", ["-p", "tsconfig.build.json"]);
}

if (isMain(import.meta.url)) {
  const { code, output } = await build();
  if (output) console.error(output);
  process.exitCode = code;
}
