/** Digests and signatures of the audit log, by `node:crypto`. Loaded when they are first needed. */

import { ConfigurationError } from "../core/errors.ts";

type Crypto = typeof import("node:crypto");

let loaded: Crypto | undefined;

function crypto(): Crypto {
  loaded ??= process.getBuiltinModule("node:crypto");
  return loaded;
}

/** The SHA-256 of `data`, in hexadecimal digits. */
export function sha256(data: string | Uint8Array): string {
  return crypto().hash("sha256", data, "hex");
}

/** The HMAC-SHA256 of `text` (RFC 2104), in hexadecimal digits. */
export function hmacSha256(key: string, text: string): string {
  return crypto().createHmac("sha256", key).update(text).digest("hex");
}

export function randomId(): string {
  return crypto().randomUUID();
}

/** Signs what has been written so far. */
export interface Signer {
  readonly algorithm: "ed25519" | "hmac-sha256";
  readonly sign: (bytes: Uint8Array) => string;
}

/** Tells whether a signature is that of the key over these bytes. */
export interface SignatureCheck {
  readonly algorithm: Signer["algorithm"];
  readonly holds: (bytes: Uint8Array, signature: string) => boolean;
}

/** Fewer characters could be guessed by whoever has one signature. */
export const SHORTEST_SECRET = 32;

/**
 * @param key - An Ed25519 private key in PEM (RFC 8410), or a secret for HMAC-SHA256.
 * @throws {@link ConfigurationError} where it is neither.
 */
export function signer(key: string, what: string): Signer {
  if (!isPem(key)) {
    const { algorithm } = hmacCheck(key, what);
    return {
      algorithm,
      sign: (bytes) => crypto().createHmac("sha256", key).update(bytes).digest("base64url"),
    };
  }
  const { createPrivateKey, sign } = crypto();
  const privateKey = readKey(() => createPrivateKey(key), what, "private");
  return {
    algorithm: "ed25519",
    sign: (bytes) => sign(null, bytes, privateKey).toString("base64url"),
  };
}

/**
 * @param key - The Ed25519 public key in PEM, or the secret.
 * @throws {@link ConfigurationError} where it is neither.
 */
export function signatureCheck(key: string, what: string): SignatureCheck {
  if (!isPem(key)) return hmacCheck(key, what);
  const { createPublicKey, verify } = crypto();
  const publicKey = readKey(() => createPublicKey(key), what, "public");
  return {
    algorithm: "ed25519",
    holds: (bytes, signature) => verify(null, bytes, publicKey, Buffer.from(signature, "base64url")),
  };
}

function hmacCheck(key: unknown, what: string): SignatureCheck {
  if (typeof key !== "string" || key.length < SHORTEST_SECRET)
    throw new ConfigurationError(
      `${what} is ${key === undefined ? "undefined: is its environment variable set? Write" : "no key: write"} an Ed25519 key in PEM, or a secret of at least ${SHORTEST_SECRET} characters.`,
    );
  const { createHmac, timingSafeEqual } = crypto();
  return {
    algorithm: "hmac-sha256",
    holds: (bytes, signature) => {
      const given = Buffer.from(signature, "base64url");
      const own = createHmac("sha256", key).update(bytes).digest();
      return given.length === own.length && timingSafeEqual(own, given);
    },
  };
}

function isPem(key: unknown): key is string {
  return typeof key === "string" && key.trimStart().startsWith("-----BEGIN ");
}

function readKey(
  read: () => import("node:crypto").KeyObject,
  what: string,
  kind: "private" | "public",
): import("node:crypto").KeyObject {
  let key;
  try {
    key = read();
  } catch {
    // Told below: the text of the failure may quote the key.
  }
  if (key?.asymmetricKeyType === "ed25519") return key;
  throw new ConfigurationError(
    `${what} is not an Ed25519 ${kind} key. Make a pair: openssl genpkey -algorithm ed25519 -out audit.pem && openssl pkey -in audit.pem -pubout -out audit.pub.`,
  );
}
