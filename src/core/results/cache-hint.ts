/** How long and for whom clients may keep a result (2026-07-28, "Caching"). */

import { type Duration, milliseconds } from "../options/duration.ts";
import { ConfigurationError } from "../errors.ts";
import { type Names, checkKnown, shown } from "../options/known-options.ts";

export interface CacheHint {
  /** How long the result may be considered fresh. */
  readonly ttl: Duration;
  /** Whether others than its caller may be given it. Default: derived, `"private"` unless it depends on no caller. */
  readonly scope?: "public" | "private";
}

const HINT: Names<CacheHint> = { ttl: true, scope: true };

/** Throws a {@link ConfigurationError} where an author's hint is none. */
export function checkHint(what: string, hint: unknown): void {
  if (hint === undefined) return;
  if (typeof hint !== "object" || hint === null)
    throw new ConfigurationError(`${what} is ${shown(hint)}: write one such as { ttl: "5m" }.`);
  checkKnown(what, hint, HINT);
  const { ttl, scope } = hint as CacheHint;
  milliseconds(ttl, `${what}: ttl`);
  if (scope !== undefined && scope !== "public" && scope !== "private")
    throw new ConfigurationError(`${what}: scope is ${shown(scope)}. Write "public" or "private".`);
}

/** The members of a result that tell the hint, ready to stand after others. */
export function hintJson(hint: CacheHint | undefined, dependsOnCaller: boolean, what: string): string {
  const { ttl = 0, scope = dependsOnCaller ? "private" : "public" } = hint ?? {};
  return `,"ttlMs":${Math.round(milliseconds(ttl, `${what}: ttl`))},"cacheScope":"${scope}"`;
}

/** The hint of a result that was made for a known caller: whatever its author says, it is that caller's alone. */
export function privateHintJson(hint: CacheHint | undefined, what: string): string {
  return hintJson({ ttl: 0, ...hint, scope: "private" }, true, what);
}

/** What is said of results that nobody may keep. */
export const NOT_CACHEABLE = ',"ttlMs":0,"cacheScope":"private"';

/** The members of a hint as an object, for who does not write JSON by hand. */
export function hintMembers(json: string): {
  readonly ttlMs: number;
  readonly cacheScope: "public" | "private";
} {
  return JSON.parse(`{${json.slice(1)}}`) as ReturnType<typeof hintMembers>;
}
