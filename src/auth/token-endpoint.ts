/** The token endpoint for development: it stands in for an identity provider (RFC 6749, sections 4.4 and 6). */

import type { Route } from "../core/identity/authentication.ts";
import type { Deployment } from "../core/calls/client.ts";
import { milliseconds } from "../core/options/duration.ts";
import type { TokenClient, TokenEndpointOptions, JwtIssuer } from "../core/identity/tokens.ts";
import { equalInConstantTime, sha256 } from "./crypto.ts";
import { type Grant, RefreshTokens } from "./refresh-tokens.ts";
import {
  type TokenFields,
  TokenRefusal,
  invalidRequest,
  tokenFields,
  tokenResponse,
} from "./token-request.ts";

/** Answers `POST <path>` with tokens that `issuer` accepts. */
export function tokenEndpoint(issuer: JwtIssuer, options: TokenEndpointOptions): Route {
  const { clients, path = "/auth/token" } = options;
  const endpoint = new TokenEndpoint(issuer, options);
  return {
    method: "POST",
    path,
    local: true,
    missedOnStdio:
      'Over stdio nobody can ask for tokens: sign the caller\'s yourself, run({ transport: "stdio", token: await jwt.issue({ sub: "agent" }) }), or run over HTTP',
    notice: `POST ${path} issues tokens to ${Object.keys(clients).join(", ")}: for development only`,
    problems: (deployment) => fences(path, deployment),
    handle: (request) => tokenResponse(async () => endpoint.answer(await tokenFields(request))),
  };
}

/** Why the endpoint must not be where the server is reached. */
function fences(path: string, { exposed, production }: Deployment): readonly string[] {
  const reasons = [
    ...(production ? ["is for development, and NODE_ENV is production"] : []),
    ...(exposed ? ["is for programs of this machine, and the server is reached from others"] : []),
  ];
  return reasons.map(
    (reason) =>
      `The token endpoint ${path} ${reason}. Leave enableTokenEndpoint() out there, and take the tokens of an identity provider: authenticate(jwtAuth({ discovery: process.env.ISSUER_URL, … })).`,
  );
}

class TokenEndpoint {
  readonly #issuer: JwtIssuer;
  readonly #lifetime: number;
  readonly #clients = new Map<string, { readonly client: TokenClient; readonly digest: string }>();
  /** What the secret of a client is compared with that does not exist. */
  readonly #nobody = sha256(crypto.randomUUID());
  readonly #refreshTokens: RefreshTokens | undefined;
  readonly #failures = new Failures();

  constructor(
    issuer: JwtIssuer,
    { clients, expiresIn = "1h", refreshExpiresIn = "24h" }: TokenEndpointOptions,
  ) {
    this.#issuer = issuer;
    this.#lifetime = milliseconds(expiresIn, "expiresIn");
    if (refreshExpiresIn !== false)
      this.#refreshTokens = new RefreshTokens(milliseconds(refreshExpiresIn, "refreshExpiresIn"));
    for (const [id, client] of Object.entries(clients))
      this.#clients.set(id, { client, digest: sha256(client.secret) });
  }

  answer(fields: TokenFields): Promise<object> {
    switch (fields["grant_type"] ?? "client_credentials") {
      case "client_credentials":
        return this.#byClient(fields);
      case "refresh_token":
        return this.#byRefreshToken(fields);
      default:
        throw new TokenRefusal(
          400,
          "unsupported_grant_type",
          "Use the grant_type 'client_credentials' or 'refresh_token'.",
        );
    }
  }

  #byClient(fields: TokenFields): Promise<object> {
    const clientId = this.#identified(fields);
    const { scopes = [] } = this.#clients.get(clientId)?.client ?? {};
    const grant = { clientId, scopes: narrowed(scopes, fields["scope"]) };
    return this.#tokens(grant, this.#refreshTokens?.first(grant));
  }

  #byRefreshToken(fields: TokenFields): Promise<object> {
    if (!this.#refreshTokens) throw invalidRequest("Refresh tokens are disabled on this server.");
    const { refresh_token: token } = fields;
    if (typeof token !== "string" || token === "") throw invalidRequest("'refresh_token' is required.");
    const named = "client_id" in fields || "client_secret" in fields;
    const clientId = named ? this.#identified(fields) : undefined;
    this.#failures.check();
    const taken = this.#refreshTokens.take(token);
    if (!taken || (clientId !== undefined && taken.grant.clientId !== clientId)) {
      this.#failures.add();
      throw new TokenRefusal(401, "invalid_grant", "Invalid or expired refresh token.");
    }
    return this.#tokens(taken.grant, taken.next());
  }

  /** The client whose secret is sent. An unknown client costs the same work as a wrong secret, and is told the same. */
  #identified({ client_id: id, client_secret: secret }: TokenFields): string {
    if (typeof id !== "string" || typeof secret !== "string" || id === "" || secret === "")
      throw invalidRequest("Both 'client_id' and 'client_secret' are required.");
    this.#failures.check();
    if (!equalInConstantTime(sha256(secret), this.#clients.get(id)?.digest ?? this.#nobody)) {
      this.#failures.add();
      throw new TokenRefusal(401, "invalid_client", "Invalid client_id or client_secret.");
    }
    return id;
  }

  async #tokens({ clientId, scopes }: Grant, refreshToken: string | undefined): Promise<object> {
    const { roles = [], claims = {}, tenantId } = this.#clients.get(clientId)?.client ?? {};
    const scope = scopes.length > 0 ? { scope: scopes.join(" ") } : {};
    const token = await this.#issuer.issue(
      { ...claims, sub: clientId, roles, ...scope, ...(tenantId !== undefined && { tenant_id: tenantId }) },
      { expiresIn: this.#lifetime },
    );
    return {
      access_token: token,
      token_type: "bearer",
      expires_in: Math.floor(this.#lifetime / 1_000),
      ...(refreshToken !== undefined && { refresh_token: refreshToken }),
      ...scope,
    };
  }
}

/** The scopes that are asked for, all of which are granted; without any asked for, all granted ones. */
function narrowed(granted: readonly string[], asked: unknown): readonly string[] {
  if (asked === undefined || asked === "") return granted;
  const scopes = typeof asked === "string" ? [...new Set(asked.split(" "))] : [];
  if (scopes.length === 0 || !scopes.every((scope) => granted.includes(scope)))
    throw new TokenRefusal(400, "invalid_scope", "The client may not have all of these scopes.");
  return scopes;
}

/** After so many wrong secrets and tokens within a minute nobody gets any. */
const MOST_FAILURES = 5;
const WINDOW = 60_000;

/**
 * The wrong secrets and tokens of the last minute. They are not counted by address: all callers are programs of
 * this machine, and each of those has 16 million addresses.
 */
class Failures {
  #times: readonly number[] = [];

  /** Throws where there were too many. */
  check(): void {
    const now = Date.now();
    this.#times = this.#times.filter((time) => time > now - WINDOW);
    const [first] = this.#times;
    if (first === undefined || this.#times.length < MOST_FAILURES) return;
    const wait = Math.ceil((first + WINDOW - now) / 1_000);
    throw new TokenRefusal(429, "too_many_requests", `Too many failed attempts. Try again in ${wait} s.`, {
      "retry-after": String(wait),
    });
  }

  add(): void {
    this.#times = [...this.#times, Date.now()];
  }
}
