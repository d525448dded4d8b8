/** Callers identified by keys that the server gave out. */

import { type Authenticator, type Grants, type Identity, VerifiedIdentity } from "../core/calls/client.ts";
import { ConfigurationError } from "../core/errors.ts";
import { type Names, checkKnown, shown } from "../core/options/known-options.ts";
import { equalInConstantTime, sha256 } from "./crypto.ts";
import { Refused } from "./refusals.ts";

/** Who has a key, and what its bearer may do. */
export interface ApiKeyOwner {
  /** Names the caller. Default: the name under which the key is listed. */
  readonly clientId?: string;
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[];
  readonly tenantId?: string;
  /** When the key stops being accepted: seconds since 1970, or a date such as `"2027-06-30T00:00:00Z"`. Default: never. */
  readonly expiresAt?: number | string;
}

/** A key and who has it: the key itself, at least 16 characters, or its hash. */
export type ApiKey = ApiKeyOwner & ({ readonly key: string } | { readonly hash: string });

/** Options of {@link apiKeyAuth}. */
export interface ApiKeyOptions {
  /**
   * The keys, each under a name that tells them apart, such as `"ci-2027"`. To replace a key, list the new one
   * with the same `clientId` and take the old one out later.
   */
  readonly keys: Readonly<Record<string, ApiKey>>;
  /** The request header that has the key. Default: `"x-api-key"`. A bearer token is taken for a key too. */
  readonly header?: string;
}

/**
 * Identifies callers by API keys, in a header of their own or as bearer token; on stdio that is the token given to
 * `run()`. The server keeps SHA-256 hashes alone: write `hash` where not even the configuration is to have the key
 * (`printf %s "$KEY" | sha256sum`). Keys are to be random; hashes of guessable ones can be undone.
 *
 * @throws {@link ConfigurationError} where a key is missing, too short, or listed twice.
 * @example
 * ```ts
 * server.use(authenticate(apiKeyAuth({
 *   keys: {
 *     ci: { key: process.env.CI_KEY!, roles: ["deployer"] },
 *     reports: { hash: process.env.REPORTS_KEY_SHA256!, scopes: ["tasks:read"], tenantId: "acme" },
 *   },
 * })));
 * ```
 */
export function apiKeyAuth(options: ApiKeyOptions): Authenticator {
  const { header, entries } = readOptions(options);
  const byPrefix = new Map(entries.map((entry) => [prefix(entry.hash), entry]));
  const find = (key: string): Identity | Refused => {
    const hash = sha256(key);
    // The time that the look-up takes can tell of a hash's beginning, which is no part of any key; the rest is
    // compared in constant time.
    const entry = byPrefix.get(prefix(hash));
    if (!entry || !equalInConstantTime(entry.hash, hash)) return invalid;
    const { identity } = entry;
    return (identity.expiresAt ?? Infinity) * 1_000 > Date.now() ? identity : expired;
  };
  return {
    grants: grantsOf(entries.map(({ identity }) => identity)),
    missing: { message: "Missing API key", suggestion: `Send the key in the ${header} header.` },
    authenticate: (credentials) => {
      const own = credentials.header(header);
      const key = own ?? credentials.token;
      if (key === undefined) return undefined;
      const found = find(key);
      if (!(found instanceof Refused)) return found;
      throw (found === invalid && own === undefined ? notOurs : found).toError();
    },
  };
}

const invalid = new Refused("Invalid API key");
/** A bearer token may well be another authenticator's. */
const notOurs = new Refused(invalid.message, undefined, true);
const expired = new Refused("API key expired");

const prefix = (hash: string) => hash.slice(0, 16);

interface Entry {
  readonly hash: string;
  readonly identity: VerifiedIdentity;
}

/** All that the owners of keys can be. */
function grantsOf(owners: readonly VerifiedIdentity[]): Grants {
  return {
    clientIds: new Set(owners.map(({ clientId }) => clientId)),
    roles: new Set(owners.flatMap(({ roles }) => [...roles])),
    scopes: new Set(owners.flatMap(({ scopes }) => [...scopes])),
    tenants: new Set(owners.flatMap(({ tenantId }) => (tenantId === undefined ? [] : [tenantId]))),
  };
}

