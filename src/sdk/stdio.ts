/** The bridge to the official SDK on stdio: it keeps framing, handshake and eras, our dispatch does the work. */

import { type JSONRPCRequest, ProtocolError, Server, type ServerContext } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { type CallEnvelope, Cancellation, type ClientInfo } from "../context.ts";
import { dispatch } from "../dispatch.ts";
import { internalError } from "../errors.ts";
import type { Page } from "../list.ts";
import { legacyResult, legacyTool } from "../protocol/legacy.ts";
import { isMethod, readAsk } from "../protocol/methods.ts";
import { RPC } from "../protocol/jsonrpc.ts";
import { LIST_MEMBER, methodNotFound } from "../protocol/modern.ts";
import { isToolFailure, rpcError, toolFailure } from "../protocol/outcome.ts";
import { LATEST_LEGACY, META } from "../protocol/versions.ts";
import { makeRequestId } from "../request-id.ts";
import type { Runtime } from "../runtime.ts";
import type { Sealed } from "../seal.ts";
import { StdioWire } from "./stdio-wire.ts";

/** One client on two streams. */
export interface StdioConnection {
  /** Resolves when the client has ended the input, or is gone. */
  readonly ended: Promise<void>;
  /** Resolves when every request that came is answered. */
  idle(): Promise<void>;
  /** Ends the connection: what is still under way is cancelled. */
  close(): Promise<void>;
}

export function connectStdio(
  runtime: Runtime,
  sealed: Sealed,
  ...streams: ConstructorParameters<typeof StdioWire>
): StdioConnection {
  const wire = new StdioWire(...streams);
  const connection = serveStdio(() => bridge(runtime, sealed), {
    transport: wire,
    onerror: (error) => runtime.logger.warn({ err: error }, "stdio"),
  });
  return { ended: wire.ended, idle: () => wire.idle(), close: () => connection.close() };
}

/** A bare SDK server that hands every operation to our dispatch. */
function bridge(runtime: Runtime, { info, capabilities, instructions }: Sealed): Server {
  const server = new Server(info as ConstructorParameters<typeof Server>[0], {
    capabilities,
    ...(instructions !== undefined && { instructions }),
  });
  server.fallbackRequestHandler = async (request, context) => {
    const requestId = makeRequestId();
    try {
      const result = { ...(await perform(runtime, request, context, server, requestId)) };
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
  return server;
}

async function perform(
  runtime: Runtime,
  request: JSONRPCRequest,
  { mcpReq }: ServerContext,
  server: Server,
  requestId: string,
): Promise<object> {
  const { method, params = {} } = request;
  const { envelope, signal, _meta: meta } = mcpReq;
  const unknown = isMethod(method) ? undefined : methodNotFound(method);
  if (unknown) throw new ProtocolError(unknown.code, unknown.message);
  const read = readAsk(method, params);
  if ("error" in read) throw new ProtocolError(read.error.code, read.error.message);

  const cancellation = new Cancellation();
  const cancel = () => cancellation.cancel(new Error("The client cancelled the request."));
  signal.addEventListener("abort", cancel, { once: true });
  const claims = envelope as Readonly<Record<string, unknown>> | undefined;
  const sealed = await runtime.sealed();
  const outcome = await dispatch(
    sealed,
    {
      ask: read.ask,
      envelope: { requestId, ...(claims ? claimed(claims) : handshake(server)), meta, cancellation },
    },
    runtime.logger,
  );
  signal.removeEventListener("abort", cancel);
  if (!outcome.error) {
    if (read.ask.kind === "list") return listResult(outcome.result as Page, !claims);
    return claims ? outcome.result : legacyResult(sealed, read.ask, outcome.result);
  }
  if (isToolFailure(read.ask, outcome.error)) return toolFailure(outcome.error, requestId);
  const { code, message, data } = rpcError(outcome.error, read.ask, requestId, claims ? "modern" : "legacy");
  throw new ProtocolError(code, message, data);
}

type Client = Pick<CallEnvelope, "protocolVersion" | "clientInfo" | "clientCapabilities">;

/** Who calls, as a modern request says with each message. */
function claimed(claims: Readonly<Record<string, unknown>>): Client {
  return {
    protocolVersion: claims[META.protocolVersion] as string,
    clientInfo: claims[META.clientInfo] as ClientInfo | undefined,
    clientCapabilities: claims[META.clientCapabilities] as Client["clientCapabilities"],
  };
}

/** Who calls, as a 2025-era client said once. */
function handshake(server: Server): Client {
  return {
    protocolVersion: server.getNegotiatedProtocolVersion() ?? LATEST_LEGACY,
    clientInfo: server.getClientVersion() as ClientInfo | undefined,
    clientCapabilities: server.getClientCapabilities(),
  };
}

function listResult({ list, items, nextCursor }: Page, legacy: boolean): object {
  const shown = legacy && list === "tools" ? items.map(legacyTool) : items;
  return { [LIST_MEMBER[list]]: shown, ...(nextCursor !== undefined && { nextCursor }) };
}
