/** Redis that is more than one server, or that encrypts: what becomes of a backend when one of them goes. */

import type { Backend } from "gantry-mcp";
import { expect, onTestFinished, test } from "vitest";
import { capturedLog } from "../support/captured-log.ts";
import { isReady, openBackend } from "../support/redis-backend.ts";
import { RedisCluster, RedisWithSentinel, encryptedRedis } from "../support/redis-topologies.ts";

const LIMIT = { algorithm: "sliding-window", quota: 3, window: 600_000, burst: 3 } as const;
const charge = (backend: Backend) =>
  Promise.resolve(backend.limits.charge([{ key: "a", limit: LIMIT, cost: 1 }])).then(
    ({ allowed }) => (allowed ? "counted" : "refused"),
    ({ code }: { code: string }) => code,
  );

test("where Sentinel puts a replica in the primary's place, servers go on with it, and with what was counted", async () => {
  const watched = await RedisWithSentinel.start();
  onTestFinished(() => watched.stop());
  const connection = { sentinels: [{ host: "127.0.0.1", port: watched.port }], name: "main" };
  const [here, there] = [await openBackend({ connection }), await openBackend({ connection })];
  const heard: unknown[] = [];
  there.eventBus.subscribe((event) => heard.push(event));
  expect([await charge(here), await charge(there)]).toEqual(["counted", "counted"]);
  // What is not replicated when the primary goes is lost with it.
  await watched.primary.client.set("last", "1");
  expect(await watched.primary.client.wait(1, 5_000)).toBe(1);

  await watched.primary.kill();
  await expect.poll(() => isReady(here), { timeout: 2_000, interval: 20 }).toBe(false);
  expect(await charge(here)).toBe("BACKEND_UNAVAILABLE");
  for (const backend of [here, there])
    await expect.poll(() => isReady(backend), { timeout: 15_000, interval: 50 }).toBe(true);
  expect([await charge(there), await charge(here)]).toEqual(["counted", "refused"]);
  await here.eventBus.publish({ kind: "resource_updated", uri: "tasks://1" });
  await expect
    .poll(() => heard, { timeout: 5_000 })
    .toContainEqual({ kind: "resource_updated", uri: "tasks://1" });
}, 40_000);

test("where a node of a cluster goes, servers that have their slot there are not ready until it is back", async () => {
  const cluster = await RedisCluster.start();
  const client = cluster.connect();
  onTestFinished(async () => {
    client.disconnect();
    await cluster.stop();
  });
  const backend = await openBackend({ client, allowPlaintext: "It is on this machine." });
  expect(await charge(backend)).toBe("counted");
  const keys = await Promise.all(cluster.nodes.map((node) => node.client.keys("{gantry:test}*")));
  const node = cluster.nodes[keys.findIndex((each) => each.length > 0)];
  if (!node) throw new Error("No node has the server's slot.");

  await node.kill();
  await expect.poll(() => isReady(backend), { timeout: 5_000, interval: 20 }).toBe(false);
  expect(await charge(backend)).toBe("BACKEND_UNAVAILABLE");
  await node.start();
  await expect.poll(() => isReady(backend), { timeout: 10_000, interval: 50 }).toBe(true);
  expect(await charge(backend)).toBe("counted");
}, 40_000);

test("a certificate that nobody vouches for is not trusted, and the log says so", async () => {
  const { server, url } = await encryptedRedis();
  onTestFinished(() => server.stop());
  const log = capturedLog();
  const backend = await openBackend({ url }, log);
  expect(isReady(backend)).toBe(false);
  expect(JSON.stringify(log.entries())).toContain("self-signed certificate");
});
