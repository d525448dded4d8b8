/** The stores over a real Redis: the contracts that those in memory keep. */

import type { Backend } from "gantry-mcp";
import type { Cluster } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { redisBackend } from "../../src/redis/backend.ts";
import { type RedisBackendOptions, redisSettings } from "../../src/redis/options.ts";
import { cacheStoreContract } from "../contracts/cache-store.ts";
import { circuitStoreContract } from "../contracts/circuit-store.ts";
import { eventBusContract } from "../contracts/event-bus.ts";
import { eventStoreContract } from "../contracts/event-store.ts";
import { idempotencyStoreContract } from "../contracts/idempotency-store.ts";
import { limitStoreContract } from "../contracts/limit-store.ts";
import { placeStoreContract } from "../contracts/place-store.ts";
import { capturedLog } from "../support/captured-log.ts";
import { RedisServer } from "../support/redis.ts";
import { type EncryptedRedis, RedisCluster, encryptedRedis } from "../support/redis-topologies.ts";

let alone: RedisServer;
let encrypted: EncryptedRedis;
let cluster: RedisCluster;
let client: Cluster;
const opened: Backend[] = [];
let last = 0;

beforeAll(async () => {
  [alone, encrypted, cluster] = await Promise.all([
    RedisServer.start(),
    encryptedRedis(),
    RedisCluster.start(),
  ]);
  client = cluster.connect();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map(async (backend) => backend.close()));
});

afterAll(async () => {
  client?.disconnect();
  await Promise.all([alone?.stop(), encrypted?.server.stop(), cluster?.stop()]);
});

describe.each<readonly [string, () => RedisBackendOptions, () => Promise<readonly string[]>]>([
  ["Redis", () => ({ url: alone.url }), () => alone.client.keys("*")],
  [
    "Redis over TLS",
    () => ({ url: encrypted.url, connection: { tls: { ca: encrypted.ca } } }),
    () => encrypted.server.client.keys("*"),
  ],
  ["a cluster of Redis", () => ({ client, allowPlaintext: "It is on this machine." }), () => cluster.keys()],
])("%s", (kind, options, allKeys) => {
  /** Backends of processes of one server. */
  const open = async (count = 1, skewed?: () => number): Promise<readonly Backend[]> => {
    const name = `contract ${++last}`;
    const backends = Array.from({ length: count }, () => redisBackend(redisSettings(options()), skewed));
    if (!skewed) opened.push(...backends);
    await Promise.all(backends.map(async (backend) => backend.open({ name, logger: capturedLog().logger })));
    return backends;
  };
  const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
  let shared: Promise<readonly [Backend, Backend]> | undefined;
  let skew = 0;
  /** The same two for all tests, with keys of their own for each. */
  const common = async () => (await (shared ??= open(2, () => skew) as Promise<[Backend, Backend]>))[0];
  const own = () => `${++last} `;
  afterAll(async () => {
    for (const each of (await shared) ?? []) await each.close();
  });

  limitStoreContract(kind, async () => {
    const [{ limits }, mine] = [await common(), own()];
    const charge: Backend["limits"]["charge"] = (charges) =>
      limits.charge(charges.map((each) => ({ ...each, key: mine + each.key })));
    return { store: { charge }, advance: (milliseconds) => void (skew += milliseconds) };
  });
  placeStoreContract(kind, async () => {
    const [{ places }, mine] = [await common(), own()];
    return { take: (key, limit, seeker) => places.take(mine + key, limit, seeker) };
  });
  circuitStoreContract(kind, async () => {
    const [{ circuits }, mine] = [await common(), own()];
    const store: Backend["circuits"] = {
      enter: (breaker, component, plan) => circuits.enter(mine + breaker, component, plan),
      state: (breaker, component) => circuits.state(mine + breaker, component),
      reset: (breaker, component) => circuits.reset(mine + breaker, component),
    };
    return { store, advance: (milliseconds) => void (skew += milliseconds) };
  });
  cacheStoreContract(kind, async () => {
    const [{ cache }, mine] = [await common(), own()];
    const store: Backend["cache"] = {
      read: (key, tags) => cache.read(mine + key, tags),
      write: (key, value, stamp, lifetime) => cache.write(mine + key, value, stamp, lifetime),
      invalidate: (tags) => cache.invalidate(tags),
    };
    return { store, advance: pause };
  });
  idempotencyStoreContract(kind, async () => {
    const [{ idempotency }, mine] = [await common(), own()];
    const store: Backend["idempotency"] = {
      claim: (key, record, lifetime) => idempotency.claim(mine + key, record, lifetime),
      replace: (key, claimed, record, lifetime) => idempotency.replace(mine + key, claimed, record, lifetime),
      release: (key, claimed) => idempotency.release(mine + key, claimed),
    };
    return { store, advance: pause };
  });
  eventBusContract(kind, async () => {
    const [here, there] = (await open(2)) as [Backend, Backend];
    return [here.eventBus, there.eventBus];
  });
  eventStoreContract(kind, async () => ((await open()) as [Backend])[0].eventStore);
  const one = async () => ((await open()) as [Backend])[0];

  test("servers of other names share nothing", async () => {
    const [here, there] = [await one(), await one()];
    await here.idempotency.claim("a", "mine", 60_000);
    expect(await there.idempotency.claim("a", "yours", 60_000)).toBe(undefined);
  });

  test("everything is under the prefix, in one slot for each server", async () => {
    const backend = await one();
    await backend.places.take("a", { max: 1, queue: 0, wait: 0 }, new AbortController());
    const keys = await allKeys();
    expect(keys.filter((key) => !key.startsWith("{gantry:contract%20"))).toEqual([]);
  });
});
