/** A client that drives a server in process, through everything a real request passes but the socket. */

import type { ContentBlock, ResourceContents } from "../content.ts";
import type { ErrorBody } from "../errors.ts";
import type { PromptMessage } from "../result.ts";
import type { MCPServer } from "../server.ts";

/** The protocol revisions a test can speak. */
export type TestEra = "2026-07-28" | "2025-11-25" | "2025-06-18" | "2025-03-26";

export interface TestClientOptions {
  /** Default: `2026-07-28`. */
  readonly era?: TestEra;
  /** Headers sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The path of the MCP endpoint. Default: `/mcp`. */
  readonly path?: string;
  readonly clientInfo?: { readonly name: string; readonly version: string };
  readonly clientCapabilities?: Readonly<Record<string, unknown>>;
}

/** The full result of a tool call. */
export interface TestToolResult {
  readonly content: readonly ContentBlock[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** A component as a list shows it. */
export type TestListItem = { readonly name: string } & Readonly<Record<string, unknown>>;

/** A tool call failed: the error object that a model would read, as an exception. */
export class ToolCallError extends Error {
  override readonly name = "ToolCallError";
  readonly code: string;
  readonly body: Partial<ErrorBody>;

  constructor(body: Partial<ErrorBody> & { readonly message: string }) {
    super(body.message);
    this.code = body.code ?? "TOOL_ERROR";
    this.body = body;
  }
}

/** A request was answered by a JSON-RPC error, or refused by HTTP. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;
  readonly code: number | undefined;
  readonly data: unknown;

  constructor(
    status: number,
    error: { readonly code?: number; readonly message?: string; readonly data?: unknown },
  ) {
    super(error.message ?? `HTTP ${status}`);
    this.status = status;
    this.code = error.code;
    this.data = error.data;
  }
}

const MODERN = "2026-07-28";

/**
 * Drives a server in process, in either era.
 *
 * @example
 * ```ts
 * const client = await TestClient.connect(server);
 * expect(await client.call("list_tasks")).toEqual([]);
 * await client.close();
 * ```
 */
export class TestClient {
  readonly #server: MCPServer;
  readonly #options: TestClientOptions;
  readonly era: TestEra;
  #id = 0;

  private constructor(server: MCPServer, options: TestClientOptions) {
    this.#server = server;
    this.#options = options;
    this.era = options.era ?? MODERN;
  }

  /** Starts the server where it is not started, and shakes hands where the era asks for it. */
  static async connect(server: MCPServer, options: TestClientOptions = {}): Promise<TestClient> {
    const client = new TestClient(server, options);
    if (client.era !== MODERN) {
      const { clientCapabilities = {}, clientInfo = CLIENT_INFO } = options;
      await client.request("initialize", {
        protocolVersion: client.era,
        capabilities: clientCapabilities,
        clientInfo,
      });
      await client.notify("notifications/initialized");
    } else {
      await client.request("server/discover");
    }
    return client;
  }

  /**
   * Calls a tool and gives its value: structured content, else the text's JSON, else the text.
   *
   * @throws {@link ToolCallError} where the tool failed, {@link RequestError} where there is none.
   */
  async call(name: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const result = await this.callTool(name, args);
    const value = valueOf(result);
    if (result.isError) throw new ToolCallError(errorBody(value));
    return value;
  }

  /** Calls a tool and gives the full result, failed or not. */
  async callTool(name: string, args: Readonly<Record<string, unknown>> = {}): Promise<TestToolResult> {
    return (await this.request("tools/call", { name, arguments: args })) as unknown as TestToolResult;
  }

  /** Reads a resource. */
  async readResource(uri: string): Promise<{ readonly contents: readonly ResourceContents[] }> {
    return (await this.request("resources/read", { uri })) as { contents: ResourceContents[] };
  }

  /** Gets a prompt. */
  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly description?: string; readonly messages: readonly PromptMessage[] }> {
    return (await this.request("prompts/get", { name, arguments: args })) as { messages: PromptMessage[] };
  }

  /** Asks for values of an argument of a prompt or a template. */
  async complete(
    ref: { readonly prompt: string } | { readonly template: string },
    argument: { readonly name: string; readonly value: string },
    context: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly values: readonly string[]; readonly total?: number; readonly hasMore?: boolean }> {
    const target =
      "prompt" in ref
        ? { type: "ref/prompt", name: ref.prompt }
        : { type: "ref/resource", uri: ref.template };
    const result = await this.request("completion/complete", {
      ref: target,
      argument,
      context: { arguments: context },
    });
    return (result as { completion: { values: string[] } }).completion;
  }

  /** All tools, page after page. */
  listTools(): Promise<readonly TestListItem[]> {
    return this.#list("tools/list", "tools");
  }

  /** All resources, page after page. */
  listResources(): Promise<readonly TestListItem[]> {
    return this.#list("resources/list", "resources");
  }

  /** All resource templates, page after page. */
  listResourceTemplates(): Promise<readonly TestListItem[]> {
    return this.#list("resources/templates/list", "resourceTemplates");
  }

  /** All prompts, page after page. */
  listPrompts(): Promise<readonly TestListItem[]> {
    return this.#list("prompts/list", "prompts");
  }

  /** Sends any request and gives its result. Throws a {@link RequestError} where it fails. */
  async request(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    const response = await this.post(this.#message(method, params), this.#headers(method, params));
    const answer = (await response.json()) as {
      result?: Record<string, unknown>;
      error?: { code: number; message: string };
    };
    if (answer.result === undefined) throw new RequestError(response.status, answer.error ?? {});
    return answer.result;
  }

  /** Sends a notification. */
  async notify(method: string, params?: Readonly<Record<string, unknown>>): Promise<void> {
    await this.post({ jsonrpc: "2.0", method, params }, this.#headers(method, params ?? {}));
  }

  /** Posts any body as it is: for what no client would send. Text and bytes are sent unchanged. */
  post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const { path = "/mcp" } = this.#options;
    const raw = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    return this.#server.fetch(
      new Request(`http://localhost${path}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...this.#options.headers,
          ...headers,
        },
        body: raw as string,
      }),
    );
  }

  /** Ends the server: runs its shutdown hooks. */
  close(): Promise<void> {
    return this.#server.close();
  }

  async #list(method: string, member: string): Promise<readonly TestListItem[]> {
    const items: TestListItem[] = [];
    let cursor: unknown;
    do {
      const page = await this.request(method, cursor === undefined ? {} : { cursor });
      items.push(...(page[member] as TestListItem[]));
      cursor = page["nextCursor"];
    } while (cursor !== undefined);
    return items;
  }

  #message(method: string, params: Readonly<Record<string, unknown>>): object {
    const { clientInfo = CLIENT_INFO, clientCapabilities = {} } = this.#options;
    const envelope = {
      "io.modelcontextprotocol/protocolVersion": MODERN,
      "io.modelcontextprotocol/clientInfo": clientInfo,
      "io.modelcontextprotocol/clientCapabilities": clientCapabilities,
    };
    const meta = { ...(this.era === MODERN && envelope), ...(params["_meta"] as object | undefined) };
    return {
      jsonrpc: "2.0",
      id: ++this.#id,
      method,
      params: { ...params, ...(Object.keys(meta).length > 0 && { _meta: meta }) },
    };
  }

  #headers(method: string, params: Readonly<Record<string, unknown>>): Record<string, string> {
    if (method === "initialize") return {};
    if (this.era !== MODERN) return { "mcp-protocol-version": this.era };
    const name = params[method === "resources/read" ? "uri" : "name"];
    return {
      "mcp-protocol-version": MODERN,
      "mcp-method": method,
      ...(typeof name === "string" && { "mcp-name": encodeName(name) }),
    };
  }
}

const CLIENT_INFO = { name: "gantry-test-client", version: "1.0.0" };

/** A name as the `Mcp-Name` header carries it (2026-07-28, "Value Encoding"). */
function encodeName(name: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(name) && !name.startsWith("=?base64?")) return name;
  return `=?base64?${btoa(String.fromCharCode(...new TextEncoder().encode(name)))}?=`;
}

function valueOf({ content, structuredContent }: TestToolResult): unknown {
  if (structuredContent !== undefined) return structuredContent;
  const [first] = content;
  if (content.length !== 1 || first?.type !== "text") return content;
  try {
    return JSON.parse(first.text);
  } catch {
    return first.text;
  }
}

function errorBody(value: unknown): Partial<ErrorBody> & { readonly message: string } {
  const error =
    typeof value === "object" && value !== null && "error" in value ? (value.error as ErrorBody) : undefined;
  return error ?? { message: typeof value === "string" ? value : JSON.stringify(value) };
}
