/** The sessions of 2025-era clients: opened by a handshake, found by their id, ended when nobody uses them. */

import { milliseconds } from "../duration.ts";
import { memoryEventStore } from "../events.ts";
import { type Exchange, type Reply, invalidRequest } from "../protocol/exchange.ts";
import { RPC, isObject } from "../protocol/jsonrpc.ts";
import { claimsModern } from "../protocol/envelope.ts";
import { errorReply } from "../protocol/exchange.ts";
import type { StateCodec } from "../protocol/request-state.ts";
import type { SessionOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import type { Session } from "../sdk/session.ts";

interface Entry {
  readonly session: Session;
  /** Requests and streams that use the session now. */
  uses: number;
  lastUsed: number;
}

const FORWARDED = ["accept", "content-type", "mcp-session-id", "mcp-protocol-version", "last-event-id"];

export class Sessions {
  readonly #runtime: Runtime;
  readonly #codec: StateCodec;
  readonly #options: Required<Pick<SessionOptions, "max" | "eventStore">> & {
    readonly idle: number;
    readonly retry: number;
  };
  readonly #entries = new Map<string, Entry>();
  #opening = 0;
  #sweeper: ReturnType<typeof setInterval> | undefined;

  constructor(
    runtime: Runtime,
    codec: StateCodec,
    { max = 1_000, idle = "30m", eventStore = memoryEventStore(), retry = "1s" }: SessionOptions,
  ) {
    this.#runtime = runtime;
    this.#codec = codec;
    this.#options = {
      max,
      eventStore,
      idle: milliseconds(idle, "http.sessions.idle"),
      retry: milliseconds(retry, "http.sessions.retry"),
    };
  }

  /** Whether a message belongs to a session, or opens one. */
  concerns(body: unknown, { header }: Exchange): boolean {
    if (!isObject(body) && !Array.isArray(body)) return false;
    const params = isObject(body) && isObject(body["params"]) ? body["params"] : undefined;
    if (params && claimsModern({ id: 0, method: "", params })) return false;
    return header("mcp-session-id") !== undefined || (isObject(body) && body["method"] === "initialize");
  }

  /** Answers a request of a session, or the handshake that opens one. */
  async answer(method: string, body: unknown, exchange: Exchange): Promise<Reply> {
    const id = exchange.header("mcp-session-id");
    if (id === undefined && method !== "POST") {
      return invalidRequest(400, "Bad request: name the session in the Mcp-Session-Id header.");
    }
    const entry = id === undefined ? await this.#open() : this.#entries.get(id);
    if (entry === "full") return FULL;
    // The client is to begin again (2025-11-25, "Session Management").
    if (!entry)
      return errorReply(404, undefined, {
        code: RPC.invalidRequest,
        message: "Session not found: initialize again.",
      });
    return { status: 200, body: "", response: await this.#use(entry, request(method, exchange), body) };
  }

  /** Ends every session. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all([...this.#entries.keys()].map((id) => this.#end(id)));
  }

  async #open(): Promise<Entry | "full"> {
    if (this.#entries.size + this.#opening >= this.#options.max) return "full";
    this.#opening++;
    try {
      const { openSession } = await import("../sdk/session.ts");
      const id = crypto.randomUUID();
      const { eventStore, retry, idle } = this.#options;
      const settings = { id, eventStore, retry, closed: () => void this.#end(id) };
      const session = await openSession(this.#runtime, await this.#runtime.sealed(), this.#codec, settings);
      const entry: Entry = { session, uses: 0, lastUsed: performance.now() };
      this.#entries.set(id, entry);
      this.#sweeper ??= setInterval(() => this.#sweep(), Math.max(1_000, idle / 4)).unref();
      return entry;
    } finally {
      this.#opening--;
    }
  }

  async #use(entry: Entry, incoming: Request, body: unknown): Promise<Response> {
    entry.uses++;
    const done = () => {
      entry.uses--;
      entry.lastUsed = performance.now();
    };
    try {
      const response = await entry.session.handle(incoming, body);
      if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
        done();
        return response;
      }
      return new Response(watched(response.body, done), response);
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

const FULL: Reply = errorReply(
  503,
  undefined,
  { code: RPC.internalError, message: "Service unavailable: there are too many sessions." },
  { "retry-after": "30" },
);

/** The request as the SDK reads it: what concerns the session, and no more. */
function request(method: string, { header }: Exchange): Request {
  const headers = FORWARDED.flatMap((name) => {
    const value = header(name);
    return value === undefined ? [] : [[name, value] as [string, string]];
  });
  return new Request("http://localhost/", { method, headers });
}

/** A stream that tells when it is over, whoever ended it. */
function watched(body: ReadableStream<Uint8Array>, done: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { value, done: over } = await reader.read();
        if (!over) return controller.enqueue(value);
        controller.close();
        return done();
      },
      cancel: async (reason) => {
        done();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
