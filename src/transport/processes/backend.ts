/** The stores that workers share, as a worker reaches them. */

import { memoryEventStore } from "../../core/sharing/events.ts";
import type {
  Backend,
  CacheRead,
  CircuitChange,
  CircuitRefusal,
  CircuitState,
  LimitVerdict,
} from "../../core/ports.ts";
import type { Watcher } from "./watcher.ts";

/** An attempt at a circuit, as it was lent. */
interface LentAttempt {
  readonly loan: number;
  readonly probe: boolean;
}

export function workerBackend(watcher: Watcher): Backend {
  const giveBack = (loan: number) => watcher.ask<void>("giveBack", loan).catch(() => {});
  return {
    limits: { charge: (charges) => watcher.ask<LimitVerdict>("limits.charge", charges) },
    cache: {
      read: (key, tags) => watcher.ask<CacheRead>("cache.read", key, tags),
      write: (key, value, stamp, lifetime) => watcher.ask("cache.write", key, value, stamp, lifetime),
      invalidate: (tags) => watcher.ask("cache.invalidate", tags),
      async claim(key, stamp) {
        const { loan, name } = await watcher.ask<{ loan?: number; name: string }>("cache.claim", key, stamp);
        return loan === undefined
          ? { ended: watcher.ask("cache.ended", name) }
          : { release: () => giveBack(loan) };
      },
    },
    idempotency: {
      claim: (key, record, lifetime) => watcher.ask("idempotency.claim", key, record, lifetime),
      replace: (key, claimed, record, lifetime) =>
        watcher.ask("idempotency.replace", key, claimed, record, lifetime),
      release: (key, claimed) => watcher.ask("idempotency.release", key, claimed),
    },
    places: {
      async take(key, limit, { signal }) {
        let loan: number | undefined;
        try {
          loan = await watcher.askFor<number | undefined>(signal, "places.take", key, limit);
        } catch (error) {
          throw signal.aborted ? signal.reason : error;
        }
        if (loan === undefined) return undefined;
        const place = { leave: () => void giveBack(loan) };
        if (!signal.aborted) return place;
        place.leave();
        throw signal.reason;
      },
    },
    circuits: {
      async enter(breaker, component, plan) {
        const entered = await watcher.ask<LentAttempt | CircuitRefusal>(
          "circuits.enter",
          breaker,
          component,
          plan,
        );
        if (!("loan" in entered)) return entered;
        const { loan, probe } = entered;
        return { probe, settle: (verdict) => watcher.ask<CircuitChange>("circuits.settle", loan, verdict) };
      },
      state: (breaker, component) => watcher.ask<CircuitState>("circuits.state", breaker, component),
      reset: (...which) => watcher.ask("circuits.reset", ...which),
    },
    eventBus: {
      publish: (event) => watcher.say({ gantry: "publish", event }),
      subscribe: (listener) => watcher.onEvent(listener),
    },
    // A session stays with the worker that opened it.
    eventStore: memoryEventStore(),
    open() {},
    probe: () => watcher.connected,
    close() {},
  };
}
