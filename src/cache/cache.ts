/** What is kept, and one run for all who want the same at the same time. */

import type { CacheClaim, CacheRead, CacheStore, Logger } from "../core/ports.ts";
import { after, isPromise } from "../core/values/promises.ts";
import type { CallEvent } from "../core/calls/observers.ts";

/** What is wanted, and how long it is kept; in milliseconds. */
export interface Wanted {
  /** The same for all who may have the same. */
  readonly key: string;
  readonly tags: readonly string[];
  readonly ttl: number;
  /** For how much longer it is given while a new one is made. */
  readonly stale: number;
  /** What it is a result of, as the log says it: one object for all its results. */
  readonly of: object;
}

/** How it is made where it is not kept. */
export interface Making<T> {
  run(): T | Promise<T>;
  /** As text for others. `undefined` where it is not for others; throws where it cannot be written. */
  pack(value: T): string | undefined;
  unpack(text: string): T;
  /** Whether a failure concerns this call alone. */
  isOwn(error: unknown): boolean;
  /** Whether it has been told to end, and why. */
  readonly cancelled?: { readonly reason: unknown } | undefined;
  /** Is told where the result comes from. */
  tell?(outcome: Origin): void;
  /** Calls `listener` when it is told to end. */
  onCancel?(listener: () => void): void;
  /** Has `task` done after the answer, with a making that does not end with this one. */
  later?(task: (making: Making<T>) => Promise<void>): void;
}

/** Where a result came from. */
export type Origin = Extract<CallEvent, { kind: "cache" }>["outcome"];

/**
 * What came of a run, for those who wait for it. `again`: it was told to end, and one of them has to run; `alone`: it is not for
 * others, and each of them has to.
 */
type Landing = { readonly text: string } | { readonly error: unknown } | "again" | "alone";

interface Flight {
  readonly landing: Promise<Landing>;
  readonly land: (landing: Landing) => void;
}

export class Cache {
  readonly #store: CacheStore;
  readonly #logger: Pick<Logger, "warn"> | undefined;
  readonly #flights = new Map<string, Flight>();
  /** What failed when it was last asked of the store: told once, until it is well again. */
  readonly #failing = new Set<string>();
  /** Of what results were too large to be kept: told once. */
  readonly #tooLarge = new WeakSet<object>();

  /** @param logger - Is told of a store that fails. */
  constructor(store: CacheStore, logger?: Pick<Logger, "warn">) {
    this.#store = store;
    this.#logger = logger;
  }

  /** Gives what is kept, what another call is making, or what `making` makes. Stays synchronous where nothing waits. */
  give<T>(wanted: Wanted, making: Making<T>): T | Promise<T> {
    return after(this.#read(wanted), (read) => {
      if (!read.entry) return this.#make(wanted, making, read);
      let value: T;
      try {
        value = making.unpack(read.entry.value);
      } catch (error) {
        this.#logger?.warn({ err: error }, "A kept result cannot be read: it is made anew");
        return this.#make(wanted, making, read);
      }
      const isStale = read.entry.expiresIn <= wanted.stale;
      making.tell?.(isStale ? "stale" : "hit");
      if (isStale) making.later?.((own) => this.#refresh(wanted, own));
      return value;
    });
  }

