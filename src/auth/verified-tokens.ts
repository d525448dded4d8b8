/** Tokens that are known to hold, kept for a moment: verifying costs more than most handlers. */

import { LRUCache } from "lru-cache";
import type { VerifiedIdentity } from "../core/calls/client.ts";

const MOST = 10_000;

interface Entry {
  readonly identity: VerifiedIdentity;
  /** In milliseconds since 1970. */
  readonly until: number;
}

/** Identities by the digest of their token; the token itself is not kept. */
export class VerifiedTokens {
  readonly #entries = new LRUCache<string, Entry>({ max: MOST });

  get(digest: string): VerifiedIdentity | undefined {
    const entry = this.#entries.get(digest);
    if (!entry) return undefined;
    if (Date.now() < entry.until) return entry.identity;
    this.#entries.delete(digest);
    return undefined;
  }

  /** Keeps an identity for `lifetime` milliseconds, and never longer than its token lives. */
  set(digest: string, identity: VerifiedIdentity, lifetime: number): void {
    const until = Math.min(Date.now() + lifetime, (identity.expiresAt ?? Infinity) * 1_000);
    if (until > Date.now()) this.#entries.set(digest, { identity, until });
  }
}
