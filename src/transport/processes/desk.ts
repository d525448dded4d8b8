/** Where workers find what they share: in the process that watches over them. */

import type {
  CacheStore,
  CircuitAttempt,
  CircuitStore,
  CircuitVerdict,
  IdempotencyStore,
  LimitStore,
  PlaceLimit,
} from "../../core/ports.ts";
import type { SharedStores } from "../../core/sharing/stores.ts";
import type { WorkersPage } from "./metrics-pages.ts";
import type { FromWorker, Question, ToWorker } from "./messages.ts";

/** What all workers share. */
export interface Shared {
  readonly stores: SharedStores;
  /** Seals what travels with questions: the answer may reach another worker. */
  readonly stateKey: string;
  /** What is being made for the cache, by any worker. */
  readonly making: Map<string, Promise<void>>;
  /** The metrics of all workers. */
  readonly pages: () => Promise<readonly WorkersPage[]>;
}

/** Something lent to a worker. */
interface Loan {
  /** Takes it back, also from a worker that has ended. */
  readonly giveBack: () => unknown;
  readonly attempt?: CircuitAttempt;
}

/** Answers one worker, and takes back what it was lent when it ends. */
export class Desk {
  readonly #shared: Shared;
  readonly #tell: (message: ToWorker) => void;
  readonly #loans = new Map<number, Loan>();
  readonly #asking = new Map<number, AbortController>();
  readonly #unsubscribe: () => void;
  #last = 0;
  #closed = false;

  constructor(shared: Shared, tell: (message: ToWorker) => void) {
    this.#shared = shared;
    this.#tell = tell;
    this.#unsubscribe = shared.stores.eventBus.subscribe((event) => tell({ gantry: "event", event }));
  }

  /** Hears what concerns the stores. */
  hear(message: FromWorker): void {
    if (message.gantry === "ask") void this.#answer(message.id, message.what, message.args);
    else if (message.gantry === "withdraw") this.#asking.get(message.id)?.abort();
    else if (message.gantry === "publish") void this.#shared.stores.eventBus.publish(message.event);
  }

  /** The worker has ended. */
  close(): void {
    this.#closed = true;
    this.#unsubscribe();
    for (const asking of this.#asking.values()) asking.abort();
    for (const { giveBack } of this.#loans.values()) void giveBack();
    this.#loans.clear();
  }

  async #answer(id: number, what: Question, args: readonly unknown[]): Promise<void> {
    const asking = new AbortController();
    this.#asking.set(id, asking);
    try {
      this.#tell({ gantry: "answer", id, value: await this.#ask(what, args, asking.signal) });
    } catch (error) {
      this.#tell({ gantry: "answer", id, failed: error instanceof Error ? error.message : String(error) });
    } finally {
      this.#asking.delete(id);
    }
  }

  #ask(what: Question, args: readonly unknown[], signal: AbortSignal): unknown {
    const { stateKey, making, pages, stores } = this.#shared;
    const { limits, cache, idempotency, circuits } = stores;
    switch (what) {
      case "stateKey":
        return stateKey;
      case "pages":
        return pages();
      case "limits.charge":
        return limits.charge(...(args as Parameters<LimitStore["charge"]>));
      case "cache.read":
        return cache.read(...(args as Parameters<CacheStore["read"]>));
      case "cache.write":
        return cache.write(...(args as Parameters<CacheStore["write"]>));
      case "cache.invalidate":
        return cache.invalidate(...(args as Parameters<CacheStore["invalidate"]>));
      case "cache.claim":
        return this.#claim(...(args as [key: string, stamp: string]));
      case "cache.ended":
        return making.get(args[0] as string);
      case "idempotency.claim":
        return idempotency.claim(...(args as Parameters<IdempotencyStore["claim"]>));
      case "idempotency.replace":
        return idempotency.replace(...(args as Parameters<IdempotencyStore["replace"]>));
      case "idempotency.release":
        return idempotency.release(...(args as Parameters<IdempotencyStore["release"]>));
      case "places.take":
        return this.#take(...(args as [key: string, limit: PlaceLimit]), signal);
      case "circuits.enter":
        return this.#enter(...(args as Parameters<CircuitStore["enter"]>));
      case "circuits.settle":
        return this.#settle(...(args as [loan: number, verdict: CircuitVerdict]));
      case "circuits.state":
        return circuits.state(...(args as Parameters<CircuitStore["state"]>));
      case "circuits.reset":
        return circuits.reset(...(args as Parameters<CircuitStore["reset"]>));
      case "giveBack":
        return this.#loan(args[0] as number)?.giveBack();
    }
  }

  /** Lends the right to make what the cache lacks, where nobody has it. */
  #claim(key: string, stamp: string): { readonly loan?: number; readonly name: string } {
    const { making } = this.#shared;
    const name = `${stamp} ${key}`;
    if (making.has(name)) return { name };
    let ended = () => {};
    making.set(name, new Promise((resolve) => (ended = resolve)));
    const giveBack = () => {
      making.delete(name);
      ended();
    };
    return { loan: this.#lend({ giveBack }), name };
  }

  async #take(key: string, limit: PlaceLimit, signal: AbortSignal): Promise<number | undefined> {
    const place = await this.#shared.stores.places.take(key, limit, { signal });
    return place && this.#lend({ giveBack: () => place.leave() });
  }

  async #enter(...args: Parameters<CircuitStore["enter"]>): Promise<object> {
    const entered = await this.#shared.stores.circuits.enter(...args);
    if (!("settle" in entered)) return entered;
    const loan = this.#lend({ attempt: entered, giveBack: () => entered.settle("neither") });
    return { loan, probe: entered.probe };
  }

  async #settle(loan: number, verdict: CircuitVerdict): Promise<unknown> {
    return this.#loan(loan)?.attempt?.settle(verdict);
  }

  #lend(loan: Loan): number {
    const number = ++this.#last;
    if (this.#closed) void loan.giveBack();
    else this.#loans.set(number, loan);
    return number;
  }

  #loan(number: number): Loan | undefined {
    const loan = this.#loans.get(number);
    this.#loans.delete(number);
    return loan;
  }
}
