/** Which calls are alike: one text for those that may have the same result, and for no others. */

import { base64 } from "../core/values/base64.ts";
import type { CacheScope } from "../core/components/caching.ts";
import type { VerifiedIdentity } from "../core/calls/client.ts";
import { type RequestContext, identityOf, originOf } from "../core/calls/context.ts";

/** Deeper than arguments are let in. */
const DEEPEST = 128;

const NO_DATA = new TypeError("no data");

/**
 * One text for equal data, whatever the order of its keys: JSON, and more where JSON would lose what tells values apart.
 * `undefined` where the value is or holds no data, such as an object of a class.
 *
 * @param special - Gives a text of its own for some values.
 */
export function dataKey(value: unknown, special?: (value: object) => string | undefined): string | undefined {
  try {
    return write(value, special, 0);
  } catch (error) {
    if (error === NO_DATA) return undefined;
    throw error;
  }
}

function write(value: unknown, special: Parameters<typeof dataKey>[1], depth: number): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "boolean":
    case "undefined":
      return String(value);
    case "bigint":
      return `${value}n`;
    case "object":
      break;
    default:
      throw NO_DATA;
  }
  if (value === null) return "null";
  if (depth > DEEPEST) throw NO_DATA;
  const own = special?.(value);
  if (own !== undefined) return own;
  const inner = (item: unknown) => write(item, special, depth + 1);
  if (Array.isArray(value)) return `[${value.map(inner).join()}]`;
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Uint8Array) return `Bytes(${base64(value)})`;
  if (value instanceof Set) return `Set${inner([...value])}`;
  if (value instanceof Map) return `Map${inner([...value])}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw NO_DATA;
  const members = Object.keys(value).toSorted((a, b) => (a < b ? -1 : 1));
  return `{${members.map((key) => `${JSON.stringify(key)}:${inner((value as Record<string, unknown>)[key])}`).join()}}`;
}

const callers = new WeakMap<VerifiedIdentity, string>();
const tenants = new WeakMap<VerifiedIdentity, string>();

/** Who is asking, as JSON: stable over a change of tokens, and another as soon as roles or scopes change. */
export function callerKey(scope: CacheScope, ctx: RequestContext): string {
  if (scope === "shared") return '"all"';
  const identity = identityOf(ctx);
  // Of others nothing is known but where they are: where even that is not, as on stdio, there is one.
  if (!identity) return JSON.stringify(["address", originOf(ctx).address?.()]);
  const isTenant = scope === "tenant" && identity.tenantId !== undefined;
  const known = isTenant ? tenants : callers;
  let key = known.get(identity);
  if (key === undefined) {
    const who = isTenant ? ["tenant", identity.issuer, identity.tenantId] : ["caller", identity.principal];
    key = JSON.stringify([...who, [...identity.roles].toSorted(), [...identity.scopes].toSorted()]);
    known.set(identity, key);
  }
  return key;
}
