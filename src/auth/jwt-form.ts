/** The form of a JWT, read strictly: what two parsers could read differently is refused (RFC 7515; RFC 8725). */

import { parseStrictJson } from "../core/schemas/strict-json.ts";
import type { Claims } from "./claims.ts";
import { Refused } from "./refusals.ts";

/** As much of a token's header as counts. Keys that it names or brings along (`jku`, `jwk`, `x5u`) never do. */
export interface JwtHeader {
  readonly alg: string;
  readonly kid: string | undefined;
}

/** Base64url without padding, in the one spelling that each sequence of bytes has (RFC 4648, section 3.5). */
const BASE64URL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

const TYPES = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"];

/** The header of a token that may be signed with one of `algorithms`, or why it is not that. */
export function readHeader(token: string, algorithms: readonly string[]): JwtHeader | Refused {
  const segments = token.split(".");
  const [first = "", second = "", signature = ""] = segments;
  if (segments.length !== 3 || first === "" || second === "") return malformed;
  const header = decodeObject(first);
  if (!header) return invalidHeader;
  const { alg, kid, typ } = header;
  if (typeof alg !== "string") return invalidHeader;
  if (!algorithms.includes(alg)) return unsupported(alg, algorithms);
  // An extension that must be understood, and none is (RFC 7515, section 4.1.11; RFC 7797, section 7).
  if ("crit" in header || "b64" in header) return extended;
  // Only access tokens: what says that it is something else was made for another purpose (RFC 8725, section 3.11).
  if (typ !== undefined && !(typeof typ === "string" && TYPES.includes(typ.toLowerCase()))) return otherType;
  if (kid !== undefined && typeof kid !== "string") return invalidHeader;
  if (signature === "") return badSignature;
  if (!BASE64URL.test(signature)) return badEncoding;
  return { alg, kid };
}

/** The claims of a token whose signature holds. */
export function readClaims(token: string): Claims | Refused {
  return decodeObject(token.split(".")[1] ?? "") ?? invalidPayload;
}

const malformed = new Refused("Malformed JWT token", undefined, true);
const invalidHeader = new Refused("Invalid JWT header", undefined, true);
const badEncoding = new Refused("Invalid JWT signature encoding");
const invalidPayload = new Refused("Invalid JWT payload");
const extended = new Refused("Unsupported JWT header parameter: 'crit' and 'b64' are not accepted.");
const otherType = new Refused("Unsupported JWT type. Only access tokens (JWT, at+jwt) are accepted.");
export const badSignature: Refused = new Refused("Invalid JWT signature");

function unsupported(alg: string, algorithms: readonly string[]): Refused {
  // What is no name of an algorithm is not repeated: it could be anything.
  const named = /^[\w+-]{1,32}$/.test(alg) ? `: '${alg}'` : "";
  const verb = algorithms.length === 1 ? "is" : "are";
  const message = `Unsupported JWT algorithm${named}. Only ${algorithms.join(", ")} ${verb} accepted.`;
  return new Refused(message, undefined, true);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeObject(segment: string): Claims | undefined {
  if (!BASE64URL.test(segment)) return undefined;
  let text;
  try {
    const binary = atob(segment.replaceAll("-", "+").replaceAll("_", "/"));
    text = decoder.decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
  const { value } = parseStrictJson(text);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Claims) : undefined;
}
