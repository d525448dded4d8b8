/** A Call: an operation asked of the server, free of any protocol revision. */

import type { Cancellation } from "./cancellation.ts";
import type { Origin } from "./client.ts";
import type { MCPError } from "../errors.ts";
import type { Inquiry } from "../dialogue/inquiry.ts";
import type { OperationKind } from "./operation.ts";
import type { Audience } from "../dialogue/voice.ts";

/** The four lists. */
export type ListKind = "tools" | "resources" | "templates" | "prompts";

/** Who the client says it is. Self-reported: for display and logs, never for decisions. */
export interface ClientInfo {
  readonly name: string;
  readonly version: string;
  readonly title?: string;
}

/** How a request travels, for those who watch calls. */
export interface Wire {
  readonly transport: "http" | "stdio";
  /** The code of the JSON-RPC error that tells of `error`; `undefined` where the result of a tool does. */
  readonly codeOf: (kind: OperationKind, error: MCPError) => number | undefined;
}

/** What the envelope of a request tells, whatever revision it was written in. */
export interface CallEnvelope {
  /** The id under which the call is logged; from `X-Request-ID`, or made. */
  readonly requestId: string;
  /** The protocol revision the client speaks. */
  readonly protocolVersion: string;
  readonly clientInfo?: ClientInfo | undefined;
  readonly clientCapabilities?: Readonly<Record<string, unknown>> | undefined;
  /** The request's `_meta`. */
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
  readonly cancellation: Cancellation;
  /** Where the request comes from, and what it carries that may tell who sends it. */
  readonly origin?: Origin | undefined;
  /** Where the call can speak before its result, if anywhere. */
  readonly audience?: Audience | undefined;
  /** Ends the connection that waits for the answer, where the client can come back for it. */
  readonly releaseStream?: (() => void) | undefined;
  /** How the client is asked, where it can be; by the principal that calls. */
  readonly inquire?: ((principal: string | undefined) => Inquiry) | undefined;
  /** Whether the call is run again with answers. */
  readonly resumes?: boolean;
  /** How the request travels. */
  readonly wire?: Wire | undefined;
  /** The id of the JSON-RPC request. */
  readonly rpcId?: string | number | undefined;
  /** The session that the request belongs to. */
  readonly sessionId?: string | undefined;
  /** The method that was asked, where the kind of the operation does not tell it. */
  readonly method?: string | undefined;
}

/** What is asked. */
export type Ask =
  | { readonly kind: "tool"; readonly name: string; readonly args: Readonly<Record<string, unknown>> }
  | { readonly kind: "prompt"; readonly name: string; readonly args: Readonly<Record<string, unknown>> }
  | { readonly kind: "resource"; readonly name: string }
  | CompletionAsk
  | { readonly kind: "list"; readonly list: ListKind; readonly cursor: string | undefined }
  | { readonly kind: "discover" }
  | { readonly kind: "subscription"; readonly filter: object };

/** What is asked for a completion. */
export interface CompletionAsk {
  readonly kind: "completion";
  readonly ref: { readonly prompt: string } | { readonly template: string };
  /** The argument's name and what the user has typed of it. */
  readonly argument: { readonly name: string; readonly value: string };
  /** The other arguments, as far as the user has given them. */
  readonly context: Readonly<Record<string, string>>;
}

/** An operation asked of the server, free of any protocol revision. */
export interface Call {
  readonly ask: Ask;
  readonly envelope: CallEnvelope;
}

/**
 * What the layers, guards, dependencies and handler of a call leave for each other in `ctx.state`. Declare its
 * members, and they are typed everywhere.
 *
 * @example
 * ```ts
 * declare module "gantry-mcp" {
 *   interface RequestState {
 *     plan?: "free" | "premium";
 *   }
 * }
 * ```
 */
export interface RequestState {
  [name: string]: unknown;
}
