/** The MCP endpoint, whatever serves it: what is refused before the body is read, and how a body is answered. */

import type { Cancellation } from "../../core/calls/cancellation.ts";
import { internalError } from "../../core/errors.ts";
import type { TransportCounts } from "../../core/operations/metrics.ts";
import { isPromise } from "../../core/values/promises.ts";
import { answer } from "../../protocol/answer.ts";
import {
  type Exchange,
  type ProtocolServices,
  type Reply,
  errorReply,
  invalidRequest,
} from "../../protocol/exchange.ts";
import { parseJson } from "../../protocol/json.ts";
import { isObject } from "../../core/values/json.ts";
import { RPC } from "../../protocol/jsonrpc.ts";
import { StateCodec } from "../../protocol/request-state.ts";
import { SubscriptionHub } from "../../protocol/subscriptions.ts";
import type { Runtime } from "../../core/runtime.ts";
import { inspectJson } from "../../core/schemas/strict-json.ts";
import { type Gate, createGate } from "../requests/hosts.ts";
import { Sessions } from "./sessions.ts";
import { Streams } from "./streams.ts";

/** What is known of a request before its body. */
export interface Head {
  readonly method: string;
  readonly header: (name: string) => string | undefined;
}

/** What pages may read of an answer's headers. */
const EXPOSED = "x-request-id, www-authenticate, mcp-session-id, ratelimit, ratelimit-policy, retry-after";

export class Endpoint {
  readonly path: string;
  readonly maxBodyBytes: number;
  readonly streams: Streams;
  readonly #runtime: Runtime;
  readonly #services: ProtocolServices;
  readonly #gate: Gate;
  readonly #sessions: Sessions | undefined;
  readonly #maxInFlight: number;
  readonly #running = new Set<Cancellation>();
  /** How many answers have had which HTTP status, from 400 on. */
  readonly #errors = new Map<number, number>();
  #receiving = 0;

