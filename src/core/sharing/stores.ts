/** Where a server keeps what processes may share: where its options say, in its backend, or in this process. */

import type { Middleware } from "../calls/compose.ts";
import { memoryEventBus } from "./events.ts";
import type { Lifecycle } from "../operations/lifecycle.ts";
import { isLimiting } from "../components/limits.ts";
import type { MCPServerOptions } from "../server-options.ts";
import type {
  Backend,
  CacheStore,
  CircuitStore,
  EventBus,
  EventStore,
  IdempotencyStore,
  LimitStore,
  Logger,
  PlaceStore,
} from "../ports.ts";

/** What processes of one machine share. Sessions stay with one of them, and so do their messages. */
export type SharedStores = Omit<Backend, "eventStore" | "open" | "probe" | "close">;

/** What is `undefined` is kept in this process. */
export class Stores {
  readonly #options: MCPServerOptions;
  readonly #lifecycle: Lifecycle;
  readonly #logger: () => Promise<Logger>;
  readonly #memoryBus: EventBus = memoryEventBus();
  #backend: Backend | undefined;

  constructor(options: MCPServerOptions, lifecycle: Lifecycle, logger: () => Promise<Logger>) {
    this.#options = options;
    this.#lifecycle = lifecycle;
    this.#logger = logger;
    if (options.backend) this.shareBy(options.backend);
  }

  /** Whether processes share anything. */
  get areShared(): boolean {
    return this.#backend !== undefined;
  }

  get eventBus(): EventBus {
    return this.#options.eventBus ?? this.#backend?.eventBus ?? this.#memoryBus;
  }

  get eventStore(): EventStore | undefined {
    return this.#backend?.eventStore;
  }

  get limits(): LimitStore | undefined {
    return this.#options.limits?.store ?? this.#backend?.limits;
  }

  get places(): PlaceStore | undefined {
    return this.#backend?.places;
  }

  get circuits(): CircuitStore | undefined {
    return this.#backend?.circuits;
  }

  get cache(): CacheStore | undefined {
    return this.#options.cache?.store ?? this.#backend?.cache;
  }

  get idempotency(): IdempotencyStore | undefined {
    return this.#options.idempotency?.store ?? this.#backend?.idempotency;
  }

  /**
   * Keeps in `backend` what options do not place elsewhere, unless they name one: it is opened first, closed last, and probed.
   * Before the start.
   */
  shareBy(backend: Backend): void {
    if (this.#backend) return;
    this.#backend = backend;
    const { name } = this.#options;
    this.#lifecycle.around(
      async () => backend.open({ name, logger: await this.#logger() }),
      () => backend.close(),
    );
    this.#lifecycle.addProbe("backend", () => backend.probe());
  }

  /** Tells layers that can be asked beside calls where they count. */
  tell(layers: readonly Middleware[]): void {
    if (!this.#backend) return;
    for (const layer of layers) if (isLimiting(layer)) layer.limiting.share?.(this.#backend);
  }
}
