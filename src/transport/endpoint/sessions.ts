/** The sessions of 2025-era clients: opened by a handshake, found by their id, ended when nobody uses them. */

import { type VerifiedIdentity, whenExpired } from "../../core/calls/client.ts";
import type { Cancellation } from "../../core/calls/cancellation.ts";
import { milliseconds } from "../../core/options/duration.ts";
import { memoryEventStore } from "../../core/sharing/events.ts";
import { claimsModern } from "../../protocol/envelope.ts";
import { callerOf } from "../../protocol/admission.ts";
import {
  type Exchange,
  type ProtocolServices,
  type Relay,
  type Reply,
  errorReply,
  invalidRequest,
} from "../../protocol/exchange.ts";
import { isObject } from "../../core/values/json.ts";
import { RPC, type RequestId, readMessage } from "../../protocol/jsonrpc.ts";
import { answerLegacy } from "../../protocol/legacy.ts";
import { isMethod, readAsk } from "../../protocol/methods.ts";
import { unsupportedVersion } from "../../protocol/modern.ts";
import { LEGACY, UNSTATED_LEGACY } from "../../protocol/versions.ts";
import type { SessionOptions } from "../../core/server-options.ts";
import type { Runtime } from "../../core/runtime.ts";
import type { Session } from "../../sdk/session.ts";

interface Entry {
  readonly id: string;
  readonly session: Session;
  /** Whose it is, where that is known: it is nobody else's. */
  principal: string | undefined;
  /** Requests and streams that use the session now. */
  uses: number;
  lastUsed: number;
}

const FORWARDED = ["accept", "content-type", "mcp-session-id", "mcp-protocol-version", "last-event-id"];

export class Sessions {
  readonly #runtime: Runtime;
  readonly #services: ProtocolServices;
  readonly #running: Set<Cancellation>;
  readonly #options: Required<Pick<SessionOptions, "max" | "eventStore">> & {
    readonly idle: number;
    readonly retry: number;
  };
  readonly #entries = new Map<string, Entry>();
  #opening = 0;
  #sweeper: ReturnType<typeof setInterval> | undefined;

  /** @param running - The calls under way, of all sessions and beside them. */
  constructor(
    runtime: Runtime,
    services: ProtocolServices,
    running: Set<Cancellation>,
    { max = 1_000, idle = "30m", eventStore, retry = "1s" }: SessionOptions,
  ) {
    this.#runtime = runtime;
    this.#services = services;
    this.#running = running;
    this.#options = {
      max,
      eventStore: eventStore ?? runtime.eventStore ?? memoryEventStore(),
      idle: milliseconds(idle, "http.sessions.idle"),
      retry: milliseconds(retry, "http.sessions.retry"),
    };
  }

  /** How many there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether a message belongs to a session, or opens one. */
  concerns(body: unknown, { header }: Exchange): boolean {
    if (!isObject(body) && !Array.isArray(body)) return false;
    const params = isObject(body) && isObject(body["params"]) ? body["params"] : undefined;
    if (params && claimsModern({ params })) return false;
    return header("mcp-session-id") !== undefined || (isObject(body) && body["method"] === "initialize");
  }

  /** Answers a request of a session, or the handshake that opens one. */
  async answer(method: string, body: unknown, exchange: Exchange): Promise<Reply> {
    const id = exchange.header("mcp-session-id");
    if (id === undefined && method !== "POST") {
      return invalidRequest(400, "Bad request: name the session in the Mcp-Session-Id header.");
    }
    const caller = await this.#caller(body, exchange);
    if ("refusal" in caller) return caller.refusal;
    const principal = caller.identity?.principal;
    const entry = id === undefined ? await this.#open(principal) : this.#entries.get(id);
    if (entry === "full") return FULL;
    // The client is to begin again (2025-11-25, "Session Management"). Another's session is none: its id proves nothing.
    if (!entry || !belongs(entry, principal))
      return errorReply(404, undefined, {
        code: RPC.invalidRequest,
        message: "Session not found: initialize again.",
      });
    const version = exchange.header("mcp-protocol-version");
    if (id !== undefined && version !== undefined && !LEGACY.includes(version))
      return errorReply(400, idOf(body), unsupportedVersion(version.slice(0, 64), LEGACY));
    const reply = await this.#use(entry, method, body, exchange, caller.identity);
    // A handshake that failed opened nothing.
    if (id === undefined && reply.headers?.["mcp-session-id"] === undefined) await this.#end(entry.id);
    const counts = countsAs(body);
    return counts === undefined || reply.status >= 400 ? reply : { ...reply, counts };
  }

  /** Ends the streams on which sessions are told of changes. */
  endStreams(): void {
    for (const { session } of this.#entries.values()) session.endStream();
  }

  /** Ends every session. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all([...this.#entries.keys()].map((id) => this.#end(id)));
  }

  /** Who sends a request, or the refusal: as a status and a challenge, before the SDK answers with a stream. */
  async #caller(body: unknown, exchange: Exchange): ReturnType<typeof callerOf> {
    const sealed = await this.#runtime.sealed();
    const message = readMessage(body);
    const asked = "request" in message ? message.request : undefined;
    const read = asked && isMethod(asked.method) ? readAsk(asked.method, asked.params ?? {}) : undefined;
    const ask = read && "ask" in read ? read.ask : undefined;
    const caller = await callerOf(sealed, exchange, this.#services, asked?.id, ask);
    if (!("refusal" in caller) || !asked || !ask) return caller;
    // Answered as without a session, it is seen by those who watch and record operations.
    const stated = exchange.header("mcp-protocol-version");
    const version = stated !== undefined && LEGACY.includes(stated) ? stated : UNSTATED_LEGACY;
    return { refusal: await answerLegacy(sealed, asked, version, exchange, this.#services) };
  }

  async #open(principal: string | undefined): Promise<Entry | "full"> {
    if (this.#entries.size + this.#opening >= this.#options.max) return "full";
    this.#opening++;
    try {
      const { openSession } = await import("../../sdk/session.ts");
      const id = crypto.randomUUID();
      const { eventStore, retry, idle } = this.#options;
      const closed = () => void this.#end(id);
      const settings = { id, eventStore, retry, running: this.#running, closed };
      const session = await openSession(
        this.#runtime,
        await this.#runtime.sealed(),
        this.#services.codec,
        settings,
      );
      const entry: Entry = { id, session, principal, uses: 0, lastUsed: performance.now() };
      this.#entries.set(id, entry);
      this.#sweeper ??= setInterval(() => this.#sweep(), Math.max(1_000, idle / 4)).unref();
      return entry;
    } finally {
      this.#opening--;
    }
  }

  async #use(
    entry: Entry,
    method: string,
    body: unknown,
    exchange: Exchange,
    identity: VerifiedIdentity | undefined,
  ): Promise<Reply> {
    entry.uses++;
    const done = () => {
      entry.uses--;
      entry.lastUsed = performance.now();
    };
    try {
      const { response, replayed } = await entry.session.handle(request(method, exchange), body, exchange);
      const { status, body: events } = response;
      const id = response.headers.get("mcp-session-id");
      const headers = id === null ? {} : { "mcp-session-id": id };
      // A call that was admitted may finish, here as elsewhere.
      const listener = method === "GET" ? identity : undefined;
      if (events && response.headers.get("content-type")?.startsWith("text/event-stream"))
        return { status, body: "", headers, relay: (to) => pump(events, to, replayed, listener, done) };
      const text = await response.text();
      done();
      return status < 400 ? { status, body: text, headers } : refused(status, text, idOf(body));
    } catch (error) {
      done();
      throw error;
    }
  }

  #sweep(): void {
    const oldest = performance.now() - this.#options.idle;
    for (const [id, { uses, lastUsed }] of this.#entries)
      if (uses === 0 && lastUsed < oldest) void this.#end(id);
  }

  async #end(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    try {
      await entry?.session.close();
    } catch (error) {
      this.#runtime.logger.warn({ err: error }, "A session did not end well");
    }
  }
}

