/** The MCP endpoint, whatever serves it: what is refused before the body is read, and how a body is answered. */

import type { Cancellation } from "../context.ts";
import { isPromise } from "../promises.ts";
import { answer } from "../protocol/answer.ts";
import { type Exchange, type Reply, errorReply, invalidRequest } from "../protocol/exchange.ts";
import { parseJson } from "../protocol/json.ts";
import { RPC } from "../protocol/jsonrpc.ts";
import type { Runtime } from "../runtime.ts";
import { inspectJson } from "../strict-json.ts";
import { type Gate, createGate } from "./hosts.ts";

/** What is known of a request before its body. */
export interface Head {
  readonly method: string;
  readonly header: (name: string) => string | undefined;
}

export class Endpoint {
  readonly path: string;
  readonly maxBodyBytes: number;
  readonly #runtime: Runtime;
  readonly #gate: Gate;
  readonly #maxInFlight: number;
  readonly #running = new Set<Cancellation>();
  #receiving = 0;

  constructor(runtime: Runtime) {
    const { path = "/mcp", maxBodyBytes = 1_048_576, maxInFlight = 1_000 } = runtime.http;
    this.#runtime = runtime;
    this.#gate = createGate(runtime.http);
    this.#maxInFlight = maxInFlight;
    this.path = path;
    this.maxBodyBytes = maxBodyBytes;
  }

  /** The refusal that a request deserves by its head alone, if any. */
  refusal({ method, header }: Head): Reply | undefined {
    const host = header("host");
    if (host === undefined || !this.#gate.allowsHost(host)) {
      return invalidRequest(
        403,
        "Forbidden: the Host header names a host that this server does not answer to.",
      );
    }
    const origin = header("origin");
    if (origin !== undefined && !this.#gate.allowsOrigin(origin)) {
      return invalidRequest(403, "Forbidden: pages of this Origin may not call this server.");
    }
    if (method === "OPTIONS" && origin !== undefined) return PREFLIGHT;
    if (method !== "POST")
      return invalidRequest(405, "Method not allowed: send messages by POST.", undefined, { allow: "POST" });
    if (this.#running.size + this.#receiving >= this.#maxInFlight) return BUSY;
    const type = header("content-type");
    if (type !== "application/json" && !isJsonType(type)) return WRONG_TYPE;
    if (header("content-encoding") !== undefined) return CODED;
    return Number(header("content-length") ?? 0) > this.maxBodyBytes ? this.tooLarge() : undefined;
  }

  /** Counts a body that is on its way, until the returned function is called. */
  receive(): () => void {
    let arriving = true;
    this.#receiving++;
    return () => {
      if (arriving) this.#receiving--;
      arriving = false;
    };
  }

  tooLarge(): Reply {
    return invalidRequest(413, `Content too large: a body may have at most ${this.maxBodyBytes} bytes.`);
  }

  /** Answers a body: its bytes, or what a framework parsed of them. */
  answer(
    body: Uint8Array | { readonly parsed: unknown },
    header: Head["header"],
    requestId: string,
    cancellation: Cancellation,
  ): Reply | Promise<Reply> {
    const { value, problem } =
      body instanceof Uint8Array
        ? { value: undefined, ...parseJson(body) }
        : { value: body.parsed, problem: inspectJson(body.parsed) };
    if (problem !== undefined)
      return errorReply(400, undefined, { code: RPC.parseError, message: `Parse error: ${problem}` });

    const exchange: Exchange = { header, requestId, cancellation };
    const { logger } = this.#runtime;
    const sealed = this.#runtime.sealed();
    const reply = isPromise(sealed)
      ? sealed.then((ready) => answer(ready, value, exchange, logger))
      : answer(sealed, value, exchange, logger);
    return isPromise(reply) ? this.#tracked(reply, cancellation) : reply;
  }

  /** The headers by which a page of an allowed origin may read the answer (Fetch, "CORS protocol"). */
  corsHeaders(origin: string | undefined): Readonly<Record<string, string>> | undefined {
    if (origin === undefined || !this.#gate.allowsOrigin(origin)) return undefined;
    return {
      "access-control-allow-origin": origin,
      "access-control-expose-headers": "x-request-id, www-authenticate",
      vary: "origin",
    };
  }

  /** Ends every call under way: its signal fires. */
  cancelAll(reason: unknown): void {
    for (const cancellation of this.#running) cancellation.cancel(reason);
  }

  async #tracked(reply: Promise<Reply>, cancellation: Cancellation): Promise<Reply> {
    this.#running.add(cancellation);
    try {
      return await reply;
    } finally {
      this.#running.delete(cancellation);
    }
  }
}

const PREFLIGHT: Reply = {
  status: 204,
  body: "",
  headers: {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers":
      "content-type, accept, authorization, mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, x-request-id, traceparent, tracestate",
    "access-control-max-age": "600",
  },
};

const BUSY = errorReply(
  503,
  undefined,
  { code: RPC.internalError, message: "Service unavailable: too many requests are under way." },
  { "retry-after": "1" },
);

const WRONG_TYPE = invalidRequest(415, "Unsupported media type: the Content-Type must be application/json.");

const CODED = invalidRequest(415, "Unsupported media type: send the body without a Content-Encoding.");

/** `application/json`, possibly with parameters; a charset may only be UTF-8. */
function isJsonType(type: string | undefined): boolean {
  if (type === undefined) return false;
  const [essence = "", ...parameters] = type.split(";").map((part) => part.trim().toLowerCase());
  return (
    essence === "application/json" &&
    parameters.every(
      (parameter) => !parameter.startsWith("charset=") || /^charset="?utf-8"?$/.test(parameter),
    )
  );
}