  constructor(runtime: Runtime) {
    const {
      path = "/mcp",
      maxBodyBytes = 1_048_576,
      maxInFlight = 1_000,
      maxStreams = 1_024,
      maxStreamsPerClient = 8,
    } = runtime.http;
    this.#runtime = runtime;
    this.#services = {
      logger: runtime.logger,
      background: runtime.background,
      places: runtime.places,
      circuits: runtime.circuits,
      validatorOf: runtime.validatorOf,
      limits: runtime.limits,
      observe: runtime.observe,
      stages: runtime.stages,
      codec: new StateCodec(runtime.stateKeys),
      hub: new SubscriptionHub(runtime.eventBus, maxStreamsPerClient),
    };
    const { sessions } = runtime.http;
    this.#sessions = sessions
      ? new Sessions(runtime, this.#services, this.#running, sessions === true ? {} : sessions)
      : undefined;
    this.streams = new Streams(maxStreams, runtime.logger);
    this.#gate = createGate(runtime.http);
    this.#maxInFlight = maxInFlight;
    this.path = path;
    this.maxBodyBytes = maxBodyBytes;
    runtime.metrics?.read(() => this.#counts());
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
    if (this.#runtime.lifecycle.closed) return CLOSED;
    if (method === "OPTIONS" && origin !== undefined) return preflight(header, this.#methods);
    if (this.#sessions && (method === "GET" || method === "DELETE")) return undefined;
    if (method !== "POST")
      return invalidRequest(405, "Method not allowed: send messages by POST.", undefined, {
        allow: this.#methods,
      });
    // What belongs to a session may be the answer that a call under way waits for.
    if (this.#full && !(this.#sessions && header("mcp-session-id") !== undefined)) return BUSY;
    const type = header("content-type");
    if (type !== "application/json" && !isJsonType(type)) return WRONG_TYPE;
    if (header("content-encoding") !== undefined) return CODED;
    return Number(header("content-length") ?? 0) > this.maxBodyBytes ? this.tooLarge() : undefined;
  }

  /** Counts an answer that is about to be sent. */
  sends({ status, counts = status }: Reply): void {
    if (counts >= 400) this.#errors.set(counts, (this.#errors.get(counts) ?? 0) + 1);
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

  /** Answers a body: its bytes, or what a framework parsed of them. Never throws. */
  answer(body: Body, exchange: Exchange): Reply | Promise<Reply> {
    try {
      const reply = this.#read(body, exchange);
      if (isPromise(reply)) return this.#tracked(reply, exchange);
      exchange.cancellation.settle();
      return reply;
    } catch (error) {
      return this.#unexpected(error, exchange);
    }
  }

  /** Answers a request without a body: the stream of a session, or its end. Never rejects. */
  async answerBodiless(method: string, exchange: Exchange): Promise<Reply> {
    if (method === "GET" && this.streams.full) return BUSY;
    try {
      return await (this.#sessions as Sessions).answer(method, undefined, exchange);
    } catch (error) {
      return this.#unexpected(error, exchange);
    }
  }

  /** Whether an event stream may be opened for a request: its client reads them. */
  streamsTo(header: Head["header"]): boolean {
    return header("accept")?.includes("text/event-stream") === true;
  }

  /** Ends all subscriptions gracefully, and the streams of sessions that no call speaks on. */
  endStreams(): void {
    this.#services.hub.close();
    this.#sessions?.endStreams();
  }

  /** Ends all sessions. */
  async close(): Promise<void> {
    await this.#sessions?.close();
  }

  /** The headers by which a page of an allowed origin may read the answer (Fetch, "CORS protocol"). */
  corsHeaders(origin: string | undefined): Readonly<Record<string, string>> | undefined {
    if (origin === undefined || !this.#gate.allowsOrigin(origin)) return undefined;
    return {
      "access-control-allow-origin": origin,
      "access-control-expose-headers": EXPOSED,
      vary: "origin",
    };
  }

  /** Ends every call under way: its signal fires. */
  cancelAll(reason: unknown): void {
    for (const cancellation of this.#running) cancellation.cancel(reason);
  }

  #counts(): TransportCounts {
    const { open, cutOverflowing, cutStalled } = this.streams.counts;
    return {
      streams: open,
      cut: { overflowing: cutOverflowing, stalled: cutStalled },
      sessions: this.#sessions?.size ?? 0,
      errors: this.#errors,
    };
  }

  get #methods(): string {
    return this.#sessions ? "POST, GET, DELETE" : "POST";
  }

  get #full(): boolean {
    return this.#running.size + this.#receiving >= this.#maxInFlight;
  }

  #read(body: Body, exchange: Exchange): Reply | Promise<Reply> {
    const { value, problem } = readBody(body);
    if (problem !== undefined) {
      return errorReply(400, undefined, { code: RPC.parseError, message: `Parse error: ${problem}` });
    }
    if (this.#sessions?.concerns(value, exchange))
      return this.#full && asksSomething(value) ? BUSY : this.#sessions.answer("POST", value, exchange);
    const sealed = this.#runtime.sealed();
    return isPromise(sealed)
      ? sealed.then((ready) => answer(ready, value, exchange, this.#services))
      : answer(sealed, value, exchange, this.#services);
  }

  async #tracked(reply: Promise<Reply>, exchange: Exchange): Promise<Reply> {
    const { cancellation } = exchange;
    this.#running.add(cancellation);
    try {
      return await reply;
    } catch (error) {
      return this.#unexpected(error, exchange);
    } finally {
      this.#running.delete(cancellation);
      cancellation.settle();
    }
  }

  #unexpected(error: unknown, { requestId }: Exchange): Reply {
    this.#runtime.logger.error({ requestId, err: error }, "Unexpected error");
    return UNEXPECTED;
  }
}

/** Whether a message of a session, or one in its batch, is a request. */
function asksSomething(value: unknown): boolean {
  return Array.isArray(value)
    ? value.some(asksSomething)
    : isObject(value) && "method" in value && "id" in value;
}

/** A body as it was received, or as a framework in front has parsed it. */
export type Body = Uint8Array | { readonly parsed: unknown };

function readBody(body: Body): { readonly value?: unknown; readonly problem?: string | undefined } {
  return body instanceof Uint8Array
    ? parseJson(body)
    : { value: body.parsed, problem: inspectJson(body.parsed) };
}

const CORS_HEADERS = [
  "content-type",
  "accept",
  "authorization",
  "mcp-protocol-version",
  "mcp-method",
  "mcp-name",
  "mcp-session-id",
  "last-event-id",
  "x-request-id",
  "traceparent",
  "tracestate",
];

/** What a page may send (Fetch, "CORS-preflight request"): among it whatever headers mirror a tool's parameters. */
function preflight(header: Head["header"], methods: string): Reply {
  const asked = header("access-control-request-headers")?.toLowerCase().split(",") ?? [];
  const mirrored = asked
    .map((name) => name.trim())
    .filter((name) => /^mcp-param-[\w!#$%&'*+.^`|~-]+$/.test(name));
  return {
    status: 204,
    body: "",
    headers: {
      "access-control-allow-methods": methods,
      "access-control-allow-headers": [...CORS_HEADERS, ...mirrored].join(", "),
      "access-control-max-age": "600",
    },
  };
}

export const BUSY: Reply = errorReply(
  503,
  undefined,
  { code: RPC.internalError, message: "Service unavailable: too many requests are under way." },
  { "retry-after": "1" },
);

/** Says nothing of its cause, which is in the log. */
export const UNEXPECTED: Reply = errorReply(500, undefined, {
  code: RPC.internalError,
  message: internalError(undefined).message,
});

const CLOSED: Reply = errorReply(503, undefined, {
  code: RPC.internalError,
  message: "Service unavailable: the server has been closed.",
});

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
