/** What processes share, in Redis or Valkey: `gantry-mcp/redis`. */

export { redis } from "./backend.ts";
export type { RedisBackendOptions } from "./options.ts";
