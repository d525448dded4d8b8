/** Token introspection, by oauth4webapi: the one file that imports it, loaded with the first token. */

import {
  ClientSecretBasic,
  ClientSecretPost,
  allowInsecureRequests,
  customFetch,
  introspectionRequest,
  processIntrospectionResponse,
} from "oauth4webapi";
import type { Claims } from "./claims.ts";
import { readText } from "./remote-json.ts";

const TIME_LIMIT = 5_000;

/** Who asks, and how it proves that it may. */
export interface IntrospectionClient {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where the secret stands: in the `Authorization` header, or in the body. */
  readonly secretIn: "header" | "body";
}

/**
 * Asks the authorization server about a token (RFC 7662, section 2). Throws where there is no proper answer; no
 * error has the token, the secret, or what was answered.
 */
export async function introspect(
  endpoint: string,
  { clientId, clientSecret, secretIn }: IntrospectionClient,
  token: string,
): Promise<Claims & { readonly active: boolean }> {
  const server = { issuer: new URL(endpoint).origin, introspection_endpoint: endpoint };
  const client = { client_id: clientId };
  const secret = (secretIn === "body" ? ClientSecretPost : ClientSecretBasic)(clientSecret);
  try {
    const response = await introspectionRequest(server, client, secret, token, {
      signal: AbortSignal.timeout(TIME_LIMIT),
      [customFetch]: fetchLimited,
      // The options have let http: pass for this machine alone.
      [allowInsecureRequests]: endpoint.startsWith("http:"),
    });
    return await processIntrospectionResponse(server, client, response);
  } catch (error) {
    // oxlint-disable-next-line preserve-caught-error -- its causes have what was answered
    throw new Error(`Introspection at ${endpoint} failed: ${reason(error)}`);
  }
}

/** Fetches as it is told, and reads no more than an answer may have. */
async function fetchLimited(url: string, init: object): Promise<Response> {
  const response = await fetch(url, init);
  const { status, headers } = response;
  return new Response(await readText(response, url), { status, headers });
}

/** Why there was no answer, in words that are not the answer's. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return "no answer";
  const { message, cause, status } = error as Error & { readonly status?: number };
  if (status !== undefined) return `${message} (status ${status})`;
  // What fetch rejects with: the cause is of the network.
  return error instanceof TypeError && cause instanceof Error ? `${message}: ${cause.message}` : message;
}
