/** One session of a 2025-era client, through the official SDK's transport. */

import {
  type EventStore as SdkEventStore,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import type { Origin } from "../core/calls/client.ts";
import type { Cancellation } from "../core/calls/cancellation.ts";
import type { EventReplay, EventStore } from "../core/ports.ts";
import { RPC } from "../protocol/jsonrpc.ts";
import type { StateCodec } from "../protocol/request-state.ts";
import { LEGACY } from "../protocol/versions.ts";
import { SESSION_WIRES } from "../protocol/wire.ts";
import type { Runtime } from "../core/runtime.ts";
import type { Sealed } from "../core/sealed/sealed.ts";
import { bridge } from "./bridge.ts";

export interface Session {
  /** @param origin - Where the request comes from: what identifies its sender is kept from the SDK. */
  handle(request: Request, parsedBody: unknown, origin: Origin): Promise<Handled>;
  /** Ends the stream on which the client is told of changes. */
  endStream(): void;
  close(): Promise<void>;
}

export interface Handled {
  readonly response: Response;
  /** The length of what the client has missed and is sent again; about so many bytes. */
  readonly replayed: number;
}

export interface SessionSettings {
  readonly id: string;
  readonly eventStore: EventStore;
  /** In milliseconds. */
  readonly retry: number;
  /** Where calls under way are counted. */
  readonly running: Set<Cancellation>;
  /** Called when the client has ended the session. */
  readonly closed: () => void;
}

const VERSION = "mcp-protocol-version";

/** Opens a session; its first request is the handshake. */
export async function openSession(
  runtime: Runtime,
  sealed: Sealed,
  codec: StateCodec,
  { id, eventStore, retry, running, closed }: SessionSettings,
): Promise<Session> {
  const store = new SessionStore(eventStore, id);
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => id,
    onsessionclosed: closed,
    eventStore: store,
    retryInterval: retry,
    // Streams are kept alive where they leave.
    keepAliveMs: 0,
  });
  const origins = new WeakMap<Request, Origin>();
  const originOf = (request: Request | undefined) => request && origins.get(request);
  const server = bridge(runtime, sealed, codec, {
    versions: LEGACY,
    running,
    wires: SESSION_WIRES,
    sessionId: id,
    originOf,
  });
  await server.connect(transport);
  return new SdkSession(server, transport, store, origins);
}

class SdkSession implements Session {
  readonly #server: Server;
  readonly #transport: WebStandardStreamableHTTPServerTransport;
  readonly #store: SessionStore;
  readonly #origins: WeakMap<Request, Origin>;

  constructor(
    server: Server,
    transport: WebStandardStreamableHTTPServerTransport,
    store: SessionStore,
    origins: WeakMap<Request, Origin>,
  ) {
    this.#origins = origins;
    this.#server = server;
    this.#transport = transport;
    this.#store = store;
  }

  async handle(request: Request, parsedBody: unknown, origin: Origin): Promise<Handled> {
    this.#origins.set(request, origin);
    const negotiated = this.#server.getNegotiatedProtocolVersion();
    const stated = request.headers.get(VERSION);
    // A session speaks the revision of its handshake; the header only repeats it, and some clients get it wrong.
    if (negotiated !== undefined && (stated === null || LEGACY.includes(stated)))
      request.headers.set(VERSION, negotiated);
    const lastEventId = request.method === "GET" ? request.headers.get("last-event-id") : null;
    const replay = lastEventId === null ? undefined : await this.#store.replay(lastEventId);
    if (lastEventId !== null && !replay) return { response: unknownEvent(), replayed: 0 };
    const options = parsedBody === undefined ? {} : { parsedBody };
    const response = await this.#transport.handleRequest(request, options);
    return { response, replayed: replay ? JSON.stringify(replay).length : 0 };
  }

  endStream(): void {
    this.#transport.closeStandaloneSSEStream();
  }

  async close(): Promise<void> {
    await this.#server.close();
    await this.#store.forget();
  }
}

/** Our store as the SDK wants it, with each session's streams under its id: no session replays another's. */
class SessionStore implements SdkEventStore {
  readonly #store: EventStore;
  readonly #id: string;

  constructor(store: EventStore, id: string) {
    this.#store = store;
    this.#id = id;
  }

  async storeEvent(streamId: string, message: object): Promise<string> {
    return this.#store.append(`${this.#id}/${streamId}`, message);
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: Parameters<SdkEventStore["replayEventsAfter"]>[1],
  ): Promise<string> {
    const replay = await this.replay(lastEventId);
    if (!replay) throw new Error("The event is not known.");
    for (const event of replay.events) await send(event.id, event.message as Parameters<typeof send>[1]);
    return replay.streamId.slice(this.#id.length + 1);
  }

  /** What the client has missed; `undefined` where the event is not known, or another session's. */
  async replay(lastEventId: string): Promise<EventReplay | undefined> {
    const replay = await this.#store.after(lastEventId);
    return replay?.streamId.startsWith(`${this.#id}/`) ? replay : undefined;
  }

  forget(): void | Promise<void> {
    return this.#store.forget(`${this.#id}/`);
  }
}

/** The SDK would call this a fault of the server's. */
function unknownEvent(): Response {
  const message = "Invalid request: the Last-Event-ID is not known here, or no longer.";
  return Response.json({ jsonrpc: "2.0", error: { code: RPC.invalidRequest, message } }, { status: 400 });
}
