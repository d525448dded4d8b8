/** Which resources a caller may follow: those that it may read. */

import type { RequestContext } from "../calls/context.ts";
import { MCPError } from "../errors.ts";
import type { SealedResource, SealedTemplate } from "./sealed.ts";

/** The filter of a subscription without the resources that its caller may not read: as if they were not there. */
export async function readableUris(
  filter: { readonly resourceSubscriptions?: readonly string[] },
  ctx: RequestContext,
  resources: ReadonlyMap<string, SealedResource>,
  templates: readonly SealedTemplate[],
): Promise<object> {
  const { resourceSubscriptions: uris, ...rest } = filter;
  if (!uris) return filter;
  const readable: string[] = [];
  for (const uri of uris) if (await isReadable(uri, ctx, resources, templates)) readable.push(uri);
  return readable.length > 0 ? { ...rest, resourceSubscriptions: readable } : rest;
}

/** Whether the caller of `ctx` may read what answers to `uri`. */
async function isReadable(
  uri: string,
  ctx: RequestContext,
  resources: ReadonlyMap<string, SealedResource>,
  templates: readonly SealedTemplate[],
): Promise<boolean> {
  const found = resources.get(uri);
  try {
    if (found) {
      found.policy.admit(ctx);
      await found.policy.decide({}, ctx);
      return true;
    }
    for (const { policy, match } of templates) {
      const params = match(uri);
      if (!params) continue;
      policy.admit(ctx);
      await policy.decide(params, ctx);
      return true;
    }
    return false;
  } catch (error) {
    if (error instanceof MCPError) return false;
    throw error;
  }
}
