/** What became of a call, as revision 2026-07-28 writes it. */

import { NOT_CACHEABLE } from "../core/results/cache-hint.ts";
import type { Ask } from "../core/calls/call.ts";
import type { Outcome } from "../core/sealed/dispatch.ts";
import { internalError } from "../core/errors.ts";
import { InputRequired } from "../core/dialogue/inquiry.ts";
import type { Page } from "../core/sealed/list.ts";
import { after } from "../core/values/promises.ts";
import { ResourceResult } from "../core/results/result.ts";
import type { Sealed } from "../core/sealed/sealed.ts";
import { type ProtocolServices, type Reply, errorReply } from "./exchange.ts";
import { challengeReply } from "./admission.ts";
import { RPC, type RequestId } from "./jsonrpc.ts";
import { LIST_MEMBER } from "./methods.ts";
import {
  isToolFailure,
  lacksCapability,
  resultText,
  rpcError,
  statusOf,
  toolFailureText,
  withHeaders,
} from "./outcome.ts";
import { META, MODERN } from "./versions.ts";

/** The request that an outcome answers. */
interface Origin {
  readonly sealed: Sealed;
  readonly ask: Ask;
  readonly id: RequestId;
  readonly requestId: string;
}

export function encodeModern(
  outcome: Outcome,
  origin: Origin,
  services: ProtocolServices,
): Reply | Promise<Reply> {
  return after(encode(outcome, origin, services), (answer) => withHeaders(answer, outcome));
}

function encode(outcome: Outcome, origin: Origin, services: ProtocolServices): Reply | Promise<Reply> {
  const { sealed, ask, id, requestId } = origin;
  const { error, result } = outcome as Outcome & { readonly result?: object };
  if (error) {
    const challenged = challengeReply(error, id, ask, requestId, "modern");
    if (challenged) return challenged;
    if (isToolFailure(ask, error, "modern"))
      return reply(id, complete(sealed, toolFailureText(error, requestId), ""));
    const status = lacksCapability(error) ? 400 : statusOf(error);
    return errorReply(status, id, rpcError(error, ask, requestId, "modern"));
  }
  const { identity } = outcome;
  if (result instanceof InputRequired) return askFirst(result, identity?.principal, origin, services);
  switch (ask.kind) {
    case "list":
      return { status: 200, body: opening(id), tail: pageBytes(sealed, result as Page) };
    case "discover":
      return { status: 200, body: opening(id), tail: sealedBytes(sealed).discover };
    case "subscription":
      if (identity && services.hub.isFullFor(identity.principal)) return tooManyStreams(id);
      return {
        status: 200,
        body: "",
        listen: (outlet) => services.hub.listen(id, result, outlet, sealed.info, identity),
      };
    case "resource":
      return reply(
        id,
        resultJson(sealed, result, result instanceof ResourceResult ? result.cacheHint : NOT_CACHEABLE),
      );
    default:
      return reply(id, resultJson(sealed, result, ""));
  }
}

function tooManyStreams(id: RequestId): Reply {
  const message =
    "Service unavailable: this client has as many subscriptions as one may have. End another first.";
  return errorReply(503, id, { code: RPC.internalError, message }, { "retry-after": "5" });
}

/** The questions of a call, with what it needs to go on when they are answered. */
async function askFirst(
  { requests, record }: InputRequired,
  principal: string | undefined,
  origin: Origin,
  services: ProtocolServices,
): Promise<Reply> {
  const { sealed, ask, id, requestId } = origin;
  let requestState: string;
  try {
    requestState = await services.codec.seal({ ...record, principal }, ask, sealed.info.name);
  } catch (error) {
    services.logger.error({ requestId, operation: ask.kind, err: error }, "Unexpected error");
    return encodeModern({ error: internalError(error) }, origin, services);
  }
  const result = JSON.stringify({ resultType: "input_required", inputRequests: requests, requestState });
  return reply(id, `${result.slice(0, -1)}${sealedBytes(sealed).meta}}`);
}

function opening(id: RequestId): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`;
}

function reply(id: RequestId, result: string): Reply {
  return { status: 200, body: `${opening(id)}${result}}` };
}

/** A result with what every modern result carries: its type, and who made it. */
function resultJson(sealed: Sealed, result: object, more: string): string {
  return complete(sealed, resultText(sealed, result), more);
}

/** The same of a result that is JSON already. */
function complete(sealed: Sealed, json: string, more: string): string {
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
    const { capabilities, instructions, listHint } = sealed;
    const meta = `,"_meta":${JSON.stringify({ [META.serverInfo]: sealed.info })}`;
    const discovered = JSON.stringify({ supportedVersions: [MODERN], capabilities, instructions });
    bytes = {
      meta,
      discover: encoder.encode(`{"resultType":"complete",${discovered.slice(1, -1)}${listHint}${meta}}}`),
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
    const list = { [LIST_MEMBER[page.list]]: page.items, nextCursor: page.nextCursor };
    bytes = encoder.encode(`${resultJson(sealed, list, sealed.listHint)}}`);
    pages.set(page, bytes);
  }
  return bytes;
}
