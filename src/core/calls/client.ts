/** Who calls: what an authenticator finds out about a caller, and what handlers, guards and middleware see of it. */

import type { MCPError } from "../errors.ts";

/**
 * What the `onAuthenticate` hook adds to callers. Declare its members, and they are typed everywhere.
 *
 * @example
 * ```ts
 * declare module "gantry-mcp" {
 *   interface ClientExtra {
 *     plan: "free" | "premium";
 *   }
 * }
 * ```
 */
export interface ClientExtra {
  [name: string]: unknown;
}

/** What a request carries that may tell who sends it. */
export interface Credentials {
  /** The bearer token: of the `Authorization` header (RFC 6750, section 2.1); on stdio the one given to `run()`. */
  readonly token: string | undefined;
  /** Where the request comes from: the peer's address, or what a trusted proxy says of it. */
  readonly address: string | undefined;
  /** A request header by its lower-case name. On stdio there are none. */
  readonly header: (name: string) => string | undefined;
}

/** What an authenticator has found out about a caller. */
export interface Identity {
  /** Names the caller in logs, limits and guards. */
  readonly clientId: string;
  readonly roles?: readonly string[] | ReadonlySet<string>;
  readonly scopes?: readonly string[] | ReadonlySet<string>;
  /** Everything that was attested of the caller, such as a token's claims. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly audience?: readonly string[];
  readonly tenantId?: string | undefined;
  /** When the credentials expire, in seconds since 1970: streams end then. */
  readonly expiresAt?: number | undefined;
}

/**
 * Finds out who calls. Write your own where none of the built-in ones fits.
 *
 * @example
 * ```ts
 * const tickets: Authenticator = {
 *   async authenticate({ token }) {
 *     if (token === undefined) return undefined;
 *     const ticket = await store.find(token);
 *     if (!ticket) throw new AuthenticationError("Unknown ticket");
 *     return { clientId: ticket.owner, roles: ticket.roles };
 *   },
 * };
 * server.use(authenticate(tickets));
 * ```
 */
export interface Authenticator {
  /**
   * @returns Who calls; `undefined` where the request carries no credentials of this kind.
   * @throws `AuthenticationError` where credentials are there and do not hold.
   */
  authenticate(credentials: Credentials): Identity | undefined | Promise<Identity | undefined>;
  /** All that its callers can ever be, where that is known: a component that asks for more is refused at the start. */
  readonly grants?: Grants;
  /** What callers are told who send no credentials of its kind. Default: "Missing authentication token". */
  readonly missing?: { readonly message: string; readonly suggestion: string };
  /** What is wrong with it where the server is reached: told at the start, in full sentences. */
  problems?(deployment: Deployment): readonly string[];
}

/** All that the callers of an authenticator can ever be. What is left out may be anything. */
export interface Grants {
  readonly clientIds?: ReadonlySet<string>;
  readonly roles?: ReadonlySet<string>;
  readonly scopes?: ReadonlySet<string>;
  /** The tenants that callers may belong to. */
  readonly tenants?: ReadonlySet<string>;
}

/** Where a server is reached, as far as it is known at the start. */
export interface Deployment {
  /** Whether others than programs of this machine reach it. */
  readonly exposed: boolean;
  /** Whether `NODE_ENV` is `production`. */
  readonly production: boolean;
}

interface Whereabouts {
  /** The peer's address, or what a trusted proxy says of it. */
  readonly ipAddress: string | undefined;
  /** What the caller's software says that it is. Not verified. */
  readonly userAgent: string | undefined;
}

/** A caller whose identity is verified. */
export interface AuthenticatedClient extends Whereabouts {
  readonly authenticated: true;
  readonly clientId: string;
  readonly roles: ReadonlySet<string>;
  readonly scopes: ReadonlySet<string>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly audience: readonly string[];
  readonly tenantId: string | undefined;
  /** When the credentials expire, in seconds since 1970. */
  readonly expiresAt: number | undefined;
  /** What the `onAuthenticate` hook added, for this call alone. */
  readonly extra: ClientExtra;
}

/** A caller of whom nothing is verified. */
export interface AnonymousClient extends Whereabouts {
  readonly authenticated: false;
  readonly clientId: "anonymous";
}

/** Who calls: `authenticated` tells which of the two. */
export type ClientContext = AuthenticatedClient | AnonymousClient;

