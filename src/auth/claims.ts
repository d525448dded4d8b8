/** Claims: whether they hold, and whom they stand for (RFC 7519, section 4.1; RFC 9068; RFC 7662). */

import { VerifiedIdentity } from "../core/calls/client.ts";
import { milliseconds } from "../core/options/duration.ts";
import { type ClaimOptions, listed } from "./claim-options.ts";
import { Refused } from "./refusals.ts";

export type Claims = Readonly<Record<string, unknown>>;

/** Says what is wrong with claims; `undefined` where they hold. `now` is in milliseconds since 1970. */
export type ClaimCheck = (claims: Claims, now: number) => Refused | undefined;

/** The checks of times and of strings come before those of issuer and audience. */
export function claimCheck(
  { issuer, audience, leeway = "30s" }: ClaimOptions,
  { requireExp }: { readonly requireExp: boolean },
): ClaimCheck {
  const issuers = listed(issuer);
  const audiences = listed(audience);
  const tolerance = milliseconds(leeway, "leeway") / 1_000;
  return (claims, now) => {
    const { exp, nbf, iat, iss, sub, aud } = claims;
    if (exp === undefined && requireExp) return missingExp;
    for (const [name, time] of Object.entries({ exp, nbf, iat }))
      if (time !== undefined && !isTime(time)) return invalid(name);
    if (sub !== undefined && typeof sub !== "string") return invalid("sub");
    if (iss !== undefined && typeof iss !== "string") return invalid("iss");
    const audienceOf = typeof aud === "string" ? [aud] : (aud ?? []);
    if (!isTexts(audienceOf)) return invalid("aud");
    const seconds = now / 1_000;
    if (exp !== undefined && (exp as number) + tolerance <= seconds) return expired;
    if (nbf !== undefined && (nbf as number) - tolerance > seconds) return notYet;
    if (issuers && !issuers.includes(iss as string)) return wrongIssuer;
    if (audiences ? !audiences.some((each) => audienceOf.includes(each)) : aud !== undefined)
      return wrongAudience;
    return undefined;
  };
}

const missingExp = new Refused(
  "Token missing 'exp' (expiry) claim. Tokens without expiry are not accepted.",
  "Include an 'exp' claim when generating JWT tokens.",
);
const expired = new Refused("Token expired", "Request a new authentication token");
const notYet = new Refused("Token not yet valid");
const wrongIssuer = new Refused("Token issuer not accepted", "Request a token from the server's own issuer.");
const wrongAudience = new Refused("Token audience not accepted", "Request a token for this server.");

function invalid(claim: string): Refused {
  return new Refused(`Invalid '${claim}' claim`);
}

/** The last second of the year 9999. What lies beyond was meant in milliseconds, and would never expire. */
const LAST_TIME = 253_402_300_799;

function isTime(value: unknown): boolean {
  return typeof value === "number" && value <= LAST_TIME;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

/** Whom checked claims stand for. */
export function identityOf(
  claims: Claims,
  { rolesClaim = "roles", tenantClaim = "tenant_id" }: ClaimOptions,
): VerifiedIdentity {
  const { sub, client_id: client, iss, aud, exp } = claims;
  const tenant = claimAt(claims, tenantClaim);
  return new VerifiedIdentity({
    clientId: [sub, client].find(isNamed) ?? "unknown",
    roles: texts(claimAt(claims, rolesClaim)),
    // RFC 8693, section 4.2, has them as one text; providers write lists too, and call them `scp`.
    scopes: [...scopesIn(claims["scope"]), ...scopesIn(claims["scp"])],
    claims,
    issuer: iss as string | undefined,
    subject: sub as string | undefined,
    audience: texts(aud),
    tenantId: isNamed(tenant) ? tenant : undefined,
    expiresAt: exp as number | undefined,
  });
}

/** A claim by its name, which may have dots itself (`https://example.com/roles`), or by the path to it. */
function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const member of name.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, member)) return undefined;
    value = (value as Claims)[member];
  }
  return value;
}

function isNamed(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

/** One text is one value, and not its letters. */
function texts(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter(isNamed);
}

function scopesIn(value: unknown): readonly string[] {
  return typeof value === "string" ? value.split(" ").filter(isNamed) : texts(value);
}
