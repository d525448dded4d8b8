/** Bearer tokens, verified once for many requests (RFC 6750). */

import type { Credentials, VerifiedIdentity } from "../core/calls/client.ts";
import { sha256 } from "./crypto.ts";
import { Refused } from "./refusals.ts";
import type { VerifiedTokens } from "./verified-tokens.ts";

/** Longer tokens are refused unread. */
const LONGEST = 8_192;

/** Finds out whom a token stands for. */
export type VerifyToken = (token: string) => Promise<VerifiedIdentity | Refused>;

/**
 * Verifies bearer tokens. One that holds is kept for `lifetime` milliseconds and answered without a promise;
 * equal ones that arrive together are verified once; what does not hold is not kept.
 */
export function bearerTokens(verify: VerifyToken, lifetime: number) {
  let kept: VerifiedTokens | undefined;
  const pending = new Map<string, Promise<VerifiedIdentity | Refused>>();

  const verifyOnce = async (token: string, digest: string) => {
    try {
      kept ??= new (await import("./verified-tokens.ts")).VerifiedTokens();
      const verdict = await verify(token);
      if (!(verdict instanceof Refused)) kept.set(digest, verdict, lifetime);
      return verdict;
    } finally {
      pending.delete(digest);
    }
  };

  return ({ token }: Credentials): VerifiedIdentity | undefined | Promise<VerifiedIdentity> => {
    if (token === undefined) return undefined;
    if (token.length > LONGEST) throw tooLong.toError();
    const digest = sha256(token);
    const identity = kept?.get(digest);
    if (identity) return identity;
    let verdict = pending.get(digest);
    if (!verdict) pending.set(digest, (verdict = verifyOnce(token, digest)));
    return verdict.then(settle);
  };
}

function settle(verdict: VerifiedIdentity | Refused): VerifiedIdentity {
  if (verdict instanceof Refused) throw verdict.toError();
  return verdict;
}

const tooLong = new Refused(`Token too long: at most ${LONGEST} characters are read`);
