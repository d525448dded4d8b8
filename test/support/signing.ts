/** Tokens written by hand, signed as their issuer signs them or as nobody should. */

import {
  type KeyObject,
  constants,
  createHmac,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
  sign as signWith,
} from "node:crypto";

export const ISSUER = "https://id.example.com";
export const AUDIENCE = "https://tasks.example.com/mcp";

export const base64url = (value: string | Uint8Array): string => Buffer.from(value).toString("base64url");

/** A key that signs: a secret, or the private half of a pair. */
export interface SigningKey {
  readonly alg: string;
  readonly kid?: string;
  readonly key: KeyObject;
}

export function secretKey(secret: string | Uint8Array): SigningKey {
  return { alg: "HS256", key: createSecretKey(Buffer.from(secret)) };
}

export function rsaKey(alg: string, kid?: string, modulusLength = 2_048): SigningKey {
  const { privateKey: key } = generateKeyPairSync("rsa", { modulusLength });
  return { alg, key, ...(kid !== undefined && { kid }) };
}

const CURVES: Readonly<Record<string, string>> = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };

export function ecKey(alg: "ES256" | "ES384" | "ES512", kid?: string): SigningKey {
  const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: CURVES[alg] ?? "" });
  return { alg, key, ...(kid !== undefined && { kid }) };
}

export function edKey(alg: "EdDSA" | "Ed25519", kid?: string): SigningKey {
  return { alg, key: generateKeyPairSync("ed25519").privateKey, ...(kid !== undefined && { kid }) };
}

/** The public half as a JSON Web Key. */
export function publicJwk({ key, kid, alg }: SigningKey, members: object = {}): Record<string, unknown> {
  const jwk = createPublicKey(key).export({ format: "jwk" });
  return { ...jwk, ...(kid !== undefined && { kid }), alg, use: "sig", ...members };
}

export function publicPem({ key }: SigningKey): string {
  return createPublicKey(key).export({ format: "pem", type: "spki" }) as string;
}

/** The signature that `alg` makes with a key, fitting or not. */
export function signature(alg: string, key: KeyObject, input: string): Buffer {
  const data = Buffer.from(input);
  const hash = `sha${alg.slice(2)}`;
  switch (alg.slice(0, 2)) {
    case "HS":
      return createHmac(hash, key).update(data).digest();
    case "RS":
      return signWith(hash, data, key);
    case "PS":
      return signWith(hash, data, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    case "ES":
      return signWith(hash, data, { key, dsaEncoding: "ieee-p1363" });
    default:
      return signWith(null, data, key);
  }
}

/** Claims that hold. */
export function goodClaims(): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1_000);
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: "agent-prod",
    iat: now,
    exp: now + 3_600,
    jti: randomBytes(8).toString("hex"),
  };
}

/** A token of these texts, signed with `key`. */
export function signedTexts(
  key: SigningKey,
  header: string | Uint8Array,
  payload: string | Uint8Array,
): string {
  const input = `${base64url(header)}.${base64url(payload)}`;
  return `${input}.${base64url(signature(key.alg, key.key, input))}`;
}

/** A token that holds, but for the members of its header and its claims that are given; `undefined` leaves one out. */
export function signed(key: SigningKey, claims: object = {}, header: object = {}): string {
  const { alg, kid } = key;
  return signedTexts(
    key,
    JSON.stringify({ alg, typ: "JWT", kid, ...header }),
    JSON.stringify({ ...goodClaims(), ...claims }),
  );
}
