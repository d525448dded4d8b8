import { defineConfig } from "vitest/config";
import { fileURLToPath } from "node:url";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

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
    testTimeout: 30_000,
    hookTimeout: 60_000,
    typecheck: { enabled: false },
  },
});
