/** The envelope of a modern request: `_meta` with version, capabilities and wishes (2026-07-28, "Per-request protocol fields"). */

import { LOG_LEVELS } from "../core/dialogue/voice.ts";
import { isObject } from "../core/values/json.ts";
import { type RpcRequest } from "./jsonrpc.ts";
import { META } from "./versions.ts";

export type Meta = Readonly<Record<string, unknown>>;

type Claiming = Pick<RpcRequest, "params">;

/** Whether a message carries the modern envelope, be it right or wrong. */
export function claimsModern(message: Claiming): boolean {
  return claimedVersion(message) !== undefined;
}

/** The revision that the envelope of a message names, be it one or not. */
export function claimedVersion({ params }: Claiming): unknown {
  const meta = params?.["_meta"];
  return isObject(meta) && Object.hasOwn(meta, META.protocolVersion) ? meta[META.protocolVersion] : undefined;
}

/** What is wrong with an envelope, in words for its sender. */
export function envelopeProblem(meta: Meta): string | undefined {
  if (typeof meta[META.protocolVersion] !== "string")
    return `_meta["${META.protocolVersion}"] must be a string.`;
  if (!isObject(meta[META.clientCapabilities]))
    return `_meta["${META.clientCapabilities}"] must be an object.`;
  const info = meta[META.clientInfo];
  if (info !== undefined && !isClientInfo(info)) {
    return `_meta["${META.clientInfo}"] must be an object with the strings "name" and "version".`;
  }
  const unfit = tokenProblem(meta);
  if (unfit !== undefined) return unfit;
  const level = meta[META.logLevel];
  const known = level === undefined || (LOG_LEVELS as readonly unknown[]).includes(level);
  return known ? undefined : `_meta["${META.logLevel}"] must be one of ${LOG_LEVELS.join(", ")}.`;
}

/** Whether `info` says who a client is (specification, "Implementation"). */
export function isClientInfo(info: unknown): boolean {
  return isObject(info) && typeof info["name"] === "string" && typeof info["version"] === "string";
}

/** What is wrong with the token by which a request wants to hear of progress, in every revision. */
export function tokenProblem({ progressToken: token }: Meta): string | undefined {
  return token === undefined || typeof token === "string" || Number.isSafeInteger(token)
    ? undefined
    : "_meta.progressToken must be a string or an integer.";
}
