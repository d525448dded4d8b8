/** Signed tokens for tests, with a key pair of their own. */

import type { PublicJwk } from "../auth/crypto.ts";
import { type Duration, milliseconds } from "../core/options/duration.ts";

export interface TestTokensOptions {
  /** The claim `iss` of all tokens. */
  readonly issuer?: string;
  /** The claim `aud` of all tokens. */
  readonly audience?: string | readonly string[];
}

/** An issuer of tokens, who exists for a test. */
export interface TestTokens {
  /** What `jwtAuth` verifies them with. */
  readonly publicKey: PublicJwk;
  /**
   * Signs a token (ES256).
   *
   * @param claims - What it says. What stands here counts: `exp`, `iss` and `aud` too.
   * @param options.expiresIn - How long it holds. Default: `"1h"`.
   */
  readonly issue: (
    claims?: Readonly<Record<string, unknown>>,
    options?: { readonly expiresIn?: Duration },
  ) => Promise<string>;
}

/**
 * Issues real tokens, with a new key pair: a server that takes those of an identity provider is given this key in its
 * place, and verifies everything as it always does.
 *
 * @example
 * ```ts
 * const tokens = await testTokens({ issuer: "https://id.example.com", audience: "https://tasks.example.com/mcp" });
 * const server = taskServer(jwtAuth({ publicKey: tokens.publicKey, issuer: "https://id.example.com", audience: "https://tasks.example.com/mcp" }));
 * const ada = await TestClient.connect(server, { token: await tokens.issue({ sub: "ada", roles: ["admin"] }) });
 * const late = await tokens.issue({ sub: "ada", exp: 0 });
 * ```
 */
export async function testTokens({ issuer, audience }: TestTokensOptions = {}): Promise<TestTokens> {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["sign", "verify"],
  );
  return {
    publicKey: (await crypto.subtle.exportKey("jwk", publicKey)) as PublicJwk,
    issue: async (claims = {}, { expiresIn = "1h" } = {}) => {
      const now = Math.floor(Date.now() / 1_000);
      const lifetime = Math.floor(milliseconds(expiresIn, "issue(): expiresIn") / 1_000);
      const head = encoded({ alg: "ES256", typ: "JWT" });
      const body = encoded({ iss: issuer, aud: audience, iat: now, exp: now + lifetime, ...claims });
      const signed = new TextEncoder().encode(`${head}.${body}`);
      const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, signed);
      return `${head}.${body}.${Buffer.from(signature).toString("base64url")}`;
    },
  };
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
