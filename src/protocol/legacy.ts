/** The 2025-era revisions over HTTP, without sessions: the handshake is answered and nothing of it is kept. */

import type { Ask, CallEnvelope } from "../core/calls/call.ts";
import { type Outcome, dispatch } from "../core/sealed/dispatch.ts";
import type { Page } from "../core/sealed/list.ts";
import { isPromise } from "../core/values/promises.ts";
import { ToolResult } from "../core/results/result.ts";
import type { Sealed } from "../core/sealed/sealed.ts";
import type { JsonSchema } from "../core/ports.ts";
import { isClientInfo, tokenProblem } from "./envelope.ts";
import { type Exchange, type ProtocolServices, type Reply, errorReply } from "./exchange.ts";
import { challengeReply, whenAdmitted } from "./admission.ts";
import { isObject } from "../core/values/json.ts";
import { RPC, type RequestId, type RpcRequest } from "./jsonrpc.ts";
import { LIST_MEMBER, isMethod, readAsk } from "./methods.ts";
import { methodNotFound } from "./modern.ts";
import { isToolFailure, resultText, rpcError, statusOf, toolFailureText, withHeaders } from "./outcome.ts";
import { type Audience, LOG_LEVELS } from "../core/dialogue/voice.ts";
import { LATEST_LEGACY, LEGACY } from "./versions.ts";
import { HTTP_WIRES } from "./wire.ts";

/** Answers a 2025-era request of revision `version`. Errors within a call keep HTTP status 200, but for those of limits. */
export function answerLegacy(
  sealed: Sealed,
  { id, method, params = {} }: RpcRequest,
  version: string,
  exchange: Exchange,
  services: ProtocolServices,
): Reply | Promise<Reply> {
  const problem = metaProblem(params["_meta"]);
  if (problem !== undefined)
    return whenAdmitted(sealed, exchange, services, id, () => invalidParams(id, problem));
  if (!isMethod(method))
    return whenAdmitted(sealed, exchange, services, id, () => answerItself(sealed, id, method, params));
  const read = readAsk(method, params);
  if ("error" in read) {
    const { error } = read;
    return whenAdmitted(sealed, exchange, services, id, () => ({
      ...errorReply(200, id, error),
      counts: 400,
    }));
  }
  const envelope: CallEnvelope = {
    requestId: exchange.requestId,
    protocolVersion: version,
    meta: isObject(params["_meta"]) ? params["_meta"] : undefined,
    cancellation: exchange.cancellation,
    audience: audience(params, exchange),
    origin: exchange,
    wire: HTTP_WIRES.legacy,
    rpcId: id,
  };
  const outcome = dispatch(sealed, { ask: read.ask, envelope }, services);
  return isPromise(outcome)
    ? outcome.then((settled) => encode(sealed, read.ask, settled, id, envelope.requestId))
    : encode(sealed, read.ask, outcome, id, envelope.requestId);
}

/** Answers what is no operation. */
function answerItself(
  sealed: Sealed,
  id: RequestId,
  method: string,
  params: Readonly<Record<string, unknown>>,
): Reply {
  switch (method) {
    case "initialize":
      return initialize(sealed, id, params);
    case "ping":
      return reply(id, "{}");
    case "logging/setLevel":
      return setLevel(id, params["level"]);
    default:
      return { ...errorReply(200, id, methodNotFound(method)), counts: 404 };
  }
}

/** The handshake: the client's revision where it is served, else the newest (2025-11-25, "Version Negotiation"). */
function initialize(sealed: Sealed, id: RequestId, params: Readonly<Record<string, unknown>>): Reply {
  const { protocolVersion, capabilities, clientInfo } = params;
  if (typeof protocolVersion !== "string" || !isObject(capabilities) || !isClientInfo(clientInfo)) {
    return invalidParams(
      id,
      'initialize needs "protocolVersion", "capabilities", and "clientInfo" with the strings "name" and "version".',
    );
  }
  const result = {
    protocolVersion: LEGACY.includes(protocolVersion) ? protocolVersion : LATEST_LEGACY,
    capabilities: withoutChanges(sealed.capabilities),
    serverInfo: sealed.info,
    instructions: sealed.instructions,
  };
  return reply(id, JSON.stringify(result));
}

