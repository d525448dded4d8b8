/**
 * The bridge to the official SDK on connections that stay (stdio, 2025-era sessions): the SDK keeps framing,
 * handshake and eras, our dispatch does the work.
 */

import {
  type JSONRPCRequest,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { hintMembers } from "../core/results/cache-hint.ts";
import type { Origin } from "../core/calls/client.ts";
import { Cancellation } from "../core/calls/cancellation.ts";
import type { Ask, CallEnvelope, ClientInfo, Wire } from "../core/calls/call.ts";
import { MAY_ASK } from "../core/calls/operation.ts";
import { type Outcome, dispatch } from "../core/sealed/dispatch.ts";
import { MCPError, internalError } from "../core/errors.ts";
import {
  type InputRequest,
  InputRequired,
  LiveInquiry,
  RequestStateError,
  resumed,
} from "../core/dialogue/inquiry.ts";
import type { Page } from "../core/sealed/list.ts";
import { isObject } from "../core/values/json.ts";
import { RPC } from "../protocol/jsonrpc.ts";
import { legacyResult, legacyTool } from "../protocol/legacy.ts";
import { LIST_MEMBER, isMethod, readAsk } from "../protocol/methods.ts";
import { methodNotFound } from "../protocol/modern.ts";
import { type Era, isToolFailure, rpcError, toolFailure } from "../protocol/outcome.ts";
import type { StateCodec } from "../protocol/request-state.ts";
import { LISTS, eventMethod } from "../protocol/subscriptions.ts";
import { LATEST_LEGACY, META, MODERN } from "../protocol/versions.ts";
import { notFound } from "../core/refusals.ts";
import { makeRequestId, requestIdFrom } from "../core/calls/request-id.ts";
import { ResourceResult } from "../core/results/result.ts";
import type { ServerEvent } from "../core/ports.ts";
import type { Runtime } from "../core/runtime.ts";
import type { Sealed } from "../core/sealed/sealed.ts";
import { asUriText } from "../core/schemas/uri-template.ts";
import type { Audience, LogLevel } from "../core/dialogue/voice.ts";

type RequestContext = ServerContext["mcpReq"];
type Claims = Readonly<Record<string, unknown>>;
type Exchange = Pick<CallEnvelope, "requestId" | "releaseStream" | "origin" | "rpcId" | "sessionId" | "wire">;

/** A client may follow so many resources on one connection. */
const MOST_URIS = 1_000;

export interface BridgeOptions {
  /** The revisions before 2026-07-28 that a handshake may agree on, newest first. */
  readonly versions: readonly string[];
  /** Where calls under way are counted. */
  readonly running?: Set<Cancellation>;
  readonly wires: Readonly<Record<Era, Wire>>;
  /** The session that all of the requests belong to. */
  readonly sessionId?: string;
  /** Where a request comes from; on stdio there is none. */
  readonly originOf: (request: Request | undefined) => Origin | undefined;
}

/** A bare SDK server that hands every operation to our dispatch, and tells its client of changes. */
export function bridge(
  runtime: Runtime,
  { info, capabilities, instructions, listHint }: Sealed,
  codec: StateCodec,
  { versions, running = new Set(), wires, sessionId, originOf }: BridgeOptions,
): Server {
  const server = new Server(info as ConstructorParameters<typeof Server>[0], {
    capabilities,
    supportedProtocolVersions: [...versions],
    cacheHints: { "server/discover": hintMembers(listHint) },
    ...(instructions !== undefined && { instructions }),
  });
  const connection = new Connection(runtime, server, codec, running);
  server.fallbackRequestHandler = async (request, { mcpReq, http }) => {
    const requestId = requestIdFrom(http?.req?.headers.get("x-request-id") ?? undefined);
    try {
      const result = {
        ...(await connection.answer(request, mcpReq, {
          requestId,
          releaseStream: http?.closeSSE,
          origin: originOf(http?.req),
          rpcId: request.id,
          sessionId,
          wire: wires[mcpReq.envelope ? "modern" : "legacy"],
        })),
      };
      // What cannot be written would be dropped further on, and the client left waiting.
      JSON.stringify(result);
      return result;
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      runtime.logger.error({ requestId, err: error }, "Unexpected error");
      const shown = internalError(error);
      throw new ProtocolError(RPC.internalError, shown.message, shown.toBody(requestId));
    }
  };
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK has this one way
  server.onclose = runtime.eventBus.subscribe((event) => connection.tell(event));
  return server;
}

class Connection {
  readonly #runtime: Runtime;
  readonly #server: Server;
  readonly #codec: StateCodec;
  readonly #running: Set<Cancellation>;
  /** The resources that a 2025-era client follows. Made with the first. */
  #followed: Set<string> | undefined;

  constructor(runtime: Runtime, server: Server, codec: StateCodec, running: Set<Cancellation>) {
    this.#runtime = runtime;
    this.#server = server;
    this.#codec = codec;
    this.#running = running;
  }

  /** Tells of a change: the SDK passes it to the subscriptions of 2026-07-28, and before that as it is. */
  tell(event: ServerEvent): void {
    if (event.kind === "changes_missed") {
      for (const list of LISTS) this.tell({ kind: "list_changed", list });
      for (const uri of this.#followed ?? []) this.tell({ kind: "resource_updated", uri });
      return;
    }
    const isModern = this.#server.getClientCapabilities() === undefined;
    if (event.kind === "resource_updated" && !isModern && !this.#followed?.has(asUriText(event.uri))) return;
    const params = event.kind === "resource_updated" ? { uri: asUriText(event.uri) } : {};
    this.#server.notification({ method: eventMethod(event), params }).catch((error: unknown) => {
      this.#runtime.logger.debug({ err: error }, "A client could not be told of a change");
    });
  }

  async answer(request: JSONRPCRequest, mcpReq: RequestContext, exchange: Exchange): Promise<object> {
    const { method, params = {} } = request;
    const sealed = await this.#runtime.sealed();
    if (method === "resources/subscribe" || method === "resources/unsubscribe")
      return this.#follow(sealed, method, params, exchange);
    if (!isMethod(method)) throw protocolError(methodNotFound(method));
    const read = readAsk(method, params);
    if ("error" in read) throw protocolError(read.error);

    const cancellation = new Cancellation();
    const cancel = () => cancellation.cancel(new Error("The client cancelled the request."));
    mcpReq.signal.addEventListener("abort", cancel, { once: true });
    this.#running.add(cancellation);
    try {
      const known = await this.#envelope(read.ask, sealed, mcpReq, cancellation);
      const envelope = { ...known, ...exchange };
      const outcome = await dispatch(sealed, { ask: read.ask, envelope }, this.#runtime);
      return await this.#encode(outcome, read.ask, sealed, envelope);
    } finally {
      this.#running.delete(cancellation);
      cancellation.settle();
      mcpReq.signal.removeEventListener("abort", cancel);
      // The SDK writes the answer as soon as it has it.
      if (cancellation.awaited) setTimeout(() => cancellation.answered());
    }
  }

  async #follow(sealed: Sealed, method: string, { uri }: Claims, exchange: Exchange): Promise<object> {
    const name = typeof uri === "string" ? uri : "";
    if (!(await this.#mayFollow(sealed, name, { ...exchange, method }))) {
      throw protocolError(
        rpcError(notFound("resource", name), { kind: "resource", name }, makeRequestId(), "legacy"),
      );
    }
    this.#followed ??= new Set();
    if (method === "resources/unsubscribe") this.#followed.delete(asUriText(name));
    else if (this.#followed.size < MOST_URIS) this.#followed.add(asUriText(name));
    else
      throw new ProtocolError(
        -32602,
        `Invalid params: a connection may follow at most ${MOST_URIS} resources.`,
      );
    return {};
  }

  /** Those who may read a resource may follow it. */
  async #mayFollow(
    sealed: Sealed,
    uri: string,
    exchange: Exchange & Pick<CallEnvelope, "method">,
  ): Promise<boolean> {
    const ask: Ask = { kind: "subscription", filter: { resourceSubscriptions: [uri] } };
    const envelope = { ...exchange, ...handshake(this.#server), cancellation: new Cancellation() };
    const outcome = await dispatch(sealed, { ask, envelope }, this.#runtime);
    return !outcome.error && "resourceSubscriptions" in outcome.result;
  }

  async #envelope(
    ask: Ask,
    sealed: Sealed,
    mcpReq: RequestContext,
    cancellation: Cancellation,
  ): Promise<Omit<CallEnvelope, "requestId">> {
    const claims = mcpReq.envelope as Claims | undefined;
    return {
      ...(claims ? claimed(claims) : handshake(this.#server)),
      meta: mcpReq._meta,
      cancellation,
      audience: audience(mcpReq, claims),
      resumes: mcpReq.requestState() !== undefined || mcpReq.inputResponses !== undefined,
      inquire: claims
        ? await this.#replay(ask, sealed, mcpReq)
        : () => new LiveInquiry((question) => this.#ask(question, mcpReq, cancellation)),
    };
  }

  async #replay(ask: Ask, sealed: Sealed, mcpReq: RequestContext): Promise<CallEnvelope["inquire"]> {
    if (!MAY_ASK.has(ask.kind)) return undefined;
    const state: unknown = mcpReq.requestState();
    const record =
      typeof state === "string" ? await this.#codec.open(state, ask, sealed.info.name) : undefined;
    if (state !== undefined && !record) {
      throw new ProtocolError(-32602, `Invalid params: ${new RequestStateError().message}`);
    }
    const responses = mcpReq.inputResponses ?? {};
    return (principal) => resumed(record, responses, principal);
  }

  /** Asks the client: a server request of the 2025 era, which is withdrawn where the call ends before its answer. */
  async #ask(
    { method, params }: InputRequest,
    mcpReq: RequestContext,
    { signal }: Cancellation,
  ): Promise<unknown> {
    try {
      return await mcpReq.send({ method, params: { ...params } }, { signal, timeout: this.#codec.ttl });
    } catch (cause) {
      if (signal.aborted) throw cause;
      const isLate = cause instanceof SdkError && cause.code === SdkErrorCode.RequestTimeout;
      throw isLate
        ? new MCPError("The client did not answer in time what was asked.", { code: "TIMEOUT", cause })
        : new MCPError("The client could not answer what was asked.", { code: "INPUT_INVALID", cause });
    }
  }

  async #encode(
    outcome: Outcome,
    ask: Ask,
    sealed: Sealed,
    { requestId, protocolVersion }: CallEnvelope,
  ): Promise<object> {
    const era = protocolVersion === MODERN ? "modern" : "legacy";
    if (outcome.error) {
      if (isToolFailure(ask, outcome.error, era)) return toolFailure(outcome.error, requestId);
      throw protocolError(rpcError(outcome.error, ask, requestId, era));
    }
    const { result } = outcome;
    if (result instanceof InputRequired) {
      const requestState = await this.#codec.seal(
        { ...result.record, principal: outcome.identity?.principal },
        ask,
        sealed.info.name,
      );
      return { resultType: "input_required", inputRequests: result.requests, requestState };
    }
    if (era === "legacy")
      return ask.kind === "list" ? listResult(result as Page, true) : legacyResult(sealed, ask, result);
    if (ask.kind === "list") return { ...listResult(result as Page, false), ...hintMembers(sealed.listHint) };
    if (!(result instanceof ResourceResult)) return result;
    return { contents: result.contents, ...hintMembers(result.cacheHint) };
  }
}

type Client = Pick<CallEnvelope, "protocolVersion" | "clientInfo" | "clientCapabilities">;

/** Who calls, as a modern request says with each message. */
function claimed(claims: Claims): Client {
  return {
    protocolVersion: claims[META.protocolVersion] as string,
    clientInfo: claims[META.clientInfo] as ClientInfo | undefined,
    clientCapabilities: claims[META.clientCapabilities] as Claims | undefined,
  };
}

/** Who calls, as a 2025-era client said once. */
function handshake(server: Server): Client {
  const protocolVersion = server.getNegotiatedProtocolVersion() ?? LATEST_LEGACY;
  return {
    protocolVersion,
    clientInfo: server.getClientVersion() as ClientInfo | undefined,
    clientCapabilities: inRevision(protocolVersion, server.getClientCapabilities()),
  };
}

/** What a client can do, as far as its revision knows of it: forms came with 2025-06-18, links with 2025-11-25. */
function inRevision(version: string, capabilities: Claims | undefined): Claims | undefined {
  const elicitation = capabilities?.["elicitation"];
  if (version >= LATEST_LEGACY || !isObject(elicitation)) return capabilities;
  const { elicitation: _elicitation, ...others } = capabilities as Claims;
  const showsForms = "form" in elicitation || !("url" in elicitation);
  return version >= "2025-06-18" && showsForms ? { ...others, elicitation: { form: {} } } : others;
}

function audience(mcpReq: RequestContext, claims: Claims | undefined): Audience {
  const token: unknown = mcpReq._meta?.["progressToken"];
  return {
    progressToken: typeof token === "string" || typeof token === "number" ? token : undefined,
    // Before 2026-07-28 the SDK keeps the level that the client set for its connection.
    logLevel: claims ? (claims[META.logLevel] as LogLevel | undefined) : "debug",
    say: (method, params) => {
      const { level, data, logger } = params as { level: LogLevel; data: unknown; logger?: string };
      const isLegacyLog = method === "notifications/message" && !claims;
      const sent = isLegacyLog
        ? mcpReq.log(level, data, logger)
        : mcpReq.notify({ method, params: params as Record<string, unknown> });
      sent.catch(() => {
        // Who cannot be told of progress is gone, and the call is cancelled.
      });
    },
  };
}

function protocolError({
  code,
  message,
  data,
}: {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}): ProtocolError {
  return new ProtocolError(code, message, isObject(data) ? data : undefined);
}

function listResult({ list, items, nextCursor }: Page, isLegacy: boolean): object {
  const shown = isLegacy && list === "tools" ? items.map(legacyTool) : items;
  return { [LIST_MEMBER[list]]: shown, ...(nextCursor !== undefined && { nextCursor }) };
}
