/** The options of `jwtAuth`, and what can be wrong with them. */

import type { Deployment } from "../client.ts";
import { milliseconds } from "../duration.ts";
import { ConfigurationError } from "../errors.ts";
import { type Names, checkKnown } from "../known-options.ts";
import { type ClaimOptions, listed } from "./claims.ts";
import { type PublicJwk, readPublicKey } from "./crypto.ts";
import { isSafeUrl } from "./remote-json.ts";

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

/** Where the keys come from, checked. */
export type KeySource =
  | { readonly kind: "secret"; readonly secret: Uint8Array }
  | { readonly kind: "publicKey"; readonly jwk: PublicJwk }
  | { readonly kind: "jwksUri"; readonly url: string }
  | { readonly kind: "discovery"; readonly issuer: string };

/** What `jwtAuth` was given, checked. */
export interface JwtSettings {
  readonly source: KeySource;
  readonly algorithms: readonly string[];
  readonly claims: ClaimOptions;
  readonly problems: (deployment: Deployment) => readonly string[];
}

const SOURCES = ["secret", "publicKey", "jwksUri", "discovery"] as const;

const CLAIMS: Names<ClaimOptions> = {
  issuer: true,
  audience: true,
  leeway: true,
  rolesClaim: true,
  tenantClaim: true,
};

/** Checks the options. Throws a {@link ConfigurationError}; no message of it has a secret or key. */
export function readJwtOptions(options: JwtOptions): JwtSettings {
  const given: Partial<Record<string, unknown>> = { ...options };
  const [kind, ...others] = SOURCES.filter((name) => name in given);
  if (kind === undefined || others.length > 0) {
    throw new ConfigurationError(
      `jwtAuth() needs exactly one of ${SOURCES.join(", ")}: jwtAuth({ secret: process.env.JWT_SECRET }), or jwtAuth({ jwksUri: "https://id.example.com/jwks.json" }).`,
    );
  }
  checkKnown("jwtAuth()", options, {
    ...CLAIMS,
    [kind]: true,
    ...(kind !== "secret" && { algorithms: true }),
  });
  const claims = claimOptionsIn("jwtAuth()", options);
  const source = readSource(kind, given[kind]);
  if (source.kind === "discovery") {
    if (claims.issuer !== undefined)
      throw new ConfigurationError("jwtAuth(): discovery names the issuer already. Leave issuer out.");
    claims.issuer = source.issuer;
  }
  return {
    source,
    algorithms: readAlgorithms(source, given["algorithms"]),
    claims,
    problems: ({ exposed, production }) => [
      ...(exposed ? exposureProblems("jwtAuth()", claims) : []),
      ...((exposed || production) && source.kind === "secret" && isSample(source.secret)
        ? [
            "jwtAuth(): the secret is one that guides print: anybody can sign with it. Write one of your own: openssl rand -base64 32.",
          ]
        : []),
    ],
  };
}

/** What is missing where others than programs of this machine reach the server (RFC 8725, sections 3.8 and 3.9). */
export function exposureProblems(what: string, { issuer, audience }: ClaimOptions): readonly string[] {
  return [
    ...(issuer === undefined
      ? [
          `${what}: name who issues the tokens of a server that others reach: { issuer: "https://id.example.com" }.`,
        ]
      : []),
    ...(audience === undefined
      ? [
          `${what}: name for whom tokens must be where others reach the server, or one that was made for another would do: { audience: "https://tasks.example.com/mcp" }.`,
        ]
      : []),
  ];
}

/** The options that say what must hold of claims, checked, and no others. */
export function claimOptionsIn(
  what: string,
  options: ClaimOptions,
): ClaimOptions & { issuer?: ClaimOptions["issuer"] } {
  const problems: string[] = [];
  for (const name of ["issuer", "audience"] as const) {
    if (!(name in options)) continue;
    const values: readonly unknown[] = listed(options[name]) ?? [];
    if (values.length === 0 || !values.every((each) => typeof each === "string" && each !== ""))
      problems.push(
        `${what}: ${name} is empty. Write it, or leave ${name} out; is its environment variable set?`,
      );
    else if (
      name === "issuer" &&
      values.some((each) => /^http:/i.test(String(each)) && !isSafeUrl(String(each)))
    )
      problems.push(`${what}: issuer is an http: URL of another machine. Write the https: one.`);
  }
  for (const name of ["rolesClaim", "tenantClaim"] as const) {
    const value: unknown = options[name];
    if (name in options && (typeof value !== "string" || value === ""))
      problems.push(`${what}: ${name} needs the name of a claim, such as "realm_access.roles".`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  milliseconds(options.leeway ?? 0, `${what}: leeway`);
  const names = Object.keys(CLAIMS).filter((name) => name in options) as (keyof ClaimOptions)[];
  return Object.fromEntries(names.map((name) => [name, options[name]]));
}

function readSource(kind: (typeof SOURCES)[number], value: unknown): KeySource {
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

export function safeUrl(what: string, value: unknown): string {
  if (typeof value === "string" && isSafeUrl(value)) return value;
  throw new ConfigurationError(
    `${what} needs an https: URL, such as "https://id.example.com"; http: is for this machine alone.`,
  );
}

const SHORTEST = 32;

function readSecret(value: unknown): Uint8Array {
  const secret = typeof value === "string" ? new TextEncoder().encode(value) : value;
  if (!(secret instanceof Uint8Array)) {
    throw new ConfigurationError(
      "jwtAuth(): secret is no text. Is its environment variable set? jwtAuth({ secret: process.env.JWT_SECRET })",
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

function readAlgorithms(source: KeySource, given: unknown): readonly string[] {
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
  "a-string-secret-at-least-256-bits-long",
  "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
];

function isSample(secret: Uint8Array): boolean {
  return SAMPLES.includes(new TextDecoder().decode(secret).trim().toLowerCase());
}
