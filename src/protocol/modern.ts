/** Revision 2026-07-28 over HTTP: every request stands alone, with its envelope in `_meta`. */

import type { Ask, CallEnvelope, ClientInfo } from "../context.ts";
import { type Outcome, dispatch } from "../dispatch.ts";
import type { Page } from "../list.ts";
import type { Logger } from "../ports.ts";
import { isPromise } from "../promises.ts";
import type { Sealed } from "../seal.ts";
import { type Exchange, type Reply, errorReply } from "./exchange.ts";
import { contradiction, missing } from "./headers.ts";
import { RPC, type RequestId, type RpcError, type RpcRequest, isObject } from "./jsonrpc.ts";
import { isMethod, readAsk } from "./methods.ts";
import { isToolFailure, resultText, rpcError, toolFailure } from "./outcome.ts";
import { META, MODERN } from "./versions.ts";

type Meta = Readonly<Record<string, unknown>>;

/** Answers a request that claims to be modern. The order of the checks is the specification's ladder. */
export function answerModern(
  sealed: Sealed,
  request: RpcRequest,
  exchange: Exchange,
  logger: Logger,
): Reply | Promise<Reply> {
  const { id, method, params = {} } = request;
  const meta = isObject(params["_meta"]) ? params["_meta"] : {};
  const problem = envelopeProblem(meta);
  if (problem !== undefined)
    return refuse(id, { code: RPC.invalidParams, message: `Invalid params: ${problem}` });

  const version = meta[META.protocolVersion] as string;
  const contradicted = contradiction(request, version, exchange.header);
  if (contradicted) return refuse(id, contradicted);
  if (version !== MODERN) return refuse(id, unsupportedVersion(version));
  const lacking = missing(request, exchange.header);
  if (lacking) return refuse(id, lacking);

  if (method === "server/discover") return run(sealed, { kind: "discover" }, id, meta, exchange, logger);
  if (!isMethod(method)) return errorReply(404, id, methodNotFound(method));
  const read = readAsk(method, params);
  return "error" in read ? refuse(id, read.error, 200) : run(sealed, read.ask, id, meta, exchange, logger);
}

/** Whether a request carries the modern envelope, be it right or wrong. */
export function claimsModern({ params }: RpcRequest): boolean {
  const meta = params?.["_meta"];
  return isObject(meta) && Object.hasOwn(meta, META.protocolVersion);
}

/** The error for a request that names the modern revision in its header alone. */
export function missingEnvelope(id: RequestId): Reply {
  return refuse(id, {
    code: RPC.invalidParams,
    message: `Invalid params: _meta must carry "${META.protocolVersion}" and "${META.clientCapabilities}".`,
  });
}

export function unsupportedVersion(requested: string): RpcError {
  return {
    code: RPC.unsupportedVersion,
    message: "Unsupported protocol version",
    data: { supported: [MODERN], requested },
  };
}

export function methodNotFound(method: string): RpcError {
  return { code: RPC.methodNotFound, message: `Method not found: ${method.slice(0, 128)}` };
}

function refuse(id: RequestId, error: RpcError, status = 400): Reply {
  return errorReply(status, id, error);
}

function envelopeProblem(meta: Meta): string | undefined {
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
  return level === undefined || LOG_LEVELS.has(level)
    ? undefined
    : `_meta["${META.logLevel}"] must be one of ${[...LOG_LEVELS].join(", ")}.`;
}

const LOG_LEVELS: ReadonlySet<unknown> = new Set([
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
]);

function run(
  sealed: Sealed,
  ask: Ask,
  id: RequestId,
  meta: Meta,
  exchange: Exchange,
  logger: Logger,
): Reply | Promise<Reply> {
  const envelope: CallEnvelope = {
    requestId: exchange.requestId,
    protocolVersion: MODERN,
    clientInfo: meta[META.clientInfo] as ClientInfo | undefined,
    clientCapabilities: meta[META.clientCapabilities] as Meta,
    meta,
    cancellation: exchange.cancellation,
  };
  const outcome = dispatch(sealed, { ask, envelope }, logger);
  return isPromise(outcome)
    ? outcome.then((settled) => encode(sealed, ask, settled, id, envelope.requestId))
    : encode(sealed, ask, outcome, id, envelope.requestId);
}

function encode(sealed: Sealed, ask: Ask, outcome: Outcome, id: RequestId, requestId: string): Reply {
  if (outcome.error) {
    if (!isToolFailure(ask, outcome.error))
      return errorReply(200, id, rpcError(outcome.error, ask, requestId, "modern"));
    return reply(id, resultJson(sealed, toolFailure(outcome.error, requestId), ""));
  }
  switch (ask.kind) {
    case "list":
      return { status: 200, body: opening(id), tail: pageBytes(sealed, outcome.result as Page) };
    case "discover":
      return { status: 200, body: opening(id), tail: sealedBytes(sealed).discover };
    case "resource":
      return reply(id, resultJson(sealed, outcome.result, CACHE_HINTS));
    default:
      return reply(id, resultJson(sealed, outcome.result, ""));
  }
}

/** Nothing tells clients yet when a list or resource changes, so they are told to ask again. */
const CACHE_HINTS = ',"ttlMs":0,"cacheScope":"private"';

function opening(id: RequestId): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`;
}

function reply(id: RequestId, result: string): Reply {
  return { status: 200, body: `${opening(id)}${result}}` };
}

/** A result with what every modern result carries: its type, and who made it. */
function resultJson(sealed: Sealed, result: object, more: string): string {
  const json = resultText(sealed, result);
  const members = json === "{}" ? "" : `,${json.slice(1, -1)}`;
  return `{"resultType":"complete"${members}${more}${sealedBytes(sealed).meta}}`;
}

interface SealedBytes {
  /** `,"_meta":{…}` with the server's identity. */
  readonly meta: string;
  readonly discover: Uint8Array;
  readonly pages: WeakMap<Page, Uint8Array>;
}

const encoder = new TextEncoder();
const made = new WeakMap<Sealed, SealedBytes>();

/** What does not depend on the request, made with the first one after sealing. */
function sealedBytes(sealed: Sealed): SealedBytes {
  let bytes = made.get(sealed);
  if (!bytes) {
    const { capabilities, instructions } = sealed;
    const meta = `,"_meta":${JSON.stringify({ [META.serverInfo]: sealed.info })}`;
    const discovered = JSON.stringify({ supportedVersions: [MODERN], capabilities, instructions });
    bytes = {
      meta,
      discover: encoder.encode(`{"resultType":"complete",${discovered.slice(1, -1)}${CACHE_HINTS}${meta}}}`),
      pages: new WeakMap(),
    };
    made.set(sealed, bytes);
  }
  return bytes;
}

/** The end of a list's answer, made once for each page. */
function pageBytes(sealed: Sealed, page: Page): Uint8Array {
  const { pages } = sealedBytes(sealed);
  let bytes = pages.get(page);
  if (!bytes) {
    bytes = encoder.encode(
      `${resultJson(sealed, { [LIST_MEMBER[page.list]]: page.items, nextCursor: page.nextCursor }, CACHE_HINTS)}}`,
    );
    pages.set(page, bytes);
  }
  return bytes;
}

/** The member of a list result that holds its items. */
export const LIST_MEMBER = {
  tools: "tools",
  resources: "resources",
  templates: "resourceTemplates",
  prompts: "prompts",
} as const;
