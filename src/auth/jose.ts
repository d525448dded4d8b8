/** Signatures of JWTs, by jose: the one file that imports it, loaded with the first token. */

import { JWKSMultipleMatchingKeys } from "jose/errors";
import { createLocalJWKSet } from "jose/jwks/local";
import { CompactSign } from "jose/jws/compact/sign";
import { compactVerify } from "jose/jws/compact/verify";
import { importJWK } from "jose/key/import";
import type { PublicJwk } from "./crypto.ts";
import type { JwtHeader } from "./jwt-form.ts";

/** Whether the signature of a token holds. Never rejects for what a token is. */
export type VerifySignature = (token: string, header: JwtHeader) => Promise<boolean>;

type Key = Parameters<typeof compactVerify>[1];

async function holds(token: string, key: Key, { alg }: JwtHeader): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [alg] });
    return true;
  } catch {
    // Another key, another algorithm, no signature at all: it does not hold, and why is nobody's business.
    return false;
  }
}

async function hmacKey(secret: Uint8Array, usage: "sign" | "verify") {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", new Uint8Array(secret), algorithm, false, [usage]);
}

/** Signatures by a shared secret (HS256). */
export async function secretVerifier(secret: Uint8Array): Promise<VerifySignature> {
  const key = await hmacKey(secret, "verify");
  return (token, header) => holds(token, key, header);
}

/** Signatures by one key pair. */
export async function publicKeyVerifier(
  jwk: PublicJwk,
  algorithms: readonly string[],
): Promise<VerifySignature> {
  const keys = new Map<string, Key>();
  for (const alg of algorithms) keys.set(alg, (await importJWK({ ...jwk }, alg)) as Key);
  return async (token, header) => {
    const key = keys.get(header.alg);
    return key !== undefined && holds(token, key, header);
  };
}

/** Signatures by the keys of a set (RFC 7517, section 5). Throws where `jwks` is none. */
export function keySetVerifier(jwks: object): VerifySignature {
  const find = createLocalJWKSet(jwks as Parameters<typeof createLocalJWKSet>[0]);
  return async (token, header) => {
    try {
      return await holds(token, await find({ ...header, kid: header.kid as string }), header);
    } catch (error) {
      if (!(error instanceof JWKSMultipleMatchingKeys)) return false;
      for await (const key of error) if (await holds(token, key, header)) return true;
      return false;
    }
  };
}

/** Signs claims with a shared secret (HS256). */
export async function sign(claims: object, secret: Uint8Array): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(await hmacKey(secret, "sign"));
}
