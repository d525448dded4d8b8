/** The keys that sign JWTs: where they come from, which algorithms they serve, and which are refused. */

import { ConfigurationError } from "../core/errors.ts";
import { safeUrl } from "./claim-options.ts";
import { type PublicJwk, readPublicKey } from "./crypto.ts";

/** The algorithms of signatures by a key pair (RFC 7518, section 3.1; RFC 8037; RFC 9864). */
export type JwtAlgorithm =
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512"
  | "ES256"
  | "ES384"
  | "ES512"
  | "EdDSA"
  | "Ed25519";

/** Where the keys come from, checked. */
export type KeySource =
  | { readonly kind: "secret"; readonly secret: Uint8Array }
  | { readonly kind: "publicKey"; readonly jwk: PublicJwk }
  | { readonly kind: "jwksUri"; readonly url: string }
  | { readonly kind: "discovery"; readonly issuer: string };

export const KEY_SOURCES = ["secret", "publicKey", "jwksUri", "discovery"] as const;

/** Reads the key source `kind`. Throws a {@link ConfigurationError}; no message has a secret or key. */
export function readSource(kind: (typeof KEY_SOURCES)[number], value: unknown): KeySource {
  switch (kind) {
    case "secret":
      return { kind, secret: readSecret(value) };
    case "publicKey":
      return { kind, jwk: readKey(value) };
    case "jwksUri":
      return { kind, url: safeUrl("jwtAuth(): jwksUri", value) };
    case "discovery":
      return { kind, issuer: safeUrl("jwtAuth(): discovery", value) };
  }
}

const SHORTEST = 32;

function readSecret(value: unknown): Uint8Array {
  const secret = typeof value === "string" ? new TextEncoder().encode(value) : value;
  if (!(secret instanceof Uint8Array)) {
    throw new ConfigurationError(
      "jwtAuth(): secret is not a string. Is its environment variable set? jwtAuth({ secret: process.env.JWT_SECRET })",
    );
  }
  if (secret.length < SHORTEST) {
    throw new ConfigurationError(
      `jwtAuth(): secret has ${secret.length} bytes, and HS256 needs at least ${SHORTEST}: openssl rand -base64 32.`,
    );
  }
  // A public key is no secret: whoever knows it could sign (CVE-2026-34950 and its kin).
  const text = new TextDecoder().decode(secret);
  if (text.includes("-----BEGIN") || /"kty"\s*:/.test(text)) {
    throw new ConfigurationError(
      "jwtAuth(): secret holds a key in PEM or JWK form. A public key belongs to publicKey: jwtAuth({ publicKey }).",
    );
  }
  return secret.slice();
}

function readKey(value: unknown): PublicJwk {
  const isPrivate =
    typeof value === "string"
      ? value.includes("PRIVATE KEY")
      : typeof value === "object" && value !== null && ("d" in value || "k" in value);
  if (isPrivate) {
    throw new ConfigurationError(
      "jwtAuth(): publicKey holds a private or secret key. Give the server the public half alone: openssl pkey -pubout.",
    );
  }
  let jwk;
  try {
    jwk = readPublicKey(value as PublicJwk);
  } catch {
    throw new ConfigurationError(
      'jwtAuth(): publicKey cannot be read: write PEM ("-----BEGIN PUBLIC KEY-----") or a JSON Web Key.',
    );
  }
  if (jwk.kty === "RSA" && typeof jwk["n"] === "string" && jwk["n"].length < RSA_2048) {
    throw new ConfigurationError(
      "jwtAuth(): publicKey is an RSA key of less than 2048 bits: take a longer one (RFC 7518, section 3.3).",
    );
  }
  return jwk;
}

/** The base64url characters of a modulus of 2048 bits. */
const RSA_2048 = 342;

const RSA: readonly JwtAlgorithm[] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const ED25519: readonly JwtAlgorithm[] = ["EdDSA", "Ed25519"];
const CURVES: Readonly<Record<string, JwtAlgorithm>> = {
  "P-256": "ES256",
  "P-384": "ES384",
  "P-521": "ES512",
};
const ALL: readonly JwtAlgorithm[] = [...RSA, "ES256", "ES384", "ES512", ...ED25519];

/** The algorithms that a key serves; the first of RSA's is the default, and all names of the others. */
function algorithmsOf({ kty, crv = "", alg }: PublicJwk): readonly string[] {
  const fitting = kty === "RSA" ? RSA : kty === "EC" ? [CURVES[crv] ?? ""] : crv === "Ed25519" ? ED25519 : [];
  return alg === undefined ? fitting : fitting.filter((each) => each === alg);
}

/** The algorithms that are accepted: `given`, or those of the key. */
export function readAlgorithms(source: KeySource, given: unknown): readonly string[] {
  if (source.kind === "secret") return ["HS256"];
  const possible = source.kind === "publicKey" ? algorithmsOf(source.jwk) : ALL;
  if (possible.length === 0 || possible.includes("")) {
    throw new ConfigurationError(
      "jwtAuth(): publicKey is of a kind that signs no tokens here: take RSA, P-256, P-384, P-521 or Ed25519.",
    );
  }
  if (given === undefined)
    return source.kind === "publicKey" && source.jwk.kty === "RSA" ? possible.slice(0, 1) : possible;
  if (!Array.isArray(given) || given.length === 0 || !given.every((each) => possible.includes(each))) {
    throw new ConfigurationError(
      `jwtAuth(): algorithms can have ${possible.join(", ")}${source.kind === "publicKey" ? " with this key" : ""}, and needs at least one.`,
    );
  }
  return [...given];
}

/** Secrets that guides and debuggers print. */
const SAMPLES = [
  "your-secret-key-min-32-chars-long!!",
  "your-production-secret-key-here!!",
  "at least 32 bytes, for development",
  "a-string-secret-at-least-256-bits-long",
  "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
];

/** Whether anybody can know the secret. */
export function isSample(secret: Uint8Array): boolean {
  return SAMPLES.includes(new TextDecoder().decode(secret).trim().toLowerCase());
}
