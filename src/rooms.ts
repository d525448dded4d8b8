/** The rooms that a server loads while it gets ready, and no sooner than it needs them. */

import type { CompilerLoaders } from "./compilers.ts";
import type { Middleware } from "./compose.ts";
import type { HeartOptions } from "./heart.ts";
import type { MCPServerOptions } from "./options.ts";
import type { Logger } from "./ports.ts";
import type { Stores } from "./stores.ts";

/** The rooms that compile schemas. */
export const LOADERS: CompilerLoaders = {
  jsonSchema: async () => (await import("./validation/json-schema.ts")).compileJsonSchema,
  zod: async () => {
    try {
      return (await import("./validation/zod.ts")).compileZod;
    } catch {
      // The schemas come from a zod that is not this project's: they validate as they are.
      return undefined;
    }
  },
};

/** What stands around components that declare what of theirs is kept. */
export async function cachingOf(
  { name, version }: MCPServerOptions,
  stores: Stores,
  middleware: readonly Middleware[],
  timeout: number,
  logger: Logger,
): Promise<HeartOptions["around"]> {
  const { declaredCaching } = await import("./cache/declared.ts");
  const { memoryCache, memoryIdempotencyStore } = await import("./cache/memory.ts");
  const store = stores.cache ?? memoryCache();
  const records = stores.idempotency ?? memoryIdempotencyStore();
  return declaredCaching({ name, version, store, records, logger, middleware, timeout });
}
