/** What `node:crypto` does at once: digests, comparing, reading keys. Loaded when it is first needed. */

type Crypto = typeof import("node:crypto");

let loaded: Crypto | undefined;

function crypto(): Crypto {
  loaded ??= process.getBuiltinModule("node:crypto");
  return loaded;
}

/** The SHA-256 of `text`, in hexadecimal digits. Stands for a token or key where those must not be kept. */
export function sha256(text: string): string {
  return crypto().hash("sha256", text, "hex");
}

/** Whether two texts of equal length are the same, found out in a time that does not depend on where they differ. */
export function equalInConstantTime(a: string, b: string): boolean {
  return crypto().timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/** A public key as a JSON Web Key (RFC 7517). */
export interface PublicJwk {
  readonly kty: string;
  readonly alg?: string;
  readonly crv?: string;
  readonly [member: string]: unknown;
}

/** Reads a public key in PEM, a certificate in PEM, or a JSON Web Key. Throws where it is none. */
export function readPublicKey(source: string | PublicJwk): PublicJwk {
  const { createPublicKey } = crypto();
  const key =
    typeof source === "string"
      ? createPublicKey(source)
      : createPublicKey({ key: { ...source }, format: "jwk" });
  const { alg } = typeof source === "string" ? {} : source;
  return { ...(key.export({ format: "jwk" }) as PublicJwk), ...(alg !== undefined && { alg }) };
}