/** The level cannot be kept without a session: messages of every call then come from "info" on. */
function setLevel(id: RequestId, level: unknown): Reply {
  return (LOG_LEVELS as readonly unknown[]).includes(level)
    ? reply(id, "{}")
    : invalidParams(id, `"level" must be one of ${LOG_LEVELS.join(", ")}.`);
}

function metaProblem(meta: unknown): string | undefined {
  if (meta === undefined) return undefined;
  return isObject(meta) ? tokenProblem(meta) : '"_meta" must be an object.';
}

function invalidParams(id: RequestId, problem: string): Reply {
  const error = { code: RPC.invalidParams, message: `Invalid params: ${problem}` };
  return { ...errorReply(200, id, error), counts: 400 };
}

/** Whom the call can tell of its progress, where the client reads event streams. */
function audience(params: Readonly<Record<string, unknown>>, { say }: Exchange): Audience | undefined {
  if (!say) return undefined;
  const meta = isObject(params["_meta"]) ? params["_meta"] : {};
  const token = meta["progressToken"];
  return {
    progressToken: typeof token === "string" || typeof token === "number" ? token : undefined,
    logLevel: "info",
    say: (method, message) => say(JSON.stringify({ jsonrpc: "2.0", method, params: message })),
  };
}

/** Without a session there is nobody to tell of changes. */
function withoutChanges(capabilities: Sealed["capabilities"]): Record<string, object> {
  return Object.fromEntries(Object.keys(capabilities).map((name) => [name, {}]));
}

function encode(sealed: Sealed, ask: Ask, outcome: Outcome, id: RequestId, requestId: string): Reply {
  return withHeaders(encoded(sealed, ask, outcome, id, requestId), outcome);
}

function encoded(sealed: Sealed, ask: Ask, outcome: Outcome, id: RequestId, requestId: string): Reply {
  if (outcome.error) {
    const challenged = challengeReply(outcome.error, id, ask, requestId, "legacy");
    if (challenged) return challenged;
    if (!isToolFailure(ask, outcome.error, "legacy"))
      return errorReply(statusOf(outcome.error), id, rpcError(outcome.error, ask, requestId, "legacy"));
    return reply(id, toolFailureText(outcome.error, requestId));
  }
  switch (ask.kind) {
    case "list":
      return {
        status: 200,
        body: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`,
        tail: pageBytes(outcome.result as Page),
      };
    case "tool":
      return reply(id, resultText(sealed, legacyResult(sealed, ask, outcome.result)));
    default:
      return reply(id, JSON.stringify(outcome.result));
  }
}

function reply(id: RequestId, result: string): Reply {
  return { status: 200, body: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}` };
}

/** Before 2026-07-28 structured content is always an object: any other value travels as `{ result }`. */
export function legacyResult({ wrapped }: Sealed, ask: Ask, result: object): object {
  return ask.kind === "tool" &&
    wrapped.has(ask.name) &&
    result instanceof ToolResult &&
    "structuredContent" in result
    ? new ToolResult(result.content, { structuredContent: { result: result.structuredContent } })
    : result;
}

/** A tool in the list of a 2025-era client: with the schema of what {@link legacyResult} sends. */
export function legacyTool(item: { readonly outputSchema?: JsonSchema }): object {
  const { outputSchema } = item;
  if (outputSchema === undefined || outputSchema["type"] === "object") return item;
  const { $defs, ...schema } = outputSchema;
  // What pointed to the root, or to a place below it, points to where that stands now.
  const moved = JSON.stringify(schema).replace(/"\$ref":"#(?!\/\$defs\/)(?=["/])/g, "$&/properties/result");
  const wrapping = {
    type: "object",
    properties: { result: JSON.parse(moved) as JsonSchema },
    required: ["result"],
    ...($defs !== undefined && { $defs }),
  };
  return { ...item, outputSchema: wrapping };
}

const encoder = new TextEncoder();
const made = new WeakMap<Page, Uint8Array>();

/** The end of a list's answer, made once for each page. */
function pageBytes(page: Page): Uint8Array {
  let bytes = made.get(page);
  if (!bytes) {
    const items = page.list === "tools" ? page.items.map(legacyTool) : page.items;
    bytes = encoder.encode(
      `${JSON.stringify({ [LIST_MEMBER[page.list]]: items, nextCursor: page.nextCursor })}}`,
    );
    made.set(page, bytes);
  }
  return bytes;
}
