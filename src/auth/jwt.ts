/** Callers identified by JSON Web Tokens (RFC 7519, RFC 8725, RFC 9068). */

import type { Authenticator } from "../core/calls/client.ts";
import { milliseconds } from "../core/options/duration.ts";
import { ConfigurationError } from "../core/errors.ts";
import type { JwtIssuer } from "../core/identity/tokens.ts";
import { type VerifyToken, bearerTokens } from "./bearer.ts";
import { listed } from "./claim-options.ts";
import { claimCheck, identityOf } from "./claims.ts";
import type { VerifySignature } from "./jose.ts";
import { badSignature, readClaims, readHeader } from "./jwt-form.ts";
import { type JwtOptions, type JwtSecretOptions, type JwtSettings, readJwtOptions } from "./jwt-options.ts";
import type { KeySource } from "./jwt-keys.ts";
import { RemoteKeys } from "./key-set.ts";
import { Refused } from "./refusals.ts";
import { discover, endpointIn, fetchJson } from "./remote-json.ts";

/** Tokens that were verified are believed for so long, in milliseconds: a minute, and never past their `exp`. */
const BELIEVED = 60_000;

/**
 * Identifies callers by JWTs in the `Authorization` header, signed with exactly one of: a `secret` (HS256), a
 * `publicKey`, one of the keys at a `jwksUri`, one of the keys of the issuer at `discovery`.
 *
 * A token needs `exp`; `nbf`, and `iss` and `aud` where they are configured, must hold. The algorithm is never the
 * token's choice, keys that a token brings along are never used, and tokens that declare another type than `JWT` or
 * `at+jwt` are refused. Key sets are fetched when a token needs them and, while tokens come, every five minutes, in
 * the background; they are used for up to a day while nobody answers. Where no keys are known, calls fail as
 * retryable. Nothing is fetched from redirects, for longer than 5 s, or more than 256 KiB.
 *
 * Callers get `sub` as `clientId` (else `client_id`, else `"unknown"`), roles from `rolesClaim`, scopes from `scope`
 * and `scp`, the tenant from `tenantClaim`. A verified token is believed for a minute, and never past its `exp`.
 *
 * @throws {@link ConfigurationError} where options contradict each other, or a key or secret is none.
 * @example
 * ```ts
 * const jwt = jwtAuth({ secret: process.env.JWT_SECRET!, issuer: "https://id.example.com", audience: "https://tasks.example.com/mcp" });
 * server.use(authenticate(jwt));
 *
 * server.use(authenticate(jwtAuth({
 *   discovery: "https://id.example.com/realms/main",
 *   audience: "https://tasks.example.com/mcp",
 *   rolesClaim: "realm_access.roles",
 * })));
 * ```
 */
export function jwtAuth(options: JwtSecretOptions): JwtIssuer;
export function jwtAuth(options: JwtOptions): Authenticator;
export function jwtAuth(options: JwtOptions): Authenticator {
  const settings = readJwtOptions(options);
  const { source, problems } = settings;
  const authenticator = { authenticate: bearerTokens(tokenVerifier(settings), BELIEVED), problems };
  if (source.kind !== "secret") return authenticator;
  const signing: JwtIssuer = { ...authenticator, issue: issuer(source.secret, settings) };
  return signing;
}

function tokenVerifier({ source, algorithms, claims: options }: JwtSettings): VerifyToken {
  const check = claimCheck(options, { requireExp: true });
  let verifySignature: Promise<VerifySignature> | undefined;
  return async (token) => {
    const header = readHeader(token, algorithms);
    if (header instanceof Refused) return header;
    const verify = await (verifySignature ??= signatureVerifier(source, algorithms));
    if (!(await verify(token, header))) return badSignature;
    // What is not signed is not even read.
    const claims = readClaims(token);
    if (claims instanceof Refused) return claims;
    return check(claims, Date.now()) ?? identityOf(claims, options);
  };
}

async function signatureVerifier(source: KeySource, algorithms: readonly string[]): Promise<VerifySignature> {
  const jose = await import("./jose.ts");
  switch (source.kind) {
    case "secret":
      return jose.secretVerifier(source.secret);
    case "publicKey":
      return jose.publicKeyVerifier(source.jwk, algorithms);
    case "jwksUri":
      return new RemoteKeys(async () => jose.keySetVerifier(await fetchJson(source.url))).verify;
    case "discovery":
      return new RemoteKeys(async () => {
        const metadata = await discover(source.issuer);
        return jose.keySetVerifier(await fetchJson(endpointIn(metadata, "jwks_uri")));
      }).verify;
  }
}

const HOUR = 3_600_000;

function issuer(
  secret: Uint8Array,
  { claims: { issuer: iss, audience: aud } }: JwtSettings,
): JwtIssuer["issue"] {
  const [firstIssuer] = listed(iss) ?? [];
  return async (claims, { expiresIn = HOUR } = {}) => {
    const now = Math.floor(Date.now() / 1_000);
    const lifetime = Math.floor(milliseconds(expiresIn, "issue(): expiresIn") / 1_000);
    if (lifetime < 1)
      throw new ConfigurationError('issue(): expiresIn is less than a second: write a time such as "1h".');
    const { sign } = await import("./jose.ts");
    return sign(
      {
        ...claims,
        ...(firstIssuer !== undefined && { iss: firstIssuer }),
        ...(aud !== undefined && { aud }),
        iat: now,
        exp: now + lifetime,
      },
      secret,
    );
  };
}
