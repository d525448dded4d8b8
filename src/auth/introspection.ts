/** Callers identified by opaque tokens, of which the authorization server tells what they are (RFC 7662). */

import type { Authenticator } from "../core/calls/client.ts";
import { type Duration, milliseconds } from "../core/options/duration.ts";
import { ConfigurationError } from "../core/errors.ts";
import { checkKnown } from "../core/options/known-options.ts";
import { type VerifyToken, bearerTokens } from "./bearer.ts";
import {
  CLAIM_OPTIONS,
  type ClaimOptions,
  claimOptionsIn,
  exposureProblems,
  safeUrl,
} from "./claim-options.ts";
import { type Claims, claimCheck, identityOf } from "./claims.ts";
import type { IntrospectionClient } from "./oauth4webapi.ts";
import { Refused, unavailable } from "./refusals.ts";
import { discover, endpointIn } from "./remote-json.ts";

interface IntrospectionClientOptions extends Omit<ClaimOptions, "issuer"> {
  /** As whom the server asks. */
  readonly clientId: string;
  /** Its secret. */
  readonly clientSecret: string;
  /** Where the secret is sent. Default: `"header"` (`client_secret_basic`); `"body"` is `client_secret_post`. */
  readonly secretIn?: "header" | "body";
  /**
   * How long an answer is believed, never past the token's `exp`: for so long a revoked token still passes. Default and
   * most: `"60s"`.
   */
  readonly believedFor?: Duration;
}

/** Options of {@link introspectionAuth}: exactly one of `endpoint` and `discovery`. */
export type IntrospectionOptions = IntrospectionClientOptions &
  (
    | {
        /** The introspection endpoint: an `https:` URL; `http:` on this machine alone. */
        readonly endpoint: string;
      }
    | {
        /** The issuer whose metadata (RFC 8414, or OpenID Connect Discovery) say where its endpoint is. */
        readonly discovery: string;
      }
  );

const LONGEST = 60_000;

/**
 * Identifies callers by tokens that only their authorization server can read (RFC 7662): it is asked about each, once a
 * minute at most. Claims are read as {@link jwtAuth} reads them; `exp` may be missing. Where the server does not answer
 * within 5 s, or not properly, calls fail as retryable: nobody is let in on a guess.
 *
 * @throws {@link ConfigurationError} where options are missing or contradict each other.
 * @example
 * ```ts
 * server.use(authenticate(introspectionAuth({
 *   discovery: "https://id.example.com",
 *   clientId: "task-api",
 *   clientSecret: process.env.INTROSPECTION_SECRET!,
 *   audience: "https://tasks.example.com/mcp",
 * })));
 * ```
 */
export function introspectionAuth(options: IntrospectionOptions): Authenticator {
  const { claims, endpoint, client, believedFor } = readOptions(options);
  const check = claimCheck(claims, { requireExp: false });
  const verify: VerifyToken = async (token) => {
    let answer;
    try {
      const { introspect } = await import("./oauth4webapi.ts");
      answer = await introspect(await endpoint(), client, token);
    } catch (error) {
      throw unavailable(error);
    }
    if (!answer.active) return inactive;
    if (isOtherKind(answer)) return otherKind;
    // Who answers is the issuer, whether it says so or not. A token that is repeated is no claim: claims are kept.
    const said = Object.entries(answer).filter(([name, value]) => name !== "active" && value !== token);
    const ours = claims.issuer === undefined ? {} : { iss: claims.issuer };
    const answered: Claims = { ...ours, ...Object.fromEntries(said) };
    return check(answered, Date.now()) ?? identityOf(answered, claims);
  };
  return {
    authenticate: bearerTokens(verify, believedFor),
    problems: ({ exposed }) => (exposed ? exposureProblems("introspectionAuth()", claims, ["audience"]) : []),
  };
}

const inactive = new Refused("Token not active", "Request a new authentication token", true);

const otherKind = new Refused("Not an access token", "Send an access token.");

/** Servers say of refresh and ID tokens too that they are active; DPoP tokens are no bearer tokens (RFC 9449). */
function isOtherKind({ token_type: type, token_use: use, typ }: Claims): boolean {
  return [type, use, typ].some((each) => typeof each === "string" && /refresh|dpop|^id/i.test(each));
}

interface Settings {
  readonly claims: ClaimOptions;
  readonly endpoint: () => string | Promise<string>;
  readonly client: IntrospectionClient;
  readonly believedFor: number;
}

function readOptions(options: IntrospectionOptions): Settings {
  const what = "introspectionAuth()";
  if ("endpoint" in options === "discovery" in options) {
    throw new ConfigurationError(
      `${what} needs exactly one of endpoint and discovery: introspectionAuth({ discovery: "https://id.example.com", clientId, clientSecret }).`,
    );
  }
  const { issuer: _, ...claimNames } = CLAIM_OPTIONS;
  checkKnown(what, options, {
    ...claimNames,
    endpoint: true,
    discovery: true,
    clientId: true,
    clientSecret: true,
    secretIn: true,
    believedFor: true,
  });
  const { clientId, clientSecret, secretIn = "header", believedFor = LONGEST } = options;
  for (const [name, value] of Object.entries({ clientId, clientSecret })) {
    if (typeof value !== "string" || value === "")
      throw new ConfigurationError(`${what}: ${name} is empty. Is its environment variable set?`);
  }
  if (!["header", "body"].includes(secretIn))
    throw new ConfigurationError(`${what}: secretIn can be "header" or "body".`);
  const believed = milliseconds(believedFor, `${what}: believedFor`);
  if (believed > LONGEST)
    throw new ConfigurationError(`${what}: believedFor can be at most "60s": revoked tokens pass so long.`);
  const written = claimOptionsIn(what, options);
  const settings = { client: { clientId, clientSecret, secretIn }, believedFor: believed };
  if ("endpoint" in options) {
    const endpoint = safeUrl(`${what}: endpoint`, options.endpoint);
    return { ...settings, claims: written, endpoint: () => endpoint };
  }
  const issuer = safeUrl(`${what}: discovery`, options.discovery);
  return { ...settings, claims: { ...written, issuer }, endpoint: discovered(issuer) };
}

/** The endpoint that an issuer's metadata name: asked for once, and again where that failed. */
function discovered(issuer: string): () => Promise<string> {
  let known: Promise<string> | undefined;
  const find = async () => {
    try {
      return endpointIn(await discover(issuer), "introspection_endpoint");
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
  return () => (known ??= find());
}
