import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { fileURLToPath } from "node:url";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Who takes three minutes begins first, beside all others. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const takesLong = ({ moduleId }: TestSpecification) => Number(moduleId.endsWith("/soak.test.ts"));
    // oxlint-disable-next-line unicorn/no-array-sort -- a sequencer, and no array
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => takesLong(b) - takesLong(a));
  }
}

export default defineConfig({
  resolve: {
    alias: [
      { find: /^gantry-mcp\/redis$/, replacement: source("./src/redis/index.ts") },
      { find: /^gantry-mcp\/testing$/, replacement: source("./src/testing/index.ts") },
      { find: /^gantry-mcp$/, replacement: source("./src/index.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/long/**"],
    setupFiles: ["test/support/setup.ts"],
    pool: "threads",
    // Tests wait for servers and clocks more than they compute.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    typecheck: { enabled: false },
  },
});
