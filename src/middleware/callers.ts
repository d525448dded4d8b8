/** Who shares a limit: one text for all calls that are counted together. */

import { type RequestContext, identityOf, originOf } from "../core/calls/context.ts";
import { shown } from "../core/options/known-options.ts";
import type { CountedBy } from "../core/components/limits.ts";
import { network } from "./network.ts";

/** Gives who calls, or `undefined` where the call is not counted. */
export type CallerOf = (ctx: RequestContext) => string | undefined;

/** What tells callers apart. Nothing of it is what a caller could choose: forwarded addresses count from trusted proxies alone. */
export function callerOf(by: CountedBy): CallerOf {
  if (typeof by === "function") return (ctx) => named(by(ctx));
  switch (by) {
    case "server":
      return () => "all";
    case "address":
      return address;
    case "tenant":
      return (ctx) => {
        const tenant = identityOf(ctx)?.tenantId;
        return tenant === undefined ? client(ctx) : `tenant ${tenant}`;
      };
    case "client":
      return client;
  }
}

/** Other values would be one text for many callers, as promises are. */
function named(caller: unknown): string | undefined {
  if (caller === undefined || typeof caller === "string") return caller;
  throw new Error(`by gave ${shown(caller)}: give a text at once, or undefined where a call does not count.`);
}

/** Whether callers have to be known for this. */
export function goesByIdentity(by: CountedBy): boolean {
  return by === "client" || by === "tenant";
}

function client(ctx: RequestContext): string {
  const identity = identityOf(ctx);
  return identity ? `client ${identity.principal}` : address(ctx);
}

/** Where an address is not known, as on stdio, there is one caller, or no way to tell them apart. */
function address(ctx: RequestContext): string {
  const known = originOf(ctx).address?.();
  return known === undefined ? "local" : `address ${network(known)}`;
}
