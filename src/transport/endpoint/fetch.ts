/** The MCP endpoint on web-standard `Request` and `Response`. */

import { Cancellation } from "../../core/calls/cancellation.ts";
import type { Reply } from "../../protocol/exchange.ts";
import { readBody } from "../../core/schemas/request-body.ts";
import { requestIdFrom } from "../../core/calls/request-id.ts";
import type { Mounted } from "../../core/runtime.ts";
import { type AddressOf, type Incoming, incomingIn } from "../requests/client-address.ts";
import type { Endpoint } from "./endpoint.ts";
import { FetchReply } from "./fetch-reply.ts";
import { isNormal } from "../requests/request-target.ts";

/** Serves the endpoint, and hands everything else to `others`. */
export function fetchListener(
  endpoint: Endpoint,
  others: (request: Request, incoming: Incoming | undefined) => Response | Promise<Response>,
  addressOf: AddressOf,
): Mounted["fetch"] {
  return async (request, bindings) => {
    const url = new URL(request.url);
    const incoming = incomingIn(bindings);
    if (url.pathname !== endpoint.path || !isNormal(incoming?.url ?? "")) return others(request, incoming);
    const address = incoming && (() => addressOf(incoming));
    // The Host header is not among those a Request may carry: its URL holds what the server was called by.
    const header = (name: string) => request.headers.get(name) ?? (name === "host" ? url.host : undefined);
    const requestId = requestIdFrom(header("x-request-id"));
    const cancellation = new Cancellation();
    const gone = () => cancellation.cancel(new Error("The client disconnected."));
    const headers = { "x-request-id": requestId, ...endpoint.corsHeaders(header("origin")) };
    const reply = new FetchReply(endpoint.streams, headers, gone);

    const send = (answer: Reply) => {
      endpoint.sends(answer);
      reply.send(answer);
    };
    const refusal = endpoint.refusal({ method: request.method, header });
    const isPost = request.method === "POST";
    const received = refusal ? undefined : endpoint.receive();
    const body =
      refusal || !isPost
        ? undefined
        : await readBody(request, endpoint.maxBodyBytes).finally(() => received?.());
    if (refusal || (isPost && !body)) {
      send(refusal ?? endpoint.tooLarge());
      return reply.response;
    }
    request.signal.addEventListener("abort", gone, { once: true });
    const answer = async () => {
      const say = endpoint.streamsTo(header) ? reply.say : undefined;
      const exchange = { header, requestId, cancellation, say, address };
      send(
        await (body ? endpoint.answer(body, exchange) : endpoint.answerBodiless(request.method, exchange)),
      );
      request.signal.removeEventListener("abort", gone);
      // When the framework sends the response is not known here: it has it then.
      if (cancellation.awaited) setTimeout(() => cancellation.answered());
    };
    return Promise.race([reply.response, answer().then(() => reply.response)]);
  };
}
