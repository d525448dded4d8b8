/** One session of a 2025-era client, through the official SDK's transport. */

import {
  type EventStore as SdkEventStore,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import type { EventStore } from "../ports.ts";
import type { StateCodec } from "../protocol/request-state.ts";
import { LEGACY } from "../protocol/versions.ts";
import type { Runtime } from "../runtime.ts";
import type { Sealed } from "../seal.ts";
import { bridge } from "./bridge.ts";

export interface Session {
  handle(request: Request, parsedBody: unknown): Promise<Response>;
  close(): Promise<void>;
}

export interface SessionSettings {
  readonly id: string;
  readonly eventStore: EventStore;
  /** In milliseconds. */
  readonly retry: number;
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
  const { id, eventStore, retry, closed } = settings;
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => id,
    onsessionclosed: closed,
    eventStore: sdkStore(eventStore, id),
    retryInterval: retry,
  });
  const server = bridge(runtime, sealed, codec);
  await server.connect(transport);
  return {
    handle: (request, parsedBody) => {
      const negotiated = server.getNegotiatedProtocolVersion();
      const stated = request.headers.get(VERSION);
      // A session speaks the revision of its handshake; the header only repeats it, and some clients get it wrong.
      if (negotiated !== undefined && (stated === null || LEGACY.includes(stated)))
        request.headers.set(VERSION, negotiated);
      return transport.handleRequest(request, parsedBody === undefined ? {} : { parsedBody });
    },
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
      const replay = await store.after(lastEventId);
      if (!replay?.streamId.startsWith(`${id}/`)) throw new Error("The event is not known.");
      for (const event of replay.events) await send(event.id, event.message as Parameters<typeof send>[1]);
      return replay.streamId.slice(id.length + 1);
    },
  };
}