const OPTIONS: Names<ApiKeyOptions> = { keys: true, header: true };
const OWNER: Names<ApiKeyOwner> = {
  clientId: true,
  roles: true,
  scopes: true,
  tenantId: true,
  expiresAt: true,
};

/** The fewest characters of a key: 16 random ones of base64 are 96 bits. */
const SHORTEST = 16;

function readOptions(options: ApiKeyOptions): {
  readonly header: string;
  readonly entries: readonly Entry[];
} {
  checkKnown("apiKeyAuth()", options, OPTIONS);
  const { keys, header = "x-api-key" } = options;
  if (typeof header !== "string" || !/^[\w!#$%&'*+.^`|~-]+$/.test(header))
    throw new ConfigurationError(`apiKeyAuth(): header is ${shown(header)}: write the name of a header.`);
  if (header.toLowerCase() === "authorization") {
    throw new ConfigurationError(
      "apiKeyAuth(): header is Authorization: leave it out, bearer tokens are taken for keys anyway.",
    );
  }
  const named = Object.entries((keys as unknown) ?? {}) as [string, ApiKey][];
  if (named.length === 0) {
    throw new ConfigurationError(
      "apiKeyAuth() needs at least one key: apiKeyAuth({ keys: { ci: { key: process.env.CI_KEY, roles: [] } } }).",
    );
  }
  const entries = named.map(([name, key]) => readKey(name, key));
  const [twice] = named.filter((_, i) => entries.findIndex(({ hash }) => hash === entries[i]?.hash) !== i);
  if (twice) throw new ConfigurationError(`apiKeyAuth(): keys.${twice[0]} is a key that is listed before.`);
  return { header: header.toLowerCase(), entries };
}

/** Reads what is listed under `name`. No message has the key. */
function readKey(name: string, listed: ApiKey): Entry {
  const what = `apiKeyAuth(): keys.${name}`;
  if (typeof listed !== "object" || (listed as unknown) === null || "key" in listed === "hash" in listed)
    throw new ConfigurationError(`${what} needs exactly one of key and hash: { key: process.env.CI_KEY }.`);
  const { clientId = name, roles = [], scopes = [], tenantId, expiresAt } = listed;
  checkKnown(what, listed, { ...OWNER, key: true, hash: true });
  for (const [option, values] of Object.entries({ roles, scopes })) {
    if (!Array.isArray(values) || !values.every(isNamed))
      throw new ConfigurationError(`${what}: ${option} needs a list of names, such as ["admin"].`);
  }
  for (const [option, value] of Object.entries({ clientId, tenantId })) {
    if (value !== undefined && !isNamed(value))
      throw new ConfigurationError(`${what}: ${option} is empty. Write a name, or leave it out.`);
  }
  return {
    hash: hashOf(what, listed),
    identity: new VerifiedIdentity({
      clientId,
      roles,
      scopes,
      tenantId,
      expiresAt: expiresAt === undefined ? undefined : secondsOf(`${what}: expiresAt`, expiresAt),
    }),
  };
}

function isNamed(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

function hashOf(what: string, listed: ApiKey): string {
  if ("hash" in listed) {
    const hash: unknown = listed.hash;
    if (typeof hash === "string" && /^[\da-f]{64}$/i.test(hash)) return hash.toLowerCase();
    throw new ConfigurationError(
      `${what}: hash needs the SHA-256 of the key in 64 hexadecimal digits: printf %s "$KEY" | sha256sum.`,
    );
  }
  const key: unknown = listed.key;
  if (typeof key === "string" && key.length >= SHORTEST && key.trim() === key) return sha256(key);
  throw new ConfigurationError(
    `${what}: key needs at least ${SHORTEST} characters, such as openssl rand -base64 32 gives. Is its environment variable set?`,
  );
}

function secondsOf(what: string, time: number | string): number {
  const seconds = typeof time === "string" ? Date.parse(time) / 1_000 : time;
  if (Number.isFinite(seconds)) return seconds;
  throw new ConfigurationError(`${what} needs seconds since 1970 or a date, such as "2027-06-30T00:00:00Z".`);
}
