/** How Redis has to be set up for what is kept in it. */

import type { Logger } from "../core/ports.ts";
import { type RedisClient, isCluster } from "./ioredis.ts";

const OLDEST = [6, 2] as const;

/**
 * What makes it unfit, and what to write instead.
 *
 * @param logger - Is told what could not be found out.
 */
export async function setupProblem(client: RedisClient, logger?: Logger): Promise<string | undefined> {
  const servers = isCluster(client) ? client.nodes("master") : [client];
  for (const server of servers) {
    let facts: string;
    try {
      facts = await server.info();
    } catch (error) {
      if (!isForbidden(error)) throw error;
      logger?.warn(
        { err: error },
        "Redis does not let this user see how it is set up (INFO): make sure that its maxmemory-policy is noeviction",
      );
      continue;
    }
    const problem = wrongIn(facts);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function wrongIn(facts: string): string | undefined {
  const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(facts)?.[1];
  const version = fact("redis_version");
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  if (version !== undefined && (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])))
    return `redis(): this is Redis ${version}, and ${OLDEST.join(".")} is the oldest that is supported. Update it, or use Valkey.`;
  const policy = fact("maxmemory_policy");
  if (policy !== undefined && policy !== "noeviction")
    return `redis(): the maxmemory-policy of Redis is "${policy}": where it is full it would forget counts, claims and what was done once. Write "maxmemory-policy noeviction" into its configuration.`;
  return undefined;
}

function isForbidden(error: unknown): boolean {
  return error instanceof Error && /^NOPERM|unknown command/i.test(error.message);
}

/** Whether Redis does not let this user in. */
export function isRefusal({ message }: Error): boolean {
  return /^(WRONGPASS|NOAUTH|NOPERM|ERR .*(auth|password))/i.test(message);
}
