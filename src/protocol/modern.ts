/** Revision 2026-07-28 over HTTP: every request stands alone, with its envelope in `_meta`. */

import type { Ask, CallEnvelope, ClientInfo } from "../core/calls/call.ts";
import { MAY_ASK } from "../core/calls/operation.ts";
import { dispatch } from "../core/sealed/dispatch.ts";
import {
  type CallRecord,
  type Inquiry,
  ReplayInquiry,
  RequestStateError,
  resumed,
} from "../core/dialogue/inquiry.ts";
import { isPromise } from "../core/values/promises.ts";
import type { Sealed } from "../core/sealed/sealed.ts";
import type { Audience, LogLevel } from "../core/dialogue/voice.ts";
import { type Meta, envelopeProblem } from "./envelope.ts";
import { type Exchange, type ProtocolServices, type Reply, errorReply, invalidRequest } from "./exchange.ts";
import { contradiction, missing, paramMismatch } from "./headers.ts";
import { barred, whenAdmitted } from "./admission.ts";
import { isObject } from "../core/values/json.ts";
import { RPC, type RequestId, type RpcError, type RpcRequest } from "./jsonrpc.ts";
import { isMethod, readAsk } from "./methods.ts";
import { encodeModern } from "./modern-result.ts";
import { readFilter } from "./subscriptions.ts";
import { META, MODERN } from "./versions.ts";
import { HTTP_WIRES } from "./wire.ts";

/** Answers a request that claims to be modern. The order of the checks is the specification's ladder. */
export function answerModern(
  sealed: Sealed,
  request: RpcRequest,
  exchange: Exchange,
  services: ProtocolServices,
): Reply | Promise<Reply> {
  const { id, method, params = {} } = request;
  const meta = isObject(params["_meta"]) ? params["_meta"] : {};
  const problem = envelopeProblem(meta);
  if (problem !== undefined) return refuse(id, invalidParams(problem));

  const version = meta[META.protocolVersion] as string;
  const contradicted = contradiction(request, version, exchange.header);
  if (contradicted) return refuse(id, contradicted);
  if (version !== MODERN) return refuse(id, unsupportedVersion(version, [MODERN]));
  const lacking = missing(request, exchange.header);
  if (lacking) return refuse(id, lacking);

  const read = readModern(sealed, method, params);
  if (!read)
    return whenAdmitted(sealed, exchange, services, id, () => errorReply(404, id, methodNotFound(method)));
  if ("error" in read) {
    const { error } = read;
    return whenAdmitted(sealed, exchange, services, id, () => errorReply(200, id, error));
  }
  const { ask } = read;
  const admitted = { sealed, ask, id, meta, params, exchange, services };
  const declared = ask.kind === "tool" ? sealed.paramHeaders.get(ask.name) : undefined;
  const mismatched =
    declared && ask.kind === "tool" ? paramMismatch(declared, ask.args, exchange.header) : undefined;
  if (mismatched) {
    // Who may not use the tool does not learn of its parameters.
    return unlessBarred(admitted, refuse(id, mismatched));
  }
  if (ask.kind === "subscription" && !exchange.say) {
    return invalidRequest(
      406,
      "Not acceptable: a subscription is an event stream, so the Accept header must allow it.",
      id,
    );
  }
  return run(admitted);
}

/** `reply`, to those whom the operation would have got as far as its arguments. */
async function unlessBarred({ sealed, ask, id, exchange, services }: Admitted, reply: Reply): Promise<Reply> {
  const outcome = await barred(sealed, ask, exchange, services);
  return outcome
    ? encodeModern(outcome, { sealed, ask, id, requestId: exchange.requestId }, services)
    : reply;
}

/** The error for a request that names the modern revision in its header alone. */
export function missingEnvelope(id: RequestId): Reply {
  return refuse(
    id,
    invalidParams(`_meta must carry "${META.protocolVersion}" and "${META.clientCapabilities}".`),
  );
}

/** The error for a notification that names its revision by something else than text. */
export function invalidClaim(): Reply {
  return refuse(undefined, invalidParams(`_meta["${META.protocolVersion}"] must be a string.`));
}

