/** A backend on Redis as a server opens it, without the server. */

import type { Backend } from "gantry-mcp";
import { type RedisBackendOptions, redis } from "gantry-mcp/redis";
import { onTestFinished } from "vitest";
import { capturedLog } from "./captured-log.ts";

/** Opens one for a server of the name `test`, and closes it at the end of the test. */
export async function openBackend(
  options: string | RedisBackendOptions,
  log = capturedLog(),
): Promise<Backend> {
  const backend = redis(options);
  onTestFinished(() => backend.close());
  await backend.open({ name: "test", logger: log.logger });
  return backend;
}

export function isReady(backend: Backend): boolean {
  try {
    backend.probe();
    return true;
  } catch {
    return false;
  }
}
