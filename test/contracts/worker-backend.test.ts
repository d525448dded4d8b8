/** Stores as workers reach them, by messages: the contracts. */

import {
  type Backend,
  memoryCache,
  memoryCircuitStore,
  memoryEventBus,
  memoryIdempotencyStore,
  memoryLimitStore,
  memoryPlaceStore,
} from "gantry-mcp";
import { describe, expect, test } from "vitest";
import { Desk, type Shared } from "../../src/transport/processes/desk.ts";
import type { FromWorker, ToWorker } from "../../src/transport/processes/messages.ts";
import { workerBackend } from "../../src/transport/processes/backend.ts";
import { Watcher } from "../../src/transport/processes/watcher.ts";
import { cacheStoreContract } from "./cache-store.ts";
import { circuitStoreContract } from "./circuit-store.ts";
import { eventBusContract } from "./event-bus.ts";
import { idempotencyStoreContract } from "./idempotency-store.ts";
import { limitStoreContract } from "./limit-store.ts";
import { placeStoreContract } from "./place-store.ts";

/** Messages arrive later, as text. */
const carried = <M>(message: M, deliver: (message: M) => void) =>
  setImmediate(() => deliver(JSON.parse(JSON.stringify(message)) as M));

function sharing() {
  let now = 1_000_000;
  const clock = { now: () => now };
  const shared: Shared = {
    stores: {
      limits: memoryLimitStore(clock),
      places: memoryPlaceStore(),
      circuits: memoryCircuitStore(clock),
      cache: memoryCache(clock),
      idempotency: memoryIdempotencyStore(clock),
      eventBus: memoryEventBus(),
    },
    stateKey: "",
    making: new Map(),
    pages: () => Promise.resolve([]),
  };
  const worker = () => {
    let connected = true;
    const watcher = new Watcher(0, {
      get connected() {
        return connected;
      },
      send: (message) => carried<FromWorker>(message, (heard) => desk.hear(heard)),
      close: () => {},
    });
    const desk = new Desk(shared, (message) => carried<ToWorker>(message, (heard) => watcher.hear(heard)));
    const die = () => {
      connected = false;
      desk.close();
      watcher.lost();
    };
    return { backend: workerBackend(watcher), die };
  };
  return { worker, advance: (milliseconds: number) => void (now += milliseconds) };
}

function under<S extends keyof Backend>(part: S) {
  return () => {
    const { worker, advance } = sharing();
    return { store: worker().backend[part], advance };
  };
}

limitStoreContract("a worker", under("limits"));
cacheStoreContract("a worker", under("cache"));
idempotencyStoreContract("a worker", under("idempotency"));
circuitStoreContract("a worker", under("circuits"));
placeStoreContract("a worker", () => under("places")().store);
eventBusContract("workers", () => {
  const { worker } = sharing();
  return [worker().backend.eventBus, worker().backend.eventBus];
});

describe("what a worker has when it dies", () => {
  const nobody = () => ({ signal: new AbortController().signal });

  test("places are free for others, also those that it waited for", async () => {
    const { worker } = sharing();
    const [one, other] = [worker(), worker()];
    const limit = { max: 1, queue: 2, wait: 5_000 };
    await one.backend.places.take("a", limit, nobody());
    const waiting = one.backend.places.take("a", limit, nobody());
    const next = other.backend.places.take("a", limit, nobody());
    one.die();
    await expect(waiting).rejects.toThrow("has ended");
    expect(await next).toHaveProperty("leave");
  });

  test("its turns in a queue are others'", async () => {
    const { worker } = sharing();
    const [one, other] = [worker(), worker()];
    const limit = { max: 1, queue: 1, wait: 20_000 };
    const held = await other.backend.places.take("a", limit, nobody());
    const waiting = one.backend.places.take("a", limit, nobody());
    expect(await other.backend.places.take("a", limit, nobody())).toBe(undefined);
    one.die();
    await expect(waiting).rejects.toThrow("has ended");
    const next = other.backend.places.take("a", limit, nobody());
    held?.leave();
    expect(await next).toHaveProperty("leave");
  });

  test("the right to make what the cache lacks is another's", async () => {
    const { worker } = sharing();
    const [one, other] = [worker(), worker()];
    await one.backend.cache.claim?.("a", "0");
    const claim = await other.backend.cache.claim?.("a", "0");
    one.die();
    await claim?.ended;
    expect(await other.backend.cache.claim?.("a", "0")).toHaveProperty("release");
  });

  test("a probe is tried by another", async () => {
    const { worker, advance } = sharing();
    const [one, other] = [worker(), worker()];
    const plan = { failures: 1, recovery: 1_000 };
    const attempt = await one.backend.circuits.enter("main", "a", plan);
    await ("settle" in attempt ? attempt.settle("failure") : undefined);
    advance(1_000);
    expect(await one.backend.circuits.enter("main", "a", plan)).toMatchObject({ probe: true });
    expect(await other.backend.circuits.enter("main", "a", plan)).toHaveProperty("wait");
    one.die();
    expect(await other.backend.circuits.enter("main", "a", plan)).toMatchObject({ probe: true });
  });
});

test("metrics of several processes stand on one page, each series with its worker", async () => {
  const { joinPages } = await import("../../src/transport/processes/metrics-pages.ts");
  const page = (count: number) =>
    `# HELP calls_total Calls.\n# TYPE calls_total counter\ncalls_total{kind="tool"} ${count}\n# HELP up Up.\n# TYPE up gauge\nup 1\n`;
  expect(
    joinPages([
      { worker: 1, page: page(3) },
      { worker: 2, page: page(4) },
    ]),
  ).toBe(
    '# HELP calls_total Calls.\n# TYPE calls_total counter\ncalls_total{worker="1",kind="tool"} 3\ncalls_total{worker="2",kind="tool"} 4\n# HELP up Up.\n# TYPE up gauge\nup{worker="1"} 1\nup{worker="2"} 1\n',
  );
});
