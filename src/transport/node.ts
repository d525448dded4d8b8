/** The MCP endpoint on `node:http`: the hot path. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { Cancellation } from "../context.ts";
import { internalError } from "../errors.ts";
import { isPromise } from "../promises.ts";
import { type Reply, errorReply, invalidRequest } from "../protocol/exchange.ts";
import { RPC } from "../protocol/jsonrpc.ts";
import { makeRequestId, requestIdFrom } from "../request-id.ts";
import type { Runtime } from "../runtime.ts";
import type { Endpoint } from "./endpoint.ts";

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
  return (request: MountedRequest, response) => {
    const url = request.originalUrl ?? request.url ?? "";
    if (url !== endpoint.path && url.split("?", 1)[0] !== endpoint.path) return others(request, response);

    const { headers } = request;
    const header = (name: string) => headers[name] as string | undefined;
    const requestId = requestIdFrom(header("x-request-id"));
    const send = (reply: Reply) =>
      sendReply(response, reply, requestId, endpoint.corsHeaders(headers.origin), closing());

    const refusal =
      fieldsRefusal(request.rawHeaders) ?? endpoint.refusal({ method: request.method as string, header });
    if (refusal) {
      send(refusal);
      return discard(request);
    }
    const finish = (body: Uint8Array | { readonly parsed: unknown }) => {
      const cancellation = new Cancellation();
      const reply = endpoint.answer(body, header, requestId, cancellation);
      if (!isPromise(reply)) return send(reply);
      response.once("close", () => {
        if (!response.writableFinished) cancellation.cancel(new Error("The client disconnected."));
      });
      reply.then(
        (settled) => send(settled),
        (error: unknown) => {
          runtime.logger.error({ requestId, err: error }, "Unexpected error");
          send(
            errorReply(500, undefined, { code: RPC.internalError, message: internalError(error).message }),
          );
        },
      );
    };
    if (request.readableEnded) {
      if (request.body !== undefined) return finish(readBefore(request.body));
      runtime.logger.error({ requestId }, BODY_GONE);
      return send(
        errorReply(500, undefined, { code: RPC.internalError, message: internalError(undefined).message }),
      );
    }
    const received = endpoint.receive();
    request.once("close", received);
    const done = (body: Uint8Array) => {
      received();
      finish(body);
    };
    readBody(request, endpoint.maxBodyBytes, done, () => {
      received();
      send(endpoint.tooLarge());
      discard(request);
    });
  };
}

const BODY_GONE =
  "A request's body was read before server.node got it: mount server.node before whatever parses bodies, or set request.body to what came of it";

/** What a framework made of a body that it has read: an object, text or bytes. */
function readBefore(body: unknown): Uint8Array | { readonly parsed: unknown } {
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
  const onEnd = () => done(chunks ? Buffer.concat(chunks, size) : (only ?? new Uint8Array()));
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

function sendReply(
  response: ServerResponse,
  { status, body, tail, headers }: Reply,
  requestId: string = makeRequestId(),
  cors: Readonly<Record<string, string>> | undefined,
  closing: boolean,
): void {
  if (response.destroyed || response.headersSent) return;
  const fields = ["x-request-id", requestId];
  if (body !== "") fields.push("content-type", "application/json");
  if (status !== 204) fields.push("content-length", String(Buffer.byteLength(body) + (tail?.length ?? 0)));
  if (closing) fields.push("connection", "close");
  for (const more of [headers, cors])
    if (more) for (const name in more) fields.push(name, more[name] as string);
  response.writeHead(status, fields);
  if (tail) {
    response.write(body);
    response.end(tail);
  } else {
    response.end(body);
  }
}
