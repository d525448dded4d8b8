/** One HTTP body, parsed, to its answer: which era it belongs to, and whether it is a message at all. */

import { internalError } from "../core/errors.ts";
import { isPromise } from "../core/values/promises.ts";
import type { Sealed } from "../core/sealed/sealed.ts";
import {
  ACCEPTED,
  type Exchange,
  type ProtocolServices,
  type Reply,
  errorReply,
  invalidRequest,
} from "./exchange.ts";
import { whenAdmitted } from "./admission.ts";
import { RPC, type RpcNotification, type RpcRequest, readMessage } from "./jsonrpc.ts";
import { answerLegacy } from "./legacy.ts";
import { claimedVersion, claimsModern } from "./envelope.ts";
import { contradiction } from "./headers.ts";
import { answerModern, invalidClaim, missingEnvelope, unsupportedVersion } from "./modern.ts";
import { LEGACY, MODERN, UNSTATED_LEGACY } from "./versions.ts";

/** Answers a parsed body. A request with the modern envelope is modern, `initialize` and the rest are 2025-era. */
export function answer(
  sealed: Sealed,
  body: unknown,
  exchange: Exchange,
  services: ProtocolServices,
): Reply | Promise<Reply> {
  const version = exchange.header("mcp-protocol-version");
  if (Array.isArray(body)) {
    return whenAdmitted(sealed, exchange, services, undefined, () =>
      answerBatch(sealed, body, version, exchange, services),
    );
  }
  const message = readMessage(body);
  if ("problem" in message) return invalidRequest(400, `Invalid request: ${message.problem}`, message.id);
  if ("notification" in message) {
    return whenAdmitted(sealed, exchange, services, undefined, () =>
      answerNotification(message.notification, version, exchange),
    );
  }

  const { request } = message;
  if (claimsModern(request))
    return guarded(request, exchange, services, () => answerModern(sealed, request, exchange, services));
  if (version === MODERN) return missingEnvelope(request.id);
  if (version !== undefined && !LEGACY.includes(version) && request.method !== "initialize") {
    return errorReply(400, request.id, unsupportedVersion(version.slice(0, 64), SERVED));
  }
  if (!acceptsJson(exchange.header("accept"))) {
    return invalidRequest(
      406,
      "Not acceptable: answers are application/json, so the Accept header must allow it.",
      request.id,
    );
  }
  return guarded(request, exchange, services, () =>
    answerLegacy(sealed, request, version ?? UNSTATED_LEGACY, exchange, services),
  );
}

/**
 * Nothing that a client tells concerns a server without sessions. It is held to its revision all the same: one
 * that is not served is refused (2025-11-25, "Protocol Version Header"), and so are headers that contradict the
 * body (2026-07-28, "Server Validation").
 */
function answerNotification(
  notification: RpcNotification,
  version: string | undefined,
  { header }: Exchange,
): Reply {
  const claim = claimedVersion(notification);
  if (claim !== undefined && typeof claim !== "string") return invalidClaim();
  const stated = claim ?? version;
  if (stated === undefined) return ACCEPTED;
  if (stated === MODERN || (claim !== undefined && version !== undefined && claim !== version)) {
    const contradicted = contradiction(notification, stated, header);
    return contradicted ? errorReply(400, undefined, contradicted) : ACCEPTED;
  }
  const isServed = claim === undefined && LEGACY.includes(stated);
  return isServed
    ? ACCEPTED
    : errorReply(
        400,
        undefined,
        unsupportedVersion(stated.slice(0, 64), claim === undefined ? SERVED : [MODERN]),
      );
}

const SERVED: readonly string[] = [MODERN, ...LEGACY];

/** An answer whatever happens: what fails unexpectedly on the way is logged, and told as that. */
function guarded(
  { id }: RpcRequest,
  { requestId }: Exchange,
  { logger }: ProtocolServices,
  answerIt: () => Reply | Promise<Reply>,
): Reply | Promise<Reply> {
  const failed = (error: unknown): Reply => {
    logger.error({ requestId, err: error }, "Unexpected error");
    const shown = internalError(error);
    return errorReply(200, id, {
      code: RPC.internalError,
      message: shown.message,
      data: shown.toBody(requestId),
    });
  };
  try {
    const reply = answerIt();
    return isPromise(reply) ? reply.catch(failed) : reply;
  } catch (error) {
    return failed(error);
  }
}

/** Most messages that one batch may hold. */
const LARGEST_BATCH = 20;

/** Batches exist in revision 2025-03-26 alone. */
async function answerBatch(
  sealed: Sealed,
  messages: readonly unknown[],
  version: string | undefined,
  exchange: Exchange,
  services: ProtocolServices,
): Promise<Reply> {
  if (version !== undefined && version !== UNSTATED_LEGACY)
    return invalidRequest(400, "Invalid request: send one message at a time.");
  if (messages.length === 0) return invalidRequest(400, "Invalid request: the batch is empty.");
  if (messages.length > LARGEST_BATCH)
    return invalidRequest(400, `Invalid request: a batch holds at most ${LARGEST_BATCH} messages.`);

  const replies = messages.map((value): Reply | Promise<Reply> => {
    const message = readMessage(value);
    if ("problem" in message)
      return { ...invalidRequest(200, `Invalid request: ${message.problem}`, message.id), counts: 400 };
    if ("notification" in message) return ACCEPTED;
    if (claimsModern(message.request) || message.request.method === "initialize") {
      return errorReply(200, message.request.id, {
        code: RPC.invalidRequest,
        message: "Invalid request: this request cannot be part of a batch.",
      });
    }
    const own = { ...exchange, cancellation: exchange.cancellation.fork() };
    return guarded(message.request, own, services, () =>
      answerLegacy(sealed, message.request, UNSTATED_LEGACY, own, services),
    );
  });
  const bodies: string[] = [];
  let counts = 200;
  for (const reply of replies) {
    const { body, tail, counts: own } = isPromise(reply) ? await reply : reply;
    counts = Math.max(counts, own ?? 200);
    if (body !== "") bodies.push(tail ? body + decoder.decode(tail) : body);
  }
  return bodies.length === 0 ? ACCEPTED : { status: 200, counts, body: `[${bodies.join(",")}]` };
}

const decoder = new TextDecoder();

function acceptsJson(accept: string | undefined): boolean {
  return accept === undefined || /(?:^|[\s,])(?:application\/(?:json|\*)|\*\/\*)(?=[\s,;]|$)/i.test(accept);
}
