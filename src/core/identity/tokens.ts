/** Tokens for development, issued by the server itself: what its author writes, and how that is checked. */

import type { Authenticator } from "../calls/client.ts";
import { type Duration, milliseconds } from "../options/duration.ts";
import { isObject } from "../values/json.ts";
import { ConfigurationError, problemsOf } from "../errors.ts";
import { type Names, checkKnown, shown } from "../options/known-options.ts";

/** Options of {@link JwtIssuer.issue}. */
export interface IssueOptions {
  /** How long the token holds. Default: `"1h"`. */
  readonly expiresIn?: Duration;
}

/** An authenticator that knows the secret, and so can sign the tokens that it accepts. */
export interface JwtIssuer extends Authenticator {
  /**
   * Signs a token (HS256) that this authenticator accepts.
   *
   * @param claims - What it says, such as `{ sub: "agent-prod", roles: ["admin"] }`. `exp`, `iat`, and where the
   *   authenticator has them `iss` and `aud`, are set here, whatever is written.
   * @example
   * ```ts
   * const token = await jwt.issue({ sub: "agent-prod", scope: "tasks:read" }, { expiresIn: "15m" });
   * ```
   */
  issue(claims: Readonly<Record<string, unknown>>, options?: IssueOptions): Promise<string>;
}

/** A program that gets tokens. */
export interface TokenClient {
  readonly secret: string;
  /** The claim `roles` of its tokens. */
  readonly roles?: readonly string[];
  /** The most that its tokens can have as `scope`; requests may ask for fewer. */
  readonly scopes?: readonly string[];
  /** Further claims of its tokens, such as those that `jwtAuth` is told to read roles or the tenant from. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The claim `tenant_id` of its tokens. */
  readonly tenantId?: string;
}

/** Who gets tokens, and for how long. */
export interface TokenEndpointOptions {
  /** By their ids. */
  readonly clients: Readonly<Record<string, TokenClient>>;
  /** Default: `/auth/token`. */
  readonly path?: string;
  /** How long a token holds, at most an hour. Default: `"1h"`. */
  readonly expiresIn?: Duration;
  /** How long a refresh token holds; `false`: none is issued. Default: `"24h"`. */
  readonly refreshExpiresIn?: Duration | false;
}

const OPTIONS: Names<TokenEndpointOptions> = {
  clients: true,
  path: true,
  expiresIn: true,
  refreshExpiresIn: true,
};
const CLIENT: Names<TokenClient> = { secret: true, roles: true, scopes: true, claims: true, tenantId: true };

/** Claims that tokens have from elsewhere. */
const RESERVED = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub", "client_id", "roles", "scope"];

const HOUR = 3_600_000;

/** Throws a {@link ConfigurationError} that names everything by which tokens could not be issued. */
export function checkTokenEndpoint(issuer: unknown, options: unknown): void {
  const problems = [...issuerProblems(issuer), ...optionProblems(options)];
  if (problems.length > 0) throw new ConfigurationError(problems);
}

function issuerProblems(issuer: unknown): readonly string[] {
  return typeof (issuer as Partial<JwtIssuer> | null | undefined)?.issue === "function"
    ? []
    : [
        "enableTokenEndpoint(): the authenticator cannot sign tokens. Write jwtAuth({ secret: process.env.JWT_SECRET, … }); with a public key, keys of an identity provider or API keys, whoever has the private part issues what callers send.",
      ];
}

function optionProblems(options: unknown): readonly string[] {
  if (!isObject(options) || !isObject(options["clients"]) || Object.keys(options["clients"]).length === 0) {
    return [
      'enableTokenEndpoint() needs clients: { clients: { "agent": { secret: process.env.AGENT_SECRET, roles: ["admin"] } } }.',
    ];
  }
  const {
    path = "/auth/token",
    expiresIn = "1h",
    refreshExpiresIn = "24h",
  } = options as Partial<TokenEndpointOptions>;
  return [
    ...problemsOf(() => checkKnown("enableTokenEndpoint()", options, OPTIONS)),
    ...(typeof path === "string" && /^(?:\/[\w.~-]+)+$/.test(path)
      ? []
      : [`enableTokenEndpoint(): path is ${shown(path)}: write a plain one, such as "/auth/token".`]),
    ...problemsOf(() => {
      const longest = milliseconds(expiresIn, "enableTokenEndpoint(): expiresIn");
      if (longest < 1_000 || longest > HOUR)
        throw new ConfigurationError(
          `enableTokenEndpoint(): expiresIn is ${shown(expiresIn)}: write at least "1s" and at most "1h".`,
        );
    }),
    ...problemsOf(() => {
      if (refreshExpiresIn !== false)
        milliseconds(refreshExpiresIn, "enableTokenEndpoint(): refreshExpiresIn");
    }),
    ...Object.entries(options["clients"]).flatMap(([id, client]) => clientProblems(id, client)),
  ];
}

function clientProblems(id: string, client: unknown): readonly string[] {
  const what = `enableTokenEndpoint(): the client ${shown(id)}`;
  if (id === "" || !isObject(client) || typeof client["secret"] !== "string" || client["secret"] === "")
    return [`${what} needs a name and a secret: { "agent": { secret: process.env.AGENT_SECRET } }.`];
  const { roles = [], scopes = [], claims = {}, tenantId } = client;
  const reserved = isObject(claims) ? Object.keys(claims).filter((name) => RESERVED.includes(name)) : [];
  const says = (wrong: boolean, problem: string) => (wrong ? [`${what} ${problem}`] : []);
  return [
    ...problemsOf(() => checkKnown(what, client, CLIENT)),
    ...says(!areTexts(roles, /./), 'has roles that are not names: write roles: ["admin"].'),
    // RFC 6749, section 3.3: between spaces, printable ASCII without quotes and backslashes.
    ...says(
      !areTexts(scopes, /^[\x21\x23-\x5b\x5d-\x7e]+$/),
      'has scopes that are not valid: write scopes: ["tasks:write"], without spaces and quotes.',
    ),
    ...says(!isObject(claims), 'has claims that are not an object: write claims: { department: "sales" }.'),
    ...says(
      reserved.length > 0,
      `has claims that tokens have from elsewhere: ${reserved.join(", ")}. Leave them out; roles, scopes and tenantId are options of the client.`,
    ),
    ...says(
      tenantId !== undefined && (typeof tenantId !== "string" || tenantId.trim() === ""),
      'has a tenantId that is not a name: write tenantId: "acme".',
    ),
  ];
}

function areTexts(list: unknown, form: RegExp): boolean {
  return Array.isArray(list) && list.every((item) => typeof item === "string" && form.test(item));
}
