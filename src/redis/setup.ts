/** How Redis has to be set up for what is kept in it, and what is said of one that is not. */

import type { Logger } from "../core/ports.ts";
import { type RedisClient, isCluster } from "./ioredis.ts";

const OLDEST = [6, 2] as const;

/** What Redis says of itself. */
export interface Setup {
  /** What makes it unfit, and what to write instead. */
  readonly problem?: string;
  /** How many bytes it has in use, and how many it may have: without bound where it has none, or does not tell. */
  readonly used: number;
  readonly bound: number;
}

/** @param logger - Is told what could not be found out. */
export async function setupOf(client: RedisClient, logger?: Logger): Promise<Setup> {
  const servers = isCluster(client) ? client.nodes("master") : [client];
  let fullest: Setup = { used: 0, bound: Infinity };
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
    const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(facts)?.[1];
    const problem = wrongIn(fact);
    const used = Number(fact("used_memory") ?? 0);
    const bound = Number(fact("maxmemory") ?? 0) || Infinity;
    if (problem !== undefined) return { problem, used, bound };
    if (used / bound > fullest.used / fullest.bound) fullest = { used, bound };
  }
  return fullest;
}

function wrongIn(fact: (name: string) => string | undefined): string | undefined {
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

/** What to write instead, where Redis does not let this user in, or has no such database. */
export function refusalIn(answer: string): string | undefined {
  if (answer.startsWith("NOAUTH"))
    return `redis(): Redis asks for a password (${answer}): write it into the URL, such as rediss://user:password@redis.example.com:6379.`;
  if (isWrongDatabase(answer))
    return `redis(): Redis has no such database (${answer}): leave the number out of the URL, or let "databases" in the configuration of Redis be larger than it.`;
  if (/^(WRONGPASS|NOPERM|ERR .*(auth|password))/i.test(answer))
    return `redis(): Redis does not let this user in (${answer}): write credentials that it knows into the URL.`;
  return undefined;
}

/** Whether what was sent next went to another database. */
export function isWrongDatabase(answer: string): boolean {
  return /^ERR .*DB index/i.test(answer);
}

/** What Redis answered to a write that it refused, and what to do. */
export function refusedWrite(answer: string): string {
  if (answer.startsWith("READONLY"))
    return `it refuses to write, because it is a replica (${answer}): let the URL lead to the primary, or use Sentinel`;
  if (isFull(answer)) return `it is full (${answer}): raise its maxmemory, or see what fills it`;
  return answer;
}

/** Whether it is because Redis is full that it does not write. */
export function isFull(answer: string): boolean {
  return answer.startsWith("OOM") || answer.startsWith("it is full");
}
