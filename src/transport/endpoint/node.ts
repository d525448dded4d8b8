/** The MCP endpoint on `node:http`: the hot path. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { Cancellation } from "../../core/calls/cancellation.ts";
import { isPromise } from "../../core/values/promises.ts";
import { type Exchange, type Reply, invalidRequest } from "../../protocol/exchange.ts";
import { requestIdFrom } from "../../core/calls/request-id.ts";
import type { Runtime } from "../../core/runtime.ts";
import { clientAddress } from "../requests/client-address.ts";
import { type Body, type Endpoint, UNEXPECTED } from "./endpoint.ts";
import { NodeReply } from "./node-reply.ts";

/** A request as frameworks pass it on: with the URL it came with, and perhaps its body parsed. */
type MountedRequest = IncomingMessage & { readonly originalUrl?: string; readonly body?: unknown };

/** The most header fields that a request may have. */
const MOST_FIELDS = 100;

/** How much of a refused body is read and thrown away, so that the refusal arrives, before the connection is cut. */
const LONGEST_REST = 4_194_304;

/**
 * Serves the endpoint, and hands everything else to `others`.
 *
 * @param closing - Whether connections are to end with the answer, because the server is draining.
 */
export function nodeListener(
  runtime: Runtime,
  endpoint: Endpoint,
  others: (request: IncomingMessage, response: ServerResponse) => void,
  closing: () => boolean = () => false,
): (request: IncomingMessage, response: ServerResponse) => void {
  const addressOf = clientAddress(runtime.http.trustedProxies);
  return (request: MountedRequest, response) => {
    const url = request.originalUrl ?? request.url ?? "";
    if (url !== endpoint.path && url.split("?", 1)[0] !== endpoint.path) return others(request, response);

    const { headers, rawHeaders } = request;
    const header = (name: string) => headers[name] as string | undefined;
    const requestId = requestIdFrom(header("x-request-id"));
    const reply = new NodeReply(response, endpoint.streams, () => ({
      "x-request-id": requestId,
      ...(closing() && { connection: "close" }),
      ...endpoint.corsHeaders(headers.origin),
    }));
    const refuse = (refusal: Reply) => {
      endpoint.sends(refusal);
      reply.send(refusal);
      discard(request);
    };
    const refusal =
      fieldsRefusal(rawHeaders) ?? endpoint.refusal({ method: request.method as string, header });
    if (refusal) return refuse(refusal);

    const cancellation = new Cancellation();
    const say = endpoint.streamsTo(header) ? reply.say : undefined;
    const exchange: Exchange = { header, requestId, cancellation, say, address: () => addressOf(request) };
    const send = (answer: Reply) => {
      endpoint.sends(answer);
      reply.send(answer);
      if (!cancellation.awaited) return;
      // Once the answer is with the system, or its client is gone.
      if (response.closed) cancellation.answered();
      else response.once("close", () => cancellation.answered());
    };
    const finish = (answer: Reply | Promise<Reply>) => {
      if (!isPromise(answer)) return send(answer);
      const gone = () => {
        // A response closes after its answer too, and an error with its stack costs more than most calls.
        if (!cancellation.settled) cancellation.cancel(new Error("The client disconnected."));
      };
      if (response.closed) gone();
      else response.once("close", gone);
      void answer.then(send);
    };
    if (request.method !== "POST") return finish(endpoint.answerBodiless(request.method as string, exchange));
    if (request.readableEnded) {
      if (request.body !== undefined) return finish(endpoint.answer(readBefore(request.body), exchange));
      runtime.logger.error({ requestId }, BODY_GONE);
      return send(UNEXPECTED);
    }
    const received = endpoint.receive();
    request.once("close", received);
    const done = (body: Body) => {
      received();
      finish(endpoint.answer(body, exchange));
    };
    readBody(request, endpoint.maxBodyBytes, done, () => {
      received();
      refuse(endpoint.tooLarge());
    });
  };
}

const BODY_GONE =
  "A request's body was read before server.node got it: mount server.node before whatever parses bodies, or set request.body to what came of it";

/** What a framework made of a body that it has read: an object, text or bytes. */
function readBefore(body: unknown): Body {
  if (body instanceof Uint8Array) return body;
  return typeof body === "string" ? Buffer.from(body) : { parsed: body };
}

/** Reads a body into one buffer, counting its bytes as they come. */
function readBody(
  request: IncomingMessage,
  limit: number,
  done: (body: Uint8Array) => void,
  tooLarge: () => void,
): void {
  let chunks: Buffer[] | undefined;
  let only: Buffer | undefined;
  let size = 0;
  const onData = (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) {
      request.off("data", onData).off("end", onEnd);
      return tooLarge();
    }
    if (only === undefined) only = chunk;
    else (chunks ??= [only]).push(chunk);
  };
  const onEnd = () => {
    const body = chunks ? Buffer.concat(chunks, size) : (only ?? new Uint8Array());
    // The request lives as long as its answer, which may be a stream: its body need not.
    only = chunks = undefined;
    done(body);
  };
  request.on("data", onData).on("end", onEnd);
}

function discard(request: IncomingMessage): void {
  let rest = 0;
  request.on("data", (chunk: Buffer) => {
    rest += chunk.length;
    if (rest > LONGEST_REST) request.destroy();
  });
}

function fieldsRefusal(rawHeaders: readonly string[]): Reply | undefined {
  if (rawHeaders.length > MOST_FIELDS * 2)
    return invalidRequest(431, `Too many header fields: at most ${MOST_FIELDS}.`);
  let seen = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const { length } = rawHeaders[i] as string;
    const single = SINGLE[length];
    if (single === undefined || rawHeaders[i]?.toLowerCase() !== single) continue;
    if (seen & (1 << length)) return invalidRequest(400, `Bad request: the ${single} header stands twice.`);
    seen |= 1 << length;
  }
  return undefined;
}

/** Fields of which node:http keeps the first, where others may heed the last; by the length of their names. */
const SINGLE: Readonly<Record<number, string>> = { 4: "host", 12: "content-type", 13: "authorization" };
