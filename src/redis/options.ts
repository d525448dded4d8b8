/** How a backend on Redis is set up, and the checks that need no connection. */

import { type Duration, timeLimit } from "../core/options/duration.ts";
import { ConfigurationError } from "../core/errors.ts";
import { isLoopback } from "../core/values/loopback.ts";
import { type Names, checkKnown, shown } from "../core/options/known-options.ts";
import { type ConnectionOptions, type RedisClient, type Target, isCluster } from "./ioredis.ts";

/** Where Redis is, and how it is used. */
export interface RedisBackendOptions {
  /** Where it is: `rediss://user:password@redis.example.com:6379/0`, or `redis://localhost`. */
  readonly url?: string;
  /** Further options of ioredis: `sentinels` with `name`, `tls`, `username`, `password`, `path`, `db`. */
  readonly connection?: ConnectionOptions;
  /** A client of ioredis in place of both, such as a `new Cluster([…])`: connections like it are opened, it stays yours. */
  readonly client?: RedisClient;
  /** What every key begins with, before the server's name. Default: `gantry`. */
  readonly prefix?: string;
  /** The largest result or message of a session that is kept, in bytes, from 1,024. Default: 1,048,576 (1 MiB). */
  readonly maxEntryBytes?: number;
  /** How long a command may take before Redis counts as slow. Default: `"500ms"`. */
  readonly timeout?: Duration;
  /** Why what is kept may travel unencrypted to another machine: `"The network is encrypted by WireGuard."` */
  readonly allowPlaintext?: string;
  /**
   * Calls that limits of rate (`limits`) or of concurrency (`places`) concern pass uncounted while Redis cannot be reached, in place of being
   * refused as `BACKEND_UNAVAILABLE`. Default: none.
   */
  readonly allowWhenUnavailable?: readonly ("limits" | "places")[];
}

/** The options, checked; times in milliseconds. */
export interface RedisSettings {
  readonly target: Target;
  readonly prefix: string;
  readonly timeout: number;
  readonly maxEntryBytes: number;
  readonly open: ReadonlySet<string>;
}

const OPTIONS: Names<RedisBackendOptions> = {
  url: true,
  connection: true,
  client: true,
  prefix: true,
  maxEntryBytes: true,
  timeout: true,
  allowPlaintext: true,
  allowWhenUnavailable: true,
};

const SMALLEST_ENTRY = 1_024;

/** Throws a {@link ConfigurationError} that says what to write. */
export function redisSettings(given: string | RedisBackendOptions): RedisSettings {
  if (typeof given !== "string" && (typeof given !== "object" || given === null))
    throw new ConfigurationError(
      `redis() got ${shown(given)}: write redis("rediss://redis.example.com:6379").`,
    );
  const options = typeof given === "string" ? { url: given } : given;
  checkKnown("redis()", options, OPTIONS);
  const { url, connection = {}, client, prefix = "gantry", timeout = "500ms", allowPlaintext } = options;
  const { allowWhenUnavailable = [], maxEntryBytes = 1_048_576 } = options;
  if (url !== undefined && !/^rediss?:\/\//.test(url))
    throw new ConfigurationError('redis(): the URL does not lead to Redis: write "rediss://host:6379".');
  if (url !== undefined) checkPath(url);
  const { db = 0 } = connection;
  if (!Number.isSafeInteger(db) || db < 0)
    throw new ConfigurationError(`redis(): db is ${shown(db)}: write the number of a database, from 0.`);
  if (client !== undefined && (url !== undefined || options.connection !== undefined))
    throw new ConfigurationError("redis(): a client knows where Redis is. Leave out url and connection.");
  if (client !== undefined && typeof client.duplicate !== "function")
    throw new ConfigurationError(
      `redis(): client is ${shown(client)}: write one of ioredis, such as new Redis(…) or new Cluster([…]).`,
    );
  if (typeof prefix !== "string" || !/^[\w.:-]{1,64}$/.test(prefix))
    throw new ConfigurationError(
      `redis(): prefix is ${shown(prefix)}: use 1 to 64 letters, digits, "_", "-", "." and ":".`,
    );
  if (allowPlaintext !== undefined && (typeof allowPlaintext !== "string" || allowPlaintext.trim() === ""))
    throw new ConfigurationError(
      `redis(): allowPlaintext is ${shown(allowPlaintext)}: write the reason, such as "The network is encrypted by WireGuard."`,
    );
  // There is room for what says that a result is too large.
  if (!Number.isSafeInteger(maxEntryBytes) || maxEntryBytes < SMALLEST_ENTRY)
    throw new ConfigurationError(
      `redis(): maxEntryBytes is ${shown(maxEntryBytes)}: write a whole number from ${SMALLEST_ENTRY}.`,
    );
  const wrong =
    !Array.isArray(allowWhenUnavailable) ||
    allowWhenUnavailable.some((part) => part !== "limits" && part !== "places");
  if (wrong) throw new ConfigurationError('redis(): allowWhenUnavailable holds "limits", "places", or both.');
  const target = { url, connection, client };
  if (allowPlaintext === undefined) checkEncrypted(target);
  return {
    target,
    prefix,
    timeout: timeLimit(timeout, "redis(): timeout"),
    maxEntryBytes,
    open: new Set(allowWhenUnavailable),
  };
}

/** What is no number of a database would lead to the first. */
function checkPath(url: string): void {
  let path: string;
  try {
    path = new URL(url).pathname;
  } catch {
    // It is not shown: a password may stand in it.
    throw new ConfigurationError(
      'redis(): the URL cannot be read: write "rediss://user:password@host:6379/0".',
    );
  }
  if (!/^\/?\d*$/.test(path))
    throw new ConfigurationError(
      `redis(): the URL ends with ${shown(path)}: write the number of a database, such as "/0", or nothing.`,
    );
}

function checkEncrypted({ url, connection, client }: Target): void {
  const { hosts, tls } = isCluster(client)
    ? { hosts: ["the cluster"], tls: client.options.redisOptions?.tls }
    : reached(url, client ? client.options : connection);
  const far = tls ? undefined : hosts.find((host) => !isLoopback(host.toLowerCase()));
  if (far !== undefined)
    throw new ConfigurationError(
      `redis(): the connection to ${far} is not encrypted, and results, keys and the password travel on it. Write rediss:// (or tls: {}), or allowPlaintext with the reason why it need not be.`,
    );
}

function reached(
  url: string | undefined,
  { host = "localhost", path, sentinels, tls }: ConnectionOptions,
): { readonly hosts: readonly string[]; readonly tls: unknown } {
  if (url !== undefined) {
    const { hostname, protocol } = new URL(url);
    return { hosts: [hostname === "" ? "localhost" : hostname], tls: tls ?? protocol === "rediss:" };
  }
  if (sentinels) return { hosts: sentinels.map((each) => each.host ?? "localhost"), tls };
  // A socket of this machine's.
  return { hosts: path === undefined || path === null ? [host] : [], tls };
}
