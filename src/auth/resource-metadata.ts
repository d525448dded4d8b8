/** The server as an OAuth 2.1 protected resource: its metadata (RFC 9728). */

import type { Route } from "../core/identity/authentication.ts";
import { shown } from "../core/options/known-options.ts";
import { isSafeUrl } from "./remote-json.ts";

/** What clients learn of the server as an OAuth 2.1 protected resource. All or nothing: `resource` begins it. */
export interface ProtectedResourceOptions {
  /**
   * The canonical URL of the MCP endpoint, such as `https://tasks.example.com/mcp`: tokens are asked for it
   * (RFC 8707). With it the server serves its metadata, refusals name them, the authenticator has to check issuer
   * and audience, and `http.publicUrl` is this URL unless it is written.
   */
  readonly resource?: string;
  /** The issuers of its tokens. At least one. */
  readonly authorizationServers?: readonly string[];
  /** The few scopes that clients ask for to begin with; what else a call needs, its refusal says. */
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
  return [...paths].map((path) => ({ method: "GET", path, open: true, document: body, handle }));
}

/** What is wrong with the options, in full sentences. */
export function resourceProblems(options: ProtectedResourceOptions): readonly string[] {
  const { resource, authorizationServers, scopesSupported = [] } = options;
  if (resource === undefined) {
    const described = DESCRIPTIONS.filter((name) => options[name] !== undefined);
    return described.length === 0
      ? []
      : [
          `authenticate(): ${described.join(" and ")} describe a resource. Name it: { resource: "https://tasks.example.com/mcp" }.`,
        ];
  }
  return [
    ...nameProblems(resource),
    ...(isList(authorizationServers) &&
    authorizationServers.length > 0 &&
    authorizationServers.every(isSafeUrl)
      ? []
      : [
          'authenticate(): authorizationServers needs at least one https: issuer: { authorizationServers: ["https://id.example.com"] }.',
        ]),
    ...scopeProblems(scopesSupported),
  ];
}

const DESCRIPTIONS = [
  "authorizationServers",
  "scopesSupported",
  "resourceName",
  "resourceDocumentation",
] as const;

/** Clients and authorization servers compare the name to the letter: there is one way to write it. */
function nameProblems(resource: string): readonly string[] {
  if (!isSafeUrl(resource))
    return [
      `authenticate(): resource is ${shown(resource)}: write the https: URL of the MCP endpoint, such as "https://tasks.example.com/mcp".`,
    ];
  const { origin, pathname } = new URL(resource);
  const canonical = `${origin}${pathname.replace(/\/+$/, "")}`;
  return resource === canonical
    ? []
    : [`authenticate(): resource is ${shown(resource)}: write its canonical form, ${shown(canonical)}.`];
}

/** Tokens that may do everything are what clients are to be kept from asking for. */
function scopeProblems(scopes: unknown): readonly string[] {
  // RFC 6749, section 3.3: between spaces, printable ASCII without quotes and backslashes.
  if (!isList(scopes) || !scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)))
    return ['authenticate(): scopesSupported needs scopes, one in each text: ["tasks:read", "tasks:write"].'];
  const broad = scopes.filter((scope) => scope.includes("*") || ["all", "offline_access"].includes(scope));
  return broad.length === 0
    ? []
    : [
        `authenticate(): scopesSupported has ${broad.join(", ")}. Name the few scopes that clients begin with.`,
      ];
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
