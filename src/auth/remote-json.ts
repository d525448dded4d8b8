/** Documents of an authorization server: its metadata and its keys. */

import { isLoopback } from "../core/values/loopback.ts";

const TIME_LIMIT = 5_000;
const LARGEST = 262_144;

/** Fetches a JSON object: no redirects, at most 5 s and 256 KiB. The server is the author's choice, not the caller's. */
export async function fetchJson(url: string): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(url, {
    redirect: "error",
    headers: { accept: "application/json" },
    signal: AbortSignal.timeout(TIME_LIMIT),
  });
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel();
    throw new Error(`${url} answered with status ${response.status}`);
  }
  const value: unknown = JSON.parse(await readText(response, url));
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${url} answered with no JSON object`);
  return value as Readonly<Record<string, unknown>>;
}

/** The text of what `url` answered. Throws where there is too much of it. */
export async function readText({ body }: Response, url: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > LARGEST) throw new Error(`${url} answered with more than ${LARGEST} characters`);
  }
  return text + decoder.decode();
}

/**
 * The metadata of an authorization server (RFC 8414, section 3; OpenID Connect Discovery, section 4), in the order
 * in which MCP clients ask for it. Its `issuer` is the one that was asked, to the letter.
 */
export async function discover(issuer: string): Promise<Readonly<Record<string, unknown>>> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname === "/" ? "" : pathname.replace(/\/$/, "");
  const places = new Set([
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]);
  let failure: unknown;
  for (const place of places) {
    try {
      const metadata = await fetchJson(place);
      if (metadata["issuer"] === issuer) return metadata;
      failure = new Error(`${place} names another issuer than ${issuer}`);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** A URL that `metadata` has under `name`. Throws where it has none, or one over which anybody could answer. */
export function endpointIn(metadata: Readonly<Record<string, unknown>>, name: string): string {
  const url = metadata[name];
  const isLocal = String(metadata["issuer"]).startsWith("http:");
  if (typeof url === "string" && isSafeUrl(url) && (isLocal || url.startsWith("https:"))) return url;
  throw new Error(`The metadata of the authorization server have no https: URL as ${name}`);
}

/** Whether what is fetched there is what its owner wrote: over http: only within one machine. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}
