/** The layer that finds out who calls, as the core knows it; `auth/` makes it. */

import type { Deployment, Grants } from "../calls/client.ts";
import type { ComponentDefinition } from "../components/definitions.ts";
import type { Middleware, MiddlewareLayer, PassingLayer } from "../calls/compose.ts";
import type { RequestContext } from "../calls/context.ts";
import { isLimiting } from "../components/limits.ts";
import { NOUNS } from "../calls/operation.ts";
import { Policy } from "../access/policy.ts";

/** A layer that establishes identity where it stands. */
export interface AuthenticationLayer extends PassingLayer {
  readonly authentication: Authentication;
}

export interface Authentication {
  /** Makes who calls known, where the request says so; refuses nobody. */
  readonly identify: (ctx: RequestContext) => Promise<void>;
  /** The layer where it is asked who gets in at all: it finds out who calls, and no more. */
  readonly admission: PassingLayer;
  /** Whether components that declare nothing stay open to anybody. */
  readonly optional: boolean;
  /** All that its callers can ever be, where that is known. */
  readonly grants: Grants | undefined;
  /** What is wrong with it where the server is reached. */
  readonly problems: (deployment: Deployment) => readonly string[];
  /** The URL that clients and authorization servers know the server by, where it is a protected resource. */
  readonly resource: string | undefined;
  /** What it serves beside the MCP endpoint. */
  readonly routes: readonly Route[];
}

/** Something that is served beside the MCP endpoint. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Whether pages of any origin may read it. */
  readonly open?: boolean;
  /** What it always answers: two with the same are one. */
  readonly document?: string;
  /** Whether programs of this machine alone may call it. */
  readonly local?: boolean;
  /** Who may call it, where not everybody may: whoever has the token, or without one callers that are identified. */
  readonly guarded?: { readonly token: string | undefined };
  /** What the server says on stdio, where nobody reaches it and its author may wait for somebody to. */
  readonly missedOnStdio?: string;
  /** What the server says of it when it starts. */
  readonly notice?: string;
  /** What is wrong with it where the server is reached: told at the start, in full sentences. */
  readonly problems?: (deployment: Deployment) => readonly string[];
  readonly handle: (request: Request) => Response | Promise<Response>;
}

/** What is authenticated among these layers. */
export function authenticationsIn(layers: readonly Middleware[]): readonly Authentication[] {
  return layers.flatMap((layer) => (isAuthentication(layer) ? [layer.authentication] : []));
}

export function isAuthentication(layer: Middleware): layer is AuthenticationLayer {
  return typeof layer === "object" && "authentication" in layer;
}

/** These layers where it is asked who gets in at all: nothing but authenticators. */
export function admitting(layers: readonly Middleware[]): readonly MiddlewareLayer[] {
  return authenticationsIn(layers).map(({ admission }) => admission);
}

/** Layers that make known who calls, for lists that show components of servers with authenticators of their own. */
export function recognising(
  definitions: readonly ComponentDefinition[],
  own: readonly Middleware[],
): readonly MiddlewareLayer[] {
  const foreign = new Set(definitions.flatMap(({ layers }) => authenticationsIn(layers)));
  for (const authentication of authenticationsIn(own)) foreign.delete(authentication);
  return [...foreign].map(({ identify }) => ({
    name: "recognise",
    handle: async (ctx, next) => {
      if (!ctx.client.authenticated) await identify(ctx);
      return next();
    },
  }));
}

/**
 * Layers that count what they cannot know yet, or under a name that another has: each told once.
 *
 * @param isShared - Whether all that is counted is counted together with other processes.
 */
export function orderProblems(
  definitions: readonly ComponentDefinition[],
  server: readonly Middleware[],
  isShared: boolean,
): readonly string[] {
  const problems = new Set<string>();
  const counting = new Map<string, Middleware>();
  const onions = definitions.map(({ kind, key, layers }) => ({
    component: `${kind}:${key}`,
    layers: [...server, ...layers],
  }));
  for (const { component, layers } of [{ component: "", layers: server }, ...onions]) {
    const identified = layers.findIndex(isAuthentication);
    layers.forEach((layer, index) => {
      if (!isLimiting(layer)) return;
      const { store, id, byIdentity, perTool } = layer.limiting;
      if (byIdentity && index < identified) {
        problems.add(
          `${layer.name}() counts callers, and stands outside authenticate(), which finds out who calls. Write server.use(${layer.name}(…)) after server.use(authenticate(…)), or count by: "address".`,
        );
      }
      // In this process each layer has places and circuits of its own.
      if (store !== "limits" && !isShared) return;
      const name = [store, id, ...(perTool ? [component] : [])].join(" ");
      const other = counting.get(name) ?? layer;
      if (other !== layer)
        problems.add(
          `Two ${layer.name}() count under one name, "${id}". Give each a name of its own: ${layer.name}({ name: "reports", … }).`,
        );
      counting.set(name, other);
    });
  }
  return [...problems];
}

/** What a component asks of its callers that none of them could ever have: it would be closed to all, or open to all. */
export function identityProblems(
  definition: ComponentDefinition,
  server: readonly Middleware[],
): readonly string[] {
  const { kind, key, access, layers } = definition;
  const authentications = authenticationsIn([...server, ...layers]);
  const what = `${NOUNS[kind]} "${key}"`;
  const policy = new Policy(access, false);
  if (!policy.authenticated) return [];
  if (authentications.length === 0) {
    return [
      `${what} asks who calls, and nothing finds that out. Write server.use(authenticate(jwtAuth({ … }))) before the server starts, or make it public: true.`,
    ];
  }
  const isPublic = definition.kind === "resource" && definition.cacheHint?.scope === "public";
  const shared = isPublic
    ? [`${what} asks who calls, and its cacheHint lets others keep the answer. Leave out scope: "public".`]
    : [];
  return [...shared, ...unmet(what, policy, authentications)];
}

function unmet(what: string, policy: Policy, authentications: readonly Authentication[]): readonly string[] {
  return policy
    .unmet(authentications.map(({ grants }) => grants))
    .map((need) => `${what} asks for ${need}, which no caller can have: the authenticator never grants it.`);
}