/** Where a request comes from, as transports tell it. */
export interface Origin {
  readonly header: (name: string) => string | undefined;
  readonly address?: (() => string | undefined) | undefined;
  /** The token of a connection that has no headers. */
  readonly token?: string | undefined;
}

/** What `origin` carries, read when it is asked for. */
export class RequestCredentials implements Credentials {
  readonly header: (name: string) => string | undefined;
  readonly #origin: Origin;

  constructor(origin: Origin) {
    this.header = origin.header;
    this.#origin = origin;
  }

  get token(): string | undefined {
    return this.#origin.token ?? bearerToken(this.header("authorization"));
  }

  get address(): string | undefined {
    return this.#origin.address?.();
  }
}

/** The token of an `Authorization` header; also of one that leaves the scheme out, as the guide's clients may. */
function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^(?:bearer +)?([^\s,]+)$/i.exec(header.trim())?.[1];
}

/** An identity, read once: authenticators may keep it and give it to every request that carries the same credentials. */
export class VerifiedIdentity implements Identity {
  readonly clientId: string;
  readonly roles: ReadonlySet<string>;
  readonly scopes: ReadonlySet<string>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly audience: readonly string[];
  readonly tenantId: string | undefined;
  readonly expiresAt: number | undefined;
  /** One text for all credentials of one caller, and for no other caller. */
  readonly principal: string;

  constructor(identity: Identity) {
    this.clientId = identity.clientId;
    this.roles = frozenSet(identity.roles);
    this.scopes = frozenSet(identity.scopes);
    this.claims = deepFrozen(structuredClone(identity.claims ?? {}));
    this.issuer = identity.issuer;
    this.subject = identity.subject;
    this.audience = Object.freeze([...(identity.audience ?? [])]);
    this.tenantId = identity.tenantId;
    this.expiresAt = identity.expiresAt;
    this.principal = JSON.stringify([this.issuer, this.subject, this.clientId, this.tenantId]);
  }
}

/** The caller of one request: what it shares with others is frozen, `extra` is its own. */
export function identifiedClient(identity: VerifiedIdentity, origin: Origin): AuthenticatedClient {
  const { clientId, roles, scopes, claims, issuer, subject, audience, tenantId, expiresAt } = identity;
  return {
    authenticated: true,
    clientId,
    roles,
    scopes,
    claims,
    issuer,
    subject,
    audience,
    tenantId,
    expiresAt,
    ...whereabouts(origin),
    extra: {},
  };
}

export function anonymousClient(origin: Origin | undefined): AnonymousClient {
  return { authenticated: false, clientId: "anonymous", ...whereabouts(origin) };
}

function whereabouts(origin: Origin | undefined): Whereabouts {
  return { ipAddress: origin?.address?.(), userAgent: origin?.header("user-agent") };
}

/** How a refusal asks for credentials: the status and the `WWW-Authenticate` header (RFC 6750, section 3). */
export interface Challenge {
  readonly status: 401 | 403;
  readonly header: string;
}

const challenges = new WeakMap<MCPError, Challenge>();

/** Gives `error` the challenge that HTTP clients get with it. */
export function withChallenge<E extends MCPError>(error: E, challenge: Challenge): E {
  challenges.set(error, challenge);
  return error;
}

export function challengeOf(error: MCPError): Challenge | undefined {
  return challenges.get(error);
}

/** A set that is shared by requests: one that changed it would change what others may do. */
function frozenSet(values: Iterable<string> | undefined): ReadonlySet<string> {
  const set = new Set(values);
  const value = () => {
    throw new TypeError("Roles and scopes of a client cannot be changed.");
  };
  return Object.defineProperties(set, { add: { value }, delete: { value }, clear: { value } });
}

/** The longest that a timer can wait, in milliseconds. */
const LONGEST_WAIT = 2_147_483_647;

/** Calls `end` when the credentials of `identity` expire, unless the returned function is called before. */
export function whenExpired(identity: VerifiedIdentity | undefined, end: () => void): () => void {
  const wait = identity?.expiresAt === undefined ? Infinity : identity.expiresAt * 1_000 - Date.now();
  if (wait > LONGEST_WAIT) return () => {};
  const timer = setTimeout(end, Math.max(0, wait));
  return () => clearTimeout(timer);
}

function deepFrozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFrozen(member);
  }
  return value;
}
