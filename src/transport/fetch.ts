/** The MCP endpoint on web-standard `Request` and `Response`. */

import { Cancellation } from "../context.ts";
import type { Reply } from "../protocol/exchange.ts";
import { requestIdFrom } from "../request-id.ts";
import type { Endpoint } from "./endpoint.ts";

/** Serves the endpoint, and hands everything else to `others`. */
export function fetchListener(
  endpoint: Endpoint,
  others: (request: Request) => Response | Promise<Response>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const url = new URL(request.url);
    if (url.pathname !== endpoint.path) return others(request);
    // The Host header is not among those a Request may carry: its URL holds what the server was called by.
    const header = (name: string) => request.headers.get(name) ?? (name === "host" ? url.host : undefined);
    const requestId = requestIdFrom(header("x-request-id"));
    const respond = (reply: Reply) => toResponse(reply, requestId, endpoint.corsHeaders(header("origin")));

    const refusal = endpoint.refusal({ method: request.method, header });
    if (refusal) return respond(refusal);
    const body = await readBody(request, endpoint.maxBodyBytes);
    if (!body) return respond(endpoint.tooLarge());
    const cancellation = new Cancellation();
    const gone = () => cancellation.cancel(new Error("The client disconnected."));
    request.signal.addEventListener("abort", gone, { once: true });
    try {
      return respond(await endpoint.answer(body, header, requestId, cancellation));
    } finally {
      request.signal.removeEventListener("abort", gone);
    }
  };
}

/** The body's bytes, or `undefined` where they are more than `limit`. */
async function readBody(request: Request, limit: number): Promise<Uint8Array | undefined> {
  if (request.bodyUsed) {
    throw new Error(
      "The request's body was read before server.fetch got it: mount server.fetch before whatever reads bodies, or let that read a clone().",
    );
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    size += read.value.length;
    if (size > limit) {
      await reader?.cancel();
      return undefined;
    }
    chunks.push(read.value);
  }
  const body = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.length;
  }
  return body;
}

const encoder = new TextEncoder();

function toResponse(
  { status, body, tail, headers }: Reply,
  requestId: string,
  cors: Readonly<Record<string, string>> | undefined,
): Response {
  const content = body === "" ? null : tail ? concat(encoder.encode(body), tail) : body;
  return new Response(content, {
    status,
    headers: {
      "x-request-id": requestId,
      ...(content !== null && { "content-type": "application/json" }),
      ...headers,
      ...cors,
    },
  });
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
