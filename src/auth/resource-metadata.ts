/** The server as an OAuth 2.1 protected resource: its metadata (RFC 9728). */

import type { Route } from "../authentication.ts";

/** What clients learn of the server as an OAuth 2.1 protected resource. All or nothing: `resource` begins it. */
export interface ProtectedResourceOptions {
  /**
   * The canonical URL of the MCP endpoint, such as `https://tasks.example.com/mcp`: tokens are asked for it
   * (RFC 8707). With it the server serves its metadata, and refusals name them.
   */
  readonly resource?: string;
  /** The issuers of its tokens. At least one. */
  readonly authorizationServers?: readonly string[];
  /** The scopes that clients ask for to begin with. */
  readonly scopesSupported?: readonly string[];
  /** A name for people. */
  readonly resourceName?: string;
  /** A page for developers. */
  readonly resourceDocumentation?: string;
}

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

/** Where the metadata of `resource` are: its path stands behind the well-known one (RFC 9728, section 3.1). */
export function metadataUrl(resource: string): string {
  const url = new URL(resource);
  return `${url.origin}${WELL_KNOWN}${url.pathname === "/" ? "" : url.pathname}`;
}

/** The metadata, under the path of the resource and at the root. */
export function metadataRoutes(options: ProtectedResourceOptions): readonly Route[] {
  const { resource, authorizationServers, scopesSupported, resourceName, resourceDocumentation } = options;
  if (resource === undefined) return [];
  const body = JSON.stringify({
    resource,
    authorization_servers: authorizationServers,
    scopes_supported: scopesSupported,
    bearer_methods_supported: ["header"],
    resource_name: resourceName,
    resource_documentation: resourceDocumentation,
  });
  const handle = () =>
    new Response(body, {
      headers: { "content-type": "application/json", "cache-control": "public, max-age=3600" },
    });
  const paths = new Set([new URL(metadataUrl(resource)).pathname, WELL_KNOWN]);
  return [...paths].map((path) => ({ method: "GET", path, open: true, handle }));
}

/** What is wrong with the options, in full sentences. */
export function resourceProblems({
  resource,
  authorizationServers,
  scopesSupported = [],
}: ProtectedResourceOptions): readonly string[] {
  if (resource === undefined) {
    return authorizationServers || scopesSupported.length > 0
      ? [
          'authenticate(): authorizationServers and scopesSupported describe a resource. Name it: { resource: "https://tasks.example.com/mcp" }.',
        ]
      : [];
  }
  const problems: string[] = [];
  if (!isSafeUrl(resource) || resource.includes("#"))
    problems.push(
      'authenticate(): resource must be the https: URL of the MCP endpoint, without a fragment, such as "https://tasks.example.com/mcp".',
    );
  if (!authorizationServers?.length || !authorizationServers.every(isSafeUrl))
    problems.push(
      'authenticate(): authorizationServers needs at least one https: issuer: { authorizationServers: ["https://id.example.com"] }.',
    );
  const broad = scopesSupported.filter((scope) => ["*", "all", "offline_access"].includes(scope));
  if (broad.length > 0)
    problems.push(
      `authenticate(): scopesSupported has ${broad.join(", ")}. Name the few scopes that clients begin with.`,
    );
  return problems;
}

/** Tokens and their metadata travel over https:; over http: within one machine alone. */
function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (
    protocol === "https:" || (protocol === "http:" && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(hostname))
  );
}
