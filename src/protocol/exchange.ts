/** One HTTP request and its answer, as the protocol sees them: no sockets. */

import type { Cancellation } from "../core/calls/cancellation.ts";
import type { Services } from "../core/calls/services.ts";
import type { StateCodec } from "./request-state.ts";
import type { Outlet, SubscriptionHub } from "./subscriptions.ts";
import { RPC, type RequestId, type RpcError } from "./jsonrpc.ts";

export interface Exchange {
  /** A request header by its lower-case name; several are joined by `, `. */
  readonly header: (name: string) => string | undefined;
  readonly requestId: string;
  /** Where the request comes from. */
  readonly address?: (() => string | undefined) | undefined;
  readonly cancellation: Cancellation;
  /** Sends a message before the answer, which makes the answer an event stream; where the client accepts one. */
  readonly say?: ((json: string) => void) | undefined;
}

export interface Reply {
  readonly status: number;
  /** The status under which metrics count it, where clients of earlier revisions are sent 200 instead. */
  readonly counts?: number;
  /** JSON, or nothing. */
  readonly body: string;
  /** Bytes that follow `body`: the parts of an answer that were made at sealing. */
  readonly tail?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Takes over the event stream that is the answer; called once, gives what stops it. */
  readonly listen?: (outlet: Outlet) => () => void;
  /** The same for events that somebody else has framed. Called even where the client is gone: what it gives is called at once. */
  readonly relay?: (relay: Relay) => () => void;
}

/** An event stream for events that are framed already. */
export interface Relay extends Outlet {
  pass(frame: string): void;
  /** Lets so many bytes more wait for a slow reader. */
  allow(bytes: number): void;
}

/** What the protocol serves requests with. */
export interface ProtocolServices extends Services {
  readonly codec: StateCodec;
  readonly hub: SubscriptionHub;
}

export const ACCEPTED: Reply = { status: 202, body: "" };

/** An answer that is a JSON-RPC error. An id that could not be read is left out. */
export function errorReply(
  status: number,
  id: RequestId | undefined,
  error: RpcError,
  headers?: Reply["headers"],
): Reply {
  const body = JSON.stringify({ jsonrpc: "2.0", id, error });
  return headers ? { status, body, headers } : { status, body };
}

export function invalidRequest(
  status: number,
  message: string,
  id?: RequestId,
  headers?: Reply["headers"],
): Reply {
  return errorReply(status, id, { code: RPC.invalidRequest, message }, headers);
}
