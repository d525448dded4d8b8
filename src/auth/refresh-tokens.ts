/** Refresh tokens that work once: each is replaced when it is used (OAuth 2.1, section 4.3.1). */

import { base64 } from "../core/values/base64.ts";
import { sha256 } from "./crypto.ts";

/** What a refresh token stands for. */
export interface Grant {
  readonly clientId: string;
  readonly scopes: readonly string[];
}

/** All refresh tokens that came of one grant, one after the other. */
interface Family {
  readonly grant: Grant;
  revoked: boolean;
}

interface Entry {
  readonly family: Family;
  readonly expiresAt: number;
  used: boolean;
}

/** So many are known at once, used ones among them; above, the oldest is forgotten. */
const MOST = 10_000;

/** A token is known by its digest alone. */
export class RefreshTokens {
  readonly #lifetime: number;
  readonly #entries = new Map<string, Entry>();

  /** @param lifetime - How long a token holds, in milliseconds. */
  constructor(lifetime: number) {
    this.#lifetime = lifetime;
  }

  /** The first token of a grant. */
  first(grant: Grant): string {
    return this.#issue({ grant, revoked: false });
  }

  /**
   * Takes a token, and gives what it stands for and a way to the next; `undefined` where it does not hold. One that
   * comes a second time was stolen, from or by whoever came first: then no token of its family holds any more.
   */
  take(token: string): { readonly grant: Grant; readonly next: () => string } | undefined {
    const entry = this.#entries.get(sha256(token));
    if (!entry || entry.expiresAt <= Date.now()) return undefined;
    const { family } = entry;
    if (entry.used) family.revoked = true;
    entry.used = true;
    return family.revoked ? undefined : { grant: family.grant, next: () => this.#issue(family) };
  }

  #issue(family: Family): string {
    const token = `rt_${base64(crypto.getRandomValues(new Uint8Array(32))).replace(/[+/=]/g, inUrls)}`;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < MOST) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(sha256(token), { family, expiresAt: Date.now() + this.#lifetime, used: false });
    return token;
  }
}

function inUrls(character: string): string {
  return character === "+" ? "-" : character === "/" ? "_" : "";
}