  /** Forgets all with one of these tags. */
  invalidate(tags: readonly string[]): void | Promise<void> {
    return this.#attempt(
      () => this.#store.invalidate(tags),
      undefined,
      "The cache could not be told of a change: what it keeps may be old",
    );
  }

  #make<T>(wanted: Wanted, making: Making<T>, { stamp }: Partial<CacheRead>): T | Promise<T> {
    // Who comes after a change is not to be given what is being made from before it.
    const name = `${stamp} ${wanted.key}`;
    if (making.cancelled) throw making.cancelled.reason;
    const flight = this.#flights.get(name);
    if (flight) return this.#join(flight, wanted, making);
    return this.#lead(name, stamp, wanted, making, () => making.tell?.("miss"));
  }

  async #join<T>(flight: Flight, wanted: Wanted, making: Making<T>): Promise<T> {
    const landing = await flight.landing;
    if (landing === "again") return this.give(wanted, making);
    if (making.cancelled) throw making.cancelled.reason;
    making.tell?.(landing === "alone" ? "miss" : "shared");
    if (landing === "alone") return making.run();
    if ("error" in landing) throw landing.error;
    return making.unpack(landing.text);
  }

  #lead<T>(
    name: string,
    stamp: string | undefined,
    wanted: Wanted,
    making: Making<T>,
    runs?: () => void,
  ): T | Promise<T> {
    if (stamp !== undefined && this.#store.claim) return this.#claim(name, stamp, wanted, making, runs);
    runs?.();
    const value = making.run();
    if (!isPromise(value)) {
      const text = this.#packed(making, value);
      const written = text === undefined ? undefined : this.#write(wanted, text, stamp);
      if (text !== undefined && isPromise(written)) this.#land(name, this.#depart(name), { text }, written);
      return value;
    }
    const flight = this.#depart(name);
    making.onCancel?.(() => this.#land(name, flight, "again"));
    return this.#fly(name, flight, stamp, wanted, making, value);
  }

  async #fly<T>(
    name: string,
    flight: Flight,
    stamp: string | undefined,
    wanted: Wanted,
    making: Making<T>,
    value: T | Promise<T>,
  ): Promise<T> {
    let made: T;
    try {
      made = await value;
    } catch (error) {
      this.#land(name, flight, making.isOwn(error) ? "alone" : { error });
      throw error;
    }
    const text = making.cancelled ? undefined : this.#packed(making, made);
    if (text === undefined) this.#land(name, flight, "alone");
    else this.#land(name, flight, { text }, this.#write(wanted, text, stamp));
    return made;
  }

  /** Makes it unless another process does; then its result is waited for. */
  async #claim<T>(
    name: string,
    stamp: string,
    wanted: Wanted,
    making: Making<T>,
    runs: (() => void) | undefined,
  ): Promise<T> {
    const flight = this.#depart(name);
    making.onCancel?.(() => this.#land(name, flight, "again"));
    const claim = await this.#attempt<CacheClaim | undefined>(
      () => this.#store.claim?.(wanted.key, stamp),
      undefined,
      "It could not be found out whether another process makes a result: the handler runs",
    );
    if (claim?.ended) {
      await claim.ended;
      this.#land(name, flight, "again");
      return this.give(wanted, making);
    }
    try {
      // Another may have written it between the look and the claim.
      if (claim && runs && (await this.#read(wanted)).entry) {
        this.#land(name, flight, "again");
        return await this.give(wanted, making);
      }
      if (making.cancelled) throw making.cancelled.reason;
      runs?.();
      // In a turn of its own: what is thrown lands too.
      return await this.#fly(name, flight, stamp, wanted, making, (async () => making.run())());
    } finally {
      // What was written is on its way before.
      if (claim) void this.#attempt(claim.release, undefined, "A claim could not be given up");
    }
  }

  #depart(name: string): Flight {
    let land: (landing: Landing) => void = () => {};
    const landing = new Promise<Landing>((resolve) => (land = resolve));
    const flight = { landing, land };
    this.#flights.set(name, flight);
    return flight;
  }

  /** Tells those who wait; others may still come until it is written. */
  #land(name: string, flight: Flight, landing: Landing, written?: void | Promise<void>): void {
    flight.land(landing);
    void after(written, () => {
      if (this.#flights.get(name) === flight) this.#flights.delete(name);
    });
  }

  async #refresh<T>(wanted: Wanted, making: Making<T>): Promise<void> {
    const { stamp, entry } = await this.#read(wanted);
    const name = `${stamp} ${wanted.key}`;
    // Another has done it, or is about to.
    if ((entry && entry.expiresIn > wanted.stale) || this.#flights.has(name)) return;
    await this.#lead(name, stamp, wanted, making);
  }

  #read({ key, tags }: Wanted): Partial<CacheRead> | Promise<Partial<CacheRead>> {
    return this.#attempt<Partial<CacheRead>>(
      () => this.#store.read(key, tags),
      {},
      "The cache could not be read: the handler runs",
    );
  }

  #write({ key, ttl, stale, of }: Wanted, text: string, stamp: string | undefined): void | Promise<void> {
    if (stamp === undefined) return undefined;
    const written = this.#attempt<boolean | void>(
      () => this.#store.write(key, text, stamp, ttl + stale),
      undefined,
      "The cache could not be written",
    );
    return after(written, (kept) => {
      if (kept !== false || this.#tooLarge.has(of)) return;
      this.#tooLarge.add(of);
      this.#logger?.warn(
        { ...of, characters: text.length },
        "A result is too large to be kept: it is made for each call",
      );
    });
  }

  #packed<T>(making: Making<T>, value: T): string | undefined {
    try {
      return making.pack(value);
    } catch (error) {
      this.#logger?.warn({ err: error }, "A result cannot be kept");
      return undefined;
    }
  }

  /** A store that fails makes calls slower, and fails none. */
  #attempt<T>(work: () => T | Promise<T>, otherwise: T, message: string): T | Promise<T> {
    const succeeded = (result: T): T => {
      this.#failing.delete(message);
      return result;
    };
    const failed = (error: unknown): T => {
      if (!this.#failing.has(message)) this.#logger?.warn({ err: error }, message);
      this.#failing.add(message);
      return otherwise;
    };
    try {
      const result = work();
      return isPromise(result) ? result.then(succeeded, failed) : succeeded(result);
    } catch (error) {
      return failed(error);
    }
  }
}
