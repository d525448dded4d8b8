/** Refusals for want of identity, as HTTP knows them: a status and a challenge (RFC 6750, section 3). */

import { type VerifiedIdentity, challengeOf } from "../client.ts";
import type { Ask } from "../context.ts";
import { type Outcome, admission, dispatch, operationOf } from "../dispatch.ts";
import type { MCPError } from "../errors.ts";
import { isPromise } from "../promises.ts";
import type { Sealed } from "../seal.ts";
import { type Exchange, type ProtocolServices, type Reply, errorReply } from "./exchange.ts";
import type { RequestId } from "./jsonrpc.ts";
import { type Era, rpcError } from "./outcome.ts";

/** The answer to a refusal that asks for credentials, where `error` is one. */
export function challengeReply(
  error: MCPError,
  id: RequestId | undefined,
  ask: Ask,
  requestId: string,
  era: Era,
): Reply | undefined {
  const challenge = challengeOf(error);
  return (
    challenge &&
    errorReply(challenge.status, id, rpcError(error, ask, requestId, era), {
      "www-authenticate": challenge.header,
    })
  );
}

/** Answers a request that is no operation, such as a ping or a handshake, where its caller may come at all. */
export function whenAdmitted(
  sealed: Sealed,
  exchange: Exchange,
  services: ProtocolServices,
  id: RequestId | undefined,
  reply: () => Reply,
): Reply | Promise<Reply> {
  const outcome = admission(sealed, envelopeOf(exchange), services);
  if (!outcome) return reply();
  const settle = (settled: Outcome) => refusalOf(settled, id, exchange.requestId) ?? reply();
  return isPromise(outcome) ? outcome.then(settle) : settle(outcome);
}

/** Who sends a request that is no operation; or the refusal. */
export async function callerOf(
  sealed: Sealed,
  exchange: Exchange,
  services: ProtocolServices,
  id: RequestId | undefined,
): Promise<{ readonly identity: VerifiedIdentity | undefined } | { readonly refusal: Reply }> {
  const outcome = await admission(sealed, envelopeOf(exchange), services);
  const refusal = outcome && refusalOf(outcome, id, exchange.requestId);
  return refusal ? { refusal } : { identity: outcome?.identity };
}

/**
 * The refusal that an unknown caller gets of an operation that is for known ones alone; nothing where the caller
 * is known or need not be. For what has to be answered before the operation itself.
 */
export async function refusalOfUnknown(
  sealed: Sealed,
  ask: Ask,
  id: RequestId,
  exchange: Exchange,
  services: ProtocolServices,
): Promise<Reply | undefined> {
  if (operationOf(sealed, ask).access === "public") return undefined;
  const caller = await callerOf(sealed, exchange, services, id);
  if ("refusal" in caller) return caller.refusal;
  if (caller.identity) return undefined;
  // It gets no further than to the layer that asks who calls.
  const { error } = await dispatch(sealed, { ask, envelope: envelopeOf(exchange) }, services);
  return error && challengeReply(error, id, ask, exchange.requestId, "legacy");
}

const ADMISSION: Ask = { kind: "discover" };

function refusalOf({ error }: Outcome, id: RequestId | undefined, requestId: string): Reply | undefined {
  if (!error) return undefined;
  return (
    challengeReply(error, id, ADMISSION, requestId, "legacy") ??
    errorReply(200, id, rpcError(error, ADMISSION, requestId, "legacy"))
  );
}

function envelopeOf(exchange: Exchange) {
  const { requestId, cancellation } = exchange;
  return { requestId, cancellation, protocolVersion: "", origin: exchange };
}