/** @param supported - The revisions in which the request could have been made where it was. */
export function unsupportedVersion(requested: string, supported: readonly string[]): RpcError {
  return {
    code: RPC.unsupportedVersion,
    message: "Unsupported protocol version",
    data: { supported, requested },
  };
}

export function methodNotFound(method: string): RpcError {
  return { code: RPC.methodNotFound, message: `Method not found: ${method.slice(0, 128)}` };
}

/** A request that passed the ladder. */
interface Admitted {
  readonly sealed: Sealed;
  readonly ask: Ask;
  readonly id: RequestId;
  readonly meta: Meta;
  readonly params: Readonly<Record<string, unknown>>;
  readonly exchange: Exchange;
  readonly services: ProtocolServices;
}

function refuse(id: RequestId | undefined, error: RpcError): Reply {
  return errorReply(400, id, error);
}

function invalidParams(problem: string): RpcError {
  return { code: RPC.invalidParams, message: `Invalid params: ${problem}` };
}

function readModern(
  sealed: Sealed,
  method: string,
  params: Meta,
): { readonly ask: Ask } | { readonly error: RpcError } | undefined {
  if (isMethod(method)) return readAsk(method, params);
  if (method === "server/discover") return { ask: { kind: "discover" } };
  if (method !== "subscriptions/listen") return undefined;
  const filter = readFilter(params["notifications"], sealed);
  return typeof filter === "string"
    ? { error: invalidParams(filter) }
    : { ask: { kind: "subscription", filter } };
}

function run(admitted: Admitted): Reply | Promise<Reply> {
  const { ask, params } = admitted;
  if (!MAY_ASK.has(ask.kind)) return perform(admitted, undefined, false);
  const isRetry = params["requestState"] !== undefined || params["inputResponses"] !== undefined;
  return isRetry ? retry(admitted) : perform(admitted, firstInquiry, false);
}

const firstInquiry = (): Inquiry => new ReplayInquiry();

/** Runs a call again, with what it recorded and the answers to its questions. */
async function retry(admitted: Admitted): Promise<Reply> {
  const { sealed, ask, id, params, services } = admitted;
  const { requestState, inputResponses = {} } = params;
  if (!isObject(inputResponses)) {
    const wrong = errorReply(200, id, invalidParams('"inputResponses" must be an object.'));
    return unlessBarred(admitted, wrong);
  }
  let record: CallRecord | undefined;
  if (requestState !== undefined) {
    record =
      typeof requestState === "string"
        ? await services.codec.open(requestState, ask, sealed.info.name)
        : undefined;
    if (!record)
      return unlessBarred(admitted, errorReply(200, id, invalidParams(new RequestStateError().message)));
  }
  return perform(admitted, (principal) => resumed(record, inputResponses, principal), true);
}

function perform(
  admitted: Admitted,
  inquire: CallEnvelope["inquire"],
  resumes: boolean,
): Reply | Promise<Reply> {
  const { sealed, ask, id, meta, exchange, services } = admitted;
  const envelope: CallEnvelope = {
    requestId: exchange.requestId,
    protocolVersion: MODERN,
    clientInfo: meta[META.clientInfo] as ClientInfo | undefined,
    clientCapabilities: meta[META.clientCapabilities] as Meta,
    meta,
    cancellation: exchange.cancellation,
    audience: audience(meta, exchange),
    inquire,
    resumes,
    origin: exchange,
    wire: HTTP_WIRES.modern,
    rpcId: id,
  };
  const outcome = dispatch(sealed, { ask, envelope }, services);
  const origin = { sealed, ask, id, requestId: envelope.requestId };
  return isPromise(outcome)
    ? outcome.then((settled) => encodeModern(settled, origin, services))
    : encodeModern(outcome, origin, services);
}

/** Whom the call can tell of its progress, where its client asked to hear of it. */
function audience(meta: Meta, { say }: Exchange): Audience | undefined {
  const progressToken = meta["progressToken"] as string | number | undefined;
  const logLevel = meta[META.logLevel] as LogLevel | undefined;
  if (!say || (progressToken === undefined && logLevel === undefined)) return undefined;
  return {
    progressToken,
    logLevel,
    say: (method, params) => say(JSON.stringify({ jsonrpc: "2.0", method, params })),
  };
}
