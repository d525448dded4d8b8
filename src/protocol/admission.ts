/** Refusals for want of identity, as HTTP knows them: a status and a challenge (RFC 6750, section 3). */

import { type VerifiedIdentity, challengeOf } from "../core/calls/client.ts";
import type { Ask } from "../core/calls/call.ts";
import { type Outcome, admission } from "../core/sealed/dispatch.ts";
import type { MCPError } from "../core/errors.ts";
import { AccessDeniedError } from "../core/access/policy.ts";
import type { Sealed } from "../core/sealed/sealed.ts";
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
  reply: () => Reply | Promise<Reply>,
): Reply | Promise<Reply> {
  const outcome = admission(sealed, envelopeOf(exchange), services);
  return outcome
    ? outcome.then((settled) => refusalOf(settled, ADMISSION, id, exchange.requestId) ?? reply())
    : reply();
}

/**
 * Who sends a request; or the refusal, where it asks for credentials. That a known caller may not do what is asked is
 * told where it is done.
 */
export async function callerOf(
  sealed: Sealed,
  exchange: Exchange,
  services: ProtocolServices,
  id: RequestId | undefined,
  ask: Ask | undefined,
): Promise<{ readonly identity: VerifiedIdentity | undefined } | { readonly refusal: Reply }> {
  const outcome = await admission(sealed, envelopeOf(exchange), services, ask);
  const refusal = outcome && refusalOf(outcome, ask ?? ADMISSION, id, exchange.requestId);
  const isTold = outcome?.error instanceof AccessDeniedError && !challengeOf(outcome.error);
  return refusal && !isTold ? { refusal } : { identity: outcome?.identity };
}

/** What becomes of an operation whose caller does not get in, whatever its arguments; nothing where it does. */
export async function barred(
  sealed: Sealed,
  ask: Ask,
  exchange: Exchange,
  services: ProtocolServices,
): Promise<Outcome | undefined> {
  const outcome = await admission(sealed, envelopeOf(exchange), services, ask);
  return outcome?.error && outcome;
}

const ADMISSION: Ask = { kind: "discover" };

function refusalOf(
  { error }: Outcome,
  ask: Ask,
  id: RequestId | undefined,
  requestId: string,
): Reply | undefined {
  if (!error) return undefined;
  return (
    challengeReply(error, id, ask, requestId, "legacy") ??
    errorReply(200, id, rpcError(error, ask, requestId, "legacy"))
  );
}

function envelopeOf(exchange: Exchange) {
  const { requestId, cancellation } = exchange;
  return { requestId, cancellation, protocolVersion: "", origin: exchange };
}
