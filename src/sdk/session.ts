/** One session of a 2025-era client, through the official SDK's transport. */

import {
  type EventStore as SdkEventStore,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import type { Cancellation } from "../context.ts";
import type { EventReplay, EventStore } from "../ports.ts";
import { RPC } from "../protocol/jsonrpc.ts";
import type { StateCodec } from "../protocol/request-state.ts";
import { LEGACY } from "../protocol/versions.ts";
import type { Runtime } from "../runtime.ts";
import type { Sealed } from "../seal.ts";
import { bridge } from "./bridge.ts";

export interface Session {
  handle(request: Request, parsedBody: unknown): Promise<Handled>;
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
  settings: SessionSettings,
): Promise<Session> {
  const { id, eventStore, retry, running, closed } = settings;
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => id,
    onsessionclosed: closed,
    eventStore: sdkStore(eventStore, id),
    retryInterval: retry,
    // Streams are kept alive where they leave.
    keepAliveMs: 0,
  });
  const server = bridge(runtime, sealed, codec, running);
  await server.connect(transport);
  return {
    handle: async (request, parsedBody) => {
      const negotiated = server.getNegotiatedProtocolVersion();
      const stated = request.headers.get(VERSION);
      // A session speaks the revision of its handshake; the header only repeats it, and some clients get it wrong.
      if (negotiated !== undefined && (stated === null || LEGACY.includes(stated)))
        request.headers.set(VERSION, negotiated);
      const lastEventId = request.method === "GET" ? request.headers.get("last-event-id") : null;
      const replay = lastEventId === null ? undefined : await replayOf(eventStore, lastEventId, id);
      if (lastEventId !== null && !replay) return { response: unknownEvent(), replayed: 0 };
      const response = await transport.handleRequest(request, parsedBody === undefined ? {} : { parsedBody });
      return { response, replayed: replay ? JSON.stringify(replay).length : 0 };
    },
    endStream: () => transport.closeStandaloneSSEStream(),
    close: async () => {
      await server.close();
      await eventStore.forget(`${id}/`);
    },
  };
}

/** Our store as the SDK wants it, with each session's streams under its id: no session replays another's. */
function sdkStore(store: EventStore, id: string): SdkEventStore {
  return {
    storeEvent: async (streamId, message) => store.append(`${id}/${streamId}`, message),
    replayEventsAfter: async (lastEventId, { send }) => {
      const replay = await replayOf(store, lastEventId, id);
      if (!replay) throw new Error("The event is not known.");
      for (const event of replay.events) await send(event.id, event.message as Parameters<typeof send>[1]);
      return replay.streamId.slice(id.length + 1);
    },
  };
}

/** What a client of session `id` has missed; `undefined` where the event is not known, or another session's. */
async function replayOf(
  store: EventStore,
  lastEventId: string,
  id: string,
): Promise<EventReplay | undefined> {
  const replay = await store.after(lastEventId);
  return replay?.streamId.startsWith(`${id}/`) ? replay : undefined;
}

/** The SDK would call this a fault of the server's. */
function unknownEvent(): Response {
  const message = "Invalid request: the Last-Event-ID is not known here, or no longer.";
  return Response.json({ jsonrpc: "2.0", error: { code: RPC.invalidRequest, message } }, { status: 400 });
}
