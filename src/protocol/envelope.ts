/** The envelope of a modern request: `_meta` with version, capabilities and wishes (2026-07-28, "Per-request protocol fields"). */

import { LOG_LEVELS } from "../voice.ts";
import { type RpcRequest, isObject } from "./jsonrpc.ts";
import { META } from "./versions.ts";

export type Meta = Readonly<Record<string, unknown>>;

/** Whether a request carries the modern envelope, be it right or wrong. */
export function claimsModern({ params }: RpcRequest): boolean {
  const meta = params?.["_meta"];
  return isObject(meta) && Object.hasOwn(meta, META.protocolVersion);
}

/** What is wrong with an envelope, in words for its sender. */
export function envelopeProblem(meta: Meta): string | undefined {
  if (typeof meta[META.protocolVersion] !== "string")
    return `_meta["${META.protocolVersion}"] must be a string.`;
  if (!isObject(meta[META.clientCapabilities]))
    return `_meta["${META.clientCapabilities}"] must be an object.`;
  const info = meta[META.clientInfo];
  if (
    info !== undefined &&
    !(isObject(info) && typeof info["name"] === "string" && typeof info["version"] === "string")
  ) {
    return `_meta["${META.clientInfo}"] must be an object with the strings "name" and "version".`;
  }
  const token = meta["progressToken"];
  if (token !== undefined && typeof token !== "string" && !Number.isSafeInteger(token)) {
    return "_meta.progressToken must be a string or an integer.";
  }
  const level = meta[META.logLevel];
  const known = level === undefined || (LOG_LEVELS as readonly unknown[]).includes(level);
  return known ? undefined : `_meta["${META.logLevel}"] must be one of ${LOG_LEVELS.join(", ")}.`;
}
