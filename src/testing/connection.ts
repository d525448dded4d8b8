/** The way to the server: messages as a client of either era writes them, and what comes back. */

import type { ParamHeader } from "../core/components/param-headers.ts";
import type { MCPServer } from "../core/server.ts";
import { capabilitiesOf } from "./answers.ts";
import { RequestError } from "./errors.ts";
import { MessageReader, type RpcMessage } from "./message-reader.ts";
import { argumentHeaders, mirroredBy, requestHeaders } from "./mirrored-headers.ts";
import type { TestCallOptions, TestClientOptions, TestEra, TestLogMessage, TestProgress } from "./options.ts";

type Named = Readonly<Record<string, unknown>>;

export const MODERN = "2026-07-28";

const HEADER_MISMATCH = -32_020;

export class TestConnection {
  readonly era: TestEra;
  readonly clientInfo: { readonly name: string; readonly version: string };
  readonly capabilities: Named;
  readonly #server: MCPServer;
  readonly #options: TestClientOptions;
  /** The parameters that tools want mirrored in headers, as far as they have been found out. */
  readonly #mirrored = new Map<string, readonly ParamHeader[]>();
  #id = 0;

  constructor(server: MCPServer, options: TestClientOptions) {
    const { era = MODERN, clientInfo = { name: "gantry-test-client", version: "1.0.0" } } = options;
    this.#server = server;
    this.#options = options;
    this.era = era;
    this.clientInfo = clientInfo;
    this.capabilities = { ...capabilitiesOf(options), ...options.clientCapabilities };
  }

  /** Sends a request and gives its result. Throws a {@link RequestError} where it fails. */
  async request(method: string, params: Named, options: TestCallOptions): Promise<Named> {
    try {
      return await this.#exchange(method, params, options);
    } catch (error) {
      const isMirrored = error instanceof RequestError && error.code === HEADER_MISMATCH;
      if (!isMirrored || method !== "tools/call" || !(await this.#findMirrored(String(params["name"]))))
        throw error;
      return this.#exchange(method, params, options);
    }
  }

  /** Sends a request whose answer is a stream. */
  async open(
    method: string,
    params: Named,
  ): Promise<{ readonly reader: MessageReader; readonly first: RpcMessage }> {
    const response = await this.post(this.#message(method, params, {}), this.#headers(method, params));
    const reader = new MessageReader(response);
    const first = await reader.read();
    if (first?.method === undefined) throw new RequestError(response.status, first?.error ?? {});
    return { reader, first };
  }

  async notify(method: string, params: Named | undefined): Promise<void> {
    await this.post({ jsonrpc: "2.0", method, params }, this.#headers(method, params ?? {}));
  }

  post(body: unknown, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Response> {
    const { path = "/mcp", token } = this.#options;
    const raw = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    return this.#server.fetch(
      new Request(`http://localhost${path}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...this.#options.headers,
          ...headers,
        },
        body: raw as string,
        ...(signal && { signal }),
      }),
    );
  }

  async #exchange(method: string, params: Named, options: TestCallOptions): Promise<Named> {
    const { signal } = options;
    const cancelled = signal && firing(signal);
    const unlessCancelled = <T>(promise: Promise<T>) =>
      cancelled ? Promise.race([promise, cancelled]) : promise;
    const message = this.#message(method, params, options);
    const response = await unlessCancelled(this.post(message, this.#headers(method, params), signal));
    const reader = new MessageReader(response);
    try {
      for (;;) {
        const next = await unlessCancelled(reader.read());
        if (next?.result) return next.result;
        if (next?.method === undefined) throw new RequestError(response.status, next?.error ?? {});
        tell(next, options);
      }
    } catch (error) {
      await reader.cancel();
      throw error;
    }
  }

  /** Learns from the list which parameters a tool wants mirrored; once, when the server misses them. */
  async #findMirrored(name: string): Promise<boolean> {
    if (this.#mirrored.has(name)) return false;
    let cursor: unknown;
    do {
      const page = await this.#exchange("tools/list", cursor === undefined ? {} : { cursor }, {});
      for (const tool of page["tools"] as Named[]) this.#mirrored.set(String(tool["name"]), mirroredBy(tool));
      cursor = page["nextCursor"];
    } while (cursor !== undefined && !this.#mirrored.has(name));
    return this.#mirrored.has(name);
  }

  #message(
    method: string,
    params: Named,
    { onProgress, onLog, logLevel = "debug" }: TestCallOptions,
  ): object {
    const id = ++this.#id;
    const envelope = {
      "io.modelcontextprotocol/protocolVersion": MODERN,
      "io.modelcontextprotocol/clientInfo": this.clientInfo,
      "io.modelcontextprotocol/clientCapabilities": this.capabilities,
      ...(onLog && { "io.modelcontextprotocol/logLevel": logLevel }),
    };
    const meta = {
      ...(this.era === MODERN && envelope),
      ...(onProgress && { progressToken: id }),
      ...(params["_meta"] as object | undefined),
    };
    return {
      jsonrpc: "2.0",
      id,
      method,
      params: { ...params, ...(Object.keys(meta).length > 0 && { _meta: meta }) },
    };
  }

  #headers(method: string, params: Named): Record<string, string> {
    if (method === "initialize") return {};
    if (this.era !== MODERN) return { "mcp-protocol-version": this.era };
    const mirrored = method === "tools/call" ? this.#mirrored.get(String(params["name"])) : undefined;
    return {
      ...requestHeaders(MODERN, method, params),
      ...(mirrored && argumentHeaders(mirrored, params["arguments"])),
    };
  }
}

function tell({ method, params }: RpcMessage, { onProgress, onLog }: TestCallOptions): void {
  if (method === "notifications/progress") {
    const { progressToken: _token, ...progress } = params as unknown as TestProgress & {
      progressToken: unknown;
    };
    onProgress?.(progress);
  }
  if (method === "notifications/message") onLog?.(params as unknown as TestLogMessage);
}

/** Rejects when `signal` fires, with its reason. */
function firing(signal: AbortSignal): Promise<never> {
  const fired = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  // The call may be over before, and then nobody waits for it.
  fired.catch(() => {});
  return fired;
}
