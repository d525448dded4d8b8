/** Tokens for tests: signed claims, and what verifies them. */

import { createHmac, timingSafeEqual } from "node:crypto";
import { AuthenticationError, type Authenticator } from "gantry-mcp";

export interface Claims {
  readonly sub?: string;
  readonly client_id?: string;
  readonly iss?: string;
  readonly roles?: readonly string[];
  readonly scope?: string | readonly string[];
  readonly tenant_id?: string;
  readonly [claim: string]: unknown;
}

const SECRET = "a secret of these tests, which knows no other";

/** A signed token, good for `lifetime` seconds. */
export function issue(claims: Claims, lifetime = 3_600): string {
  const now = Date.now() / 1_000;
  const payload = Buffer.from(JSON.stringify({ iat: now, exp: now + lifetime, ...claims })).toString(
    "base64url",
  );
  return `${payload}.${sign(payload)}`;
}

/** Knows the tokens of {@link issue}. */
export const tokens: Authenticator = {
  authenticate: ({ token }) => {
    if (token === undefined) return undefined;
    const [payload = "", signature = ""] = token.split(".");
    const expected = Buffer.from(sign(payload));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new AuthenticationError("Invalid JWT signature");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Claims & { exp: number };
    if (claims.exp * 1_000 <= Date.now()) throw new AuthenticationError("Token expired");
    const { scope = [] } = claims;
    return {
      clientId: claims.sub ?? claims.client_id ?? "unknown",
      roles: claims.roles ?? [],
      scopes: typeof scope === "string" ? scope.split(" ") : scope,
      claims,
      issuer: claims.iss,
      subject: claims.sub,
      tenantId: claims.tenant_id,
      expiresAt: claims.exp,
    };
  },
};

function sign(payload: string): string {
  return createHmac("sha256", SECRET).update(payload).digest("base64url");
}
