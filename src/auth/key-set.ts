/** Keys that their owner changes as it likes: fetched again in time, and never in the way of tokens that hold. */

import type { VerifySignature } from "./jose.ts";
import { unavailable } from "./refusals.ts";

/** Up to this age keys are used as they are. */
const FRESH = 300_000;
/** Up to this age they are used while they are fetched again; older ones wait for the answer. */
const USABLE = 900_000;
/** Up to this age they are used where nobody answers. */
const KEPT = 86_400_000;

/** How often tokens that no key verifies may have the keys fetched: so often at once, and once more in so many ms. */
const BURST = 2;
const REFILL = 15_000;
/** For one key id that is not there, once in so many ms; so many of them are remembered. */
const SAME_KEY = 60_000;
const REMEMBERED = 1_024;

/** The waits after fetches that failed, in ms: doubled each time. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

/**
 * A key set that is fetched. One fetch at a time serves all who wait. Where no key verifies a token, the owner may
 * have a new one, so the keys are fetched once more; what callers make up as key ids cannot cause many fetches,
 * and none of them is in the way of a token whose key is there.
 */
export class RemoteKeys {
  readonly #load: () => Promise<VerifySignature>;
  #keys: VerifySignature | undefined;
  #loadedAt = -Infinity;
  #pending: Promise<VerifySignature> | undefined;
  #failure: { readonly error: Error; readonly until: number; readonly wait: number } | undefined;
  #budget = BURST;
  #budgetAt = 0;
  readonly #missed = new Map<string, number>();

  constructor(load: () => Promise<VerifySignature>) {
    this.#load = load;
  }

  /** Whether a key of the set signed the token. Rejects where nobody can tell, for want of keys. */
  readonly verify: VerifySignature = async (token, header) => {
    let keys = await this.#current();
    // A fetch that is under way may have begun before the key was there: hence up to two.
    for (let fetches = 0; ; fetches++) {
      if (await keys(token, header)) {
        if (fetches > 0) this.#found(header.kid);
        return true;
      }
      const newer = fetches < 2 ? await this.#newer(keys, header.kid) : undefined;
      if (!newer) return false;
      keys = newer;
    }
  };

  async #current(): Promise<VerifySignature> {
    const age = Date.now() - this.#loadedAt;
    if (this.#keys && age < USABLE) {
      if (age >= FRESH) this.#fetch().catch(() => {});
      return this.#keys;
    }
    try {
      return await this.#fetch();
    } catch (error) {
      if (this.#keys && age < KEPT) return this.#keys;
      throw unavailable(error);
    }
  }

  /** Other keys than `keys`; `undefined` where there are none, or it is too early to ask. */
  async #newer(keys: VerifySignature, kid: string | undefined): Promise<VerifySignature | undefined> {
    if (this.#keys !== keys) return this.#keys;
    if (!this.#pending && !this.#mayAsk(kid ?? "")) return undefined;
    try {
      return await this.#fetch();
    } catch (error) {
      throw unavailable(error);
    }
  }

  #fetch(): Promise<VerifySignature> {
    if (this.#pending) return this.#pending;
    const { error, until = 0, wait = FIRST_WAIT / 2 } = this.#failure ?? {};
    if (Date.now() < until) return Promise.reject(error);
    const loading = this.#load().then(
      (keys) => {
        this.#keys = keys;
        this.#loadedAt = Date.now();
        this.#failure = this.#pending = undefined;
        return keys;
      },
      (reason: Error) => {
        const longer = Math.min(wait * 2, LONGEST_WAIT);
        this.#failure = { error: reason, until: Date.now() + longer, wait: longer };
        this.#pending = undefined;
        throw reason;
      },
    );
    this.#pending = loading;
    return loading;
  }

  #mayAsk(kid: string): boolean {
    const now = Date.now();
    if (now < (this.#missed.get(kid) ?? 0) + SAME_KEY) return false;
    this.#budget = Math.min(BURST, this.#budget + (now - this.#budgetAt) / REFILL);
    this.#budgetAt = now;
    if (this.#budget < 1) return false;
    this.#budget--;
    this.#missed.delete(kid);
    this.#missed.set(kid, now);
    const [oldest] = this.#missed.keys();
    if (this.#missed.size > REMEMBERED && oldest !== undefined) this.#missed.delete(oldest);
    return true;
  }

  /** New keys were there: that fetch was none too many. */
  #found(kid: string | undefined): void {
    if (this.#missed.delete(kid ?? "")) this.#budget = Math.min(BURST, this.#budget + 1);
  }
}
