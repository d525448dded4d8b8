/** Connections to Redis, by ioredis. */

import type { Cluster, Redis, RedisOptions } from "ioredis";
import { ConfigurationError } from "../core/errors.ts";

/** A connection, to one server or to a cluster. */
export type RedisClient = Redis | Cluster;
/** How ioredis is told to connect. */
export type ConnectionOptions = RedisOptions;

/** Its options differ by the shape of the replies that they ask for, which is of no matter here. */
type ClusterRedisOptions = NonNullable<NonNullable<Parameters<Cluster["duplicate"]>[1]>["redisOptions"]>;
type RedisConstructor = new (...args: [RedisOptions] | [string, RedisOptions]) => Redis;

/** What leads to Redis. */
export interface Target {
  readonly url: string | undefined;
  readonly connection: ConnectionOptions;
  readonly client: RedisClient | undefined;
}

/** How long it is tried to connect before it is tried anew, in milliseconds. */
const CONNECT_LIMIT = 1_500;
/** The longest pause between two tries, in milliseconds. */
const RETRY_AFTER = 1_000;

/**
 * Makes a connection that does not connect yet. It keeps no commands for later: what cannot be sent fails at once, and what was
 * sent and not answered is not sent again. Whoever sends one says how long it may take.
 */
export async function connection({ url, connection: options, client }: Target): Promise<RedisClient> {
  const ours = {
    lazyConnect: true,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
    protocol: 2 as const,
    // It would count the time in which this process was busy.
    commandTimeout: undefined,
    connectTimeout: CONNECT_LIMIT,
    retryStrategy,
    // A primary that has become a replica: the one that took its place is found by connecting anew.
    reconnectOnError: ({ message }: Error) => message.startsWith("READONLY"),
  };
  if (isCluster(client)) {
    const redisOptions = Object.assign({}, client.options.redisOptions, ours, { autoResubscribe: true });
    return client.duplicate([], {
      lazyConnect: true,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      clusterRetryStrategy: retryStrategy,
      redisOptions: redisOptions as ClusterRedisOptions,
    });
  }
  if (client) return client.duplicate(ours);
  const Client = await load();
  const all: RedisOptions = Object.assign({}, options, ours);
  return url === undefined ? new Client(all) : new Client(url, all);
}

/** Whether it leads to the many servers of a cluster. */
export function isCluster(client: RedisClient | undefined): client is Cluster {
  return client !== undefined && "isCluster" in client && client.isCluster;
}

function retryStrategy(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 6), RETRY_AFTER);
}

async function load(): Promise<RedisConstructor> {
  try {
    return (await import("ioredis")).Redis;
  } catch {
    throw new ConfigurationError("redis() needs the package ioredis: npm install ioredis@6");
  }
}