/**
 * Whether a session is this caller's. One that was opened by somebody unknown is of the first who gives a name: so goes
 * a client that is asked for credentials on the way.
 */
function belongs(entry: Entry, principal: string | undefined): boolean {
  if (entry.principal === undefined && principal !== undefined) {
    entry.principal = principal;
    // What was opened without credentials is not told what concerns their owner.
    entry.session.endStream();
  }
  return entry.principal === principal;
}

const FULL: Reply = errorReply(
  503,
  undefined,
  { code: RPC.internalError, message: "Service unavailable: there are too many sessions." },
  { "retry-after": "30" },
);

/** A refusal of the SDK's, with the codes of the specification in place of its own. */
function refused(status: number, text: string, id: RequestId | undefined): Reply {
  const { error } = JSON.parse(text) as { readonly error: { readonly message: string } };
  return invalidRequest(status, error.message, id);
}

/** The id of the request that a body holds, if it holds one. */
function idOf(body: unknown): RequestId | undefined {
  const message = readMessage(body);
  return "request" in message ? message.request.id : undefined;
}

/** The request as the SDK reads it: what concerns the session, and no more. */
function request(method: string, { header, requestId }: Exchange): Request {
  const headers = FORWARDED.flatMap((name) => {
    const value = header(name);
    return value === undefined ? [] : [[name, value] as [string, string]];
  });
  headers.push(["x-request-id", requestId]);
  return new Request("http://localhost/", { method, headers });
}

/**
 * Passes on the events of the SDK's stream as they come, since it would let them pile up: a reader that does
 * not keep up is cut off here as anywhere, and may come back for what it missed. What it missed comes all at
 * once, and from a store with bounds.
 */
function pump(
  events: ReadableStream<Uint8Array>,
  to: Relay,
  replayed: number,
  identity: VerifiedIdentity | undefined,
  done: () => void,
): () => void {
  const reader = events.getReader();
  const decoder = new TextDecoder();
  const passOn = async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read())
      to.pass(decoder.decode(read.value, { stream: true }));
  };
  to.allow(replayed);
  const unexpiring = whenExpired(identity, () => void reader.cancel().catch(() => {}));
  passOn()
    .catch(() => {})
    .finally(() => {
      unexpiring();
      to.end();
      done();
    });
  return () => void reader.cancel().catch(() => {});
}

/** The status under which a request counts that never becomes a call: of a method that there is not, or with params that do not fit. */
function countsAs(body: unknown): number | undefined {
  const message = readMessage(body);
  if (!("request" in message)) return undefined;
  const { method, params = {} } = message.request;
  if (isMethod(method)) return "error" in readAsk(method, params) ? 400 : undefined;
  return OWN.has(method) ? undefined : 404;
}

/** What sessions are asked besides operations. */
const OWN: ReadonlySet<string> = new Set([
  "initialize",
  "ping",
  "logging/setLevel",
  "resources/subscribe",
  "resources/unsubscribe",
]);
