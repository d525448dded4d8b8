/** The layer that finds out who calls, as the core knows it; `auth/` makes it. */

import type { Deployment, Grants } from "./client.ts";
import type { ComponentDefinition } from "./components.ts";
import type { Middleware, MiddlewareLayer } from "./compose.ts";
import { Policy } from "./policy.ts";

/** A layer that establishes identity where it stands. */
export interface AuthenticationLayer extends MiddlewareLayer {
  readonly authentication: Authentication;
}

export interface Authentication {
  /** Whether components that declare nothing stay open to anybody. */
  readonly optional: boolean;
  /** All that its callers can ever be, where that is known. */
  readonly grants: Grants | undefined;
  /** What is wrong with it where the server is reached. */
  readonly problems: (deployment: Deployment) => readonly string[];
  /** What it serves beside the MCP endpoint. */
  readonly routes: readonly Route[];
}

/** Something that is served beside the MCP endpoint. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Whether pages of any origin may read it. */
  readonly open?: boolean;
  readonly handle: (
    request: Request,
    origin: { readonly address: string | undefined },
  ) => Response | Promise<Response>;
}

/** What is authenticated among these layers. */
export function authenticationsIn(layers: readonly Middleware[]): readonly Authentication[] {
  return layers.flatMap((layer) => (isAuthentication(layer) ? [layer.authentication] : []));
}

export function isAuthentication(layer: Middleware): layer is AuthenticationLayer {
  return typeof layer === "object" && "authentication" in layer;
}

const NOUNS = { tool: "Tool", resource: "Resource", prompt: "Prompt" } as const;

/** What a component asks of its callers that none of them could ever have: it would be closed to all, or open to all. */
export function identityProblems(
  { kind, key, access }: ComponentDefinition,
  authentications: readonly Authentication[],
): readonly string[] {
  const what = `${NOUNS[kind]} "${key}"`;
  const policy = new Policy(access, false);
  if (!policy.authenticated) return [];
  if (authentications.length === 0) {
    return [
      `${what} asks who calls, and nothing finds that out. Write server.use(authenticate(jwtAuth({ … }))) before the server starts, or make it public: true.`,
    ];
  }
  return policy
    .unmet(authentications.map(({ grants }) => grants))
    .map((need) => `${what} asks for ${need}, which no caller can have: the authenticator never grants it.`);
}
