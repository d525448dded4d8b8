/** A real identity provider on loopback, `oidc-provider`: people sign in, clients register, keys change. */

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Configuration, type JWK, Provider } from "oidc-provider";
import { vi } from "vitest";

export interface ProviderOptions {
  /** The resource that tokens are for (RFC 8707). */
  readonly resource: string;
  /** The scopes of the resource. */
  readonly scopes: readonly string[];
  /** The roles of people, by the name that they sign in with, and of programs. */
  readonly roles?: Readonly<Record<string, readonly string[]>>;
  /** How tokens are written: `opaque` ones are introspected. Default: `jwt`. */
  readonly tokens?: "jwt" | "opaque";
}

/** A program that the provider knows. */
export const ROBOT = { id: "robot", secret: "robot-secret" } as const;

/** An application that the provider knows, on its user's machine: it has no secret. */
export const APP = { id: "app", callback: "http://localhost:3999/callback" } as const;

const COOKIE_KEY = randomUUID();

export class IdentityProvider {
  readonly issuer: string;
  /** How often the key set was asked for. */
  keyFetches = 0;
  readonly #options: ProviderOptions;
  readonly #server: Server;
  #keys: readonly JWK[] = [signingKey()];
  #answer: ReturnType<Provider["callback"]>;

  static async start(options: ProviderOptions): Promise<IdentityProvider> {
    // It says of each default that production wants another.
    for (const method of ["info", "warn"] as const) vi.spyOn(console, method).mockReturnValue(undefined);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new IdentityProvider(server, options);
  }

  private constructor(server: Server, options: ProviderOptions) {
    this.#server = server;
    this.#options = options;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#answer = this.#make().callback();
    server.on("request", (request, response) => {
      if (request.url === "/jwks") this.keyFetches++;
      void this.#answer(request, response);
    });
  }

  /** Signs with a new key from now on. The old ones stay published: what they signed holds until it expires. */
  rotateKeys(): void {
    this.#keys = [signingKey(), ...this.#keys];
    this.#answer = this.#make().callback();
  }

  /** A token of the robot's for the resource, by its own secret (RFC 6749, section 4.4; RFC 8707). */
  async robotToken(scope: string, resource = this.#options.resource): Promise<Response> {
    return await fetch(`${this.issuer}/token`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${ROBOT.id}:${ROBOT.secret}`)}` },
      body: new URLSearchParams({ grant_type: "client_credentials", scope, resource }),
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #make(): Provider {
    const { resource, scopes, roles = {}, tokens = "jwt" } = this.#options;
    const configuration: Configuration = {
      jwks: { keys: [...this.#keys] },
      scopes: [...scopes],
      cookies: { keys: [COOKIE_KEY] },
      clients: [
        {
          client_id: ROBOT.id,
          client_secret: ROBOT.secret,
          grant_types: ["client_credentials"],
          redirect_uris: [],
          response_types: [],
        },
        {
          client_id: APP.id,
          application_type: "native",
          token_endpoint_auth_method: "none",
          grant_types: ["authorization_code"],
          redirect_uris: [APP.callback],
          response_types: ["code"],
        },
      ],
      extraTokenClaims: (_ctx, token) => ({
        roles: roles[("accountId" in token ? token.accountId : token.clientId) ?? ""],
      }),
      features: {
        registration: { enabled: true },
        clientCredentials: { enabled: true },
        introspection: { enabled: true },
        revocation: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_ctx, indicator) => {
            const scope = scopes.join(" ");
            return tokens === "opaque"
              ? { scope, audience: indicator, accessTokenFormat: "opaque" }
              : { scope, audience: indicator, accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } };
          },
          defaultResource: () => resource,
          useGrantedResource: () => true,
        },
      },
      findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    };
    return new Provider(this.issuer, configuration);
  }
}

function signingKey(): JWK {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  return { ...(privateKey.export({ format: "jwk" }) as JWK), kid: randomUUID(), use: "sig", alg: "RS256" };
}

/**
 * What a person with a browser does at the provider: signs in, agrees, and is sent back to the client.
 *
 * @returns Where the browser is sent, with the code.
 */
export async function signIn(authorizationUrl: URL, login: string): Promise<URL> {
  const cookies = new Map<string, string>();
  const { origin } = authorizationUrl;
  let url = authorizationUrl;
  let form: Record<string, string> | undefined;
  for (let steps = 0; steps < 12; steps++) {
    const response = await fetch(url, {
      redirect: "manual",
      headers: { cookie: [...cookies].map((cookie) => cookie.join("=")).join("; ") },
      ...(form && { method: "POST", body: new URLSearchParams(form) }),
    });
    const page = await response.text();
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location === null) {
      const [, prompt] = /name="prompt" value="(\w+)"/.exec(page) ?? [];
      if (prompt === undefined) throw new Error(`The provider answered ${response.status}: ${page}`);
      form = prompt === "login" ? { prompt, login, password: "any" } : { prompt };
    } else {
      url = new URL(location, url);
      form = undefined;
      if (url.origin !== origin) return url;
    }
  }
  throw new Error("The provider never sent the browser back.");
}
