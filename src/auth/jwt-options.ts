/** The options of `jwtAuth`, and what can be wrong with them. */

import type { Deployment } from "../core/calls/client.ts";
import { ConfigurationError } from "../core/errors.ts";
import { checkKnown } from "../core/options/known-options.ts";
import { CLAIM_OPTIONS, type ClaimOptions, claimOptionsIn, exposureProblems } from "./claim-options.ts";
import type { PublicJwk } from "./crypto.ts";
import {
  type JwtAlgorithm,
  KEY_SOURCES,
  type KeySource,
  isSample,
  readAlgorithms,
  readSource,
} from "./jwt-keys.ts";

/** Tokens signed with a secret that the server shares with their issuer (HS256). */
export interface JwtSecretOptions extends ClaimOptions {
  /** The secret: at least 32 bytes, as random as a key should be (RFC 7518, section 3.2). Text counts as UTF-8. */
  readonly secret: string | Uint8Array;
}

/** Tokens signed with a key pair of which the server knows the public half. */
export interface JwtPublicKeyOptions extends ClaimOptions {
  /** The public key: PEM (`BEGIN PUBLIC KEY`, or a certificate) or a JSON Web Key. */
  readonly publicKey: string | PublicJwk;
  /**
   * The algorithms that are accepted. Default: the one of the key: its `alg`; `RS256` for RSA, `ES256`, `ES384` or
   * `ES512` by the curve, `EdDSA` for Ed25519.
   */
  readonly algorithms?: readonly JwtAlgorithm[];
}

/** Tokens signed with one of the keys that their issuer publishes at a URL. */
export interface JwksOptions extends ClaimOptions {
  /** Where the key set is (RFC 7517): an `https:` URL; `http:` on this machine alone. */
  readonly jwksUri: string;
  /** The algorithms that are accepted, each with keys of its kind alone. Default: all of {@link JwtAlgorithm}. */
  readonly algorithms?: readonly JwtAlgorithm[];
}

/** Tokens of an issuer whose metadata say where its keys are. */
export interface JwtDiscoveryOptions extends Omit<ClaimOptions, "issuer"> {
  /**
   * The issuer, to the letter: its metadata (RFC 8414, or OpenID Connect Discovery) say where its keys are, and
   * tokens must have it as `iss`.
   */
  readonly discovery: string;
  /** The algorithms that are accepted, each with keys of its kind alone. Default: all of {@link JwtAlgorithm}. */
  readonly algorithms?: readonly JwtAlgorithm[];
}

/** Options of {@link jwtAuth}: exactly one of `secret`, `publicKey`, `jwksUri` and `discovery`. */
export type JwtOptions = JwtSecretOptions | JwtPublicKeyOptions | JwksOptions | JwtDiscoveryOptions;

/** What `jwtAuth` was given, checked. */
export interface JwtSettings {
  readonly source: KeySource;
  readonly algorithms: readonly string[];
  readonly claims: ClaimOptions;
  readonly problems: (deployment: Deployment) => readonly string[];
}

/** Checks the options. Throws a {@link ConfigurationError}; no message of it has a secret or key. */
export function readJwtOptions(options: JwtOptions): JwtSettings {
  const given: Partial<Record<string, unknown>> = { ...options };
  const [kind, ...others] = KEY_SOURCES.filter((name) => name in given);
  if (kind === undefined || others.length > 0) {
    throw new ConfigurationError(
      `jwtAuth() needs exactly one of ${KEY_SOURCES.join(", ")}: jwtAuth({ secret: process.env.JWT_SECRET }), or jwtAuth({ jwksUri: "https://id.example.com/jwks.json" }).`,
    );
  }
  checkKnown("jwtAuth()", options, {
    ...CLAIM_OPTIONS,
    [kind]: true,
    ...(kind !== "secret" && { algorithms: true }),
  });
  const written = claimOptionsIn("jwtAuth()", options);
  const source = readSource(kind, given[kind]);
  if (source.kind === "discovery" && written.issuer !== undefined)
    throw new ConfigurationError("jwtAuth(): discovery names the issuer already. Leave issuer out.");
  const claims = source.kind === "discovery" ? { ...written, issuer: source.issuer } : written;
  return {
    source,
    algorithms: readAlgorithms(source, given["algorithms"]),
    claims,
    problems: ({ exposed, production }) => [
      ...(exposed ? exposureProblems("jwtAuth()", claims, ["issuer", "audience"]) : []),
      ...((exposed || production) && source.kind === "secret" && isSample(source.secret)
        ? [
            "jwtAuth(): the secret is one that guides print: anybody can sign with it. Write one of your own: openssl rand -base64 32.",
          ]
        : []),
    ],
  };
}
