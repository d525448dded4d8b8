/** A client that drives a server in process, through everything a real request passes but the socket. */

import type { ResourceContents } from "../core/results/content.ts";
import type { PromptMessage } from "../core/results/result.ts";
import type { MCPServer } from "../core/server.ts";
import { type TestAnswers, answersTo } from "./answers.ts";
import { MODERN, TestConnection } from "./connection.ts";
import type { TestCallOptions, TestClientOptions, TestEra } from "./options.ts";
import { type TestFilter, TestSubscription } from "./subscription.ts";
import { type TestToolResult, valueOf } from "./tool-result.ts";

/** A component as a list shows it. */
export type TestListItem = { readonly name: string } & Readonly<Record<string, unknown>>;

type Named = Readonly<Record<string, unknown>>;

/** A call may ask so many times before it is taken for one that never stops. */
const MOST_ROUNDS = 32;

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
  readonly era: TestEra;
  readonly #server: MCPServer;
  readonly #answers: TestAnswers;
  readonly #connection: TestConnection;

  private constructor(server: MCPServer, options: TestClientOptions) {
    this.#server = server;
    this.#answers = options;
    this.#connection = new TestConnection(server, options);
    this.era = this.#connection.era;
  }

  /** Starts the server where it is not started, and shakes hands where the era asks for it. */
  static async connect(server: MCPServer, options: TestClientOptions = {}): Promise<TestClient> {
    const client = new TestClient(server, options);
    const { era: protocolVersion, capabilities, clientInfo } = client.#connection;
    if (protocolVersion === MODERN) {
      await client.request("server/discover");
    } else {
      await client.request("initialize", { protocolVersion, capabilities, clientInfo });
      await client.notify("notifications/initialized");
    }
    return client;
  }

  /**
   * Calls a tool and gives its value: structured content, else the text's JSON, else the text.
   *
   * @throws {@link ToolCallError} where the tool failed, {@link RequestError} where there is none.
   */
  async call(name: string, args: Named = {}, options: TestCallOptions = {}): Promise<unknown> {
    return valueOf(await this.callTool(name, args, options));
  }

  /**
   * Calls a tool and gives the full result, failed or not.
   *
   * @example
   * ```ts
   * const reports: TestProgress[] = [];
   * await client.callTool("import", { file }, { onProgress: (report) => reports.push(report) });
   * ```
   */
  async callTool(name: string, args: Named = {}, options: TestCallOptions = {}): Promise<TestToolResult> {
    return (await this.request(
      "tools/call",
      { name, arguments: args },
      options,
    )) as unknown as TestToolResult;
  }

  /** Reads a resource. */
  async readResource(
    uri: string,
    options: TestCallOptions = {},
  ): Promise<{ readonly contents: readonly ResourceContents[] }> {
    return (await this.request("resources/read", { uri }, options)) as { contents: ResourceContents[] };
  }

  /** Gets a prompt. */
  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>> = {},
    options: TestCallOptions = {},
  ): Promise<{ readonly description?: string; readonly messages: readonly PromptMessage[] }> {
    return (await this.request("prompts/get", { name, arguments: args }, options)) as {
      messages: PromptMessage[];
    };
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

  /**
   * Listens to changes, on revision 2026-07-28.
   *
   * @example
   * ```ts
   * const changes = await client.listen({ toolsListChanged: true });
   * server.disable({ tool: "export" });
   * expect(await changes.next()).toEqual({ method: "notifications/tools/list_changed", params: {} });
   * await changes.close();
   * ```
   */
  async listen(filter: TestFilter): Promise<TestSubscription> {
    if (this.era !== MODERN)
      throw new Error(`listen() needs revision ${MODERN}: this client speaks ${this.era}.`);
    const { reader, first } = await this.#connection.open("subscriptions/listen", { notifications: filter });
    return new TestSubscription(first.params?.["notifications"] as TestFilter, reader);
  }

  /**
   * Sends any request and gives its result. Questions are answered, and the request sent again with the answers,
   * until there is a result; a question that nobody answers is the result.
   *
   * @throws {@link RequestError} where the request fails.
   */
  async request(method: string, params: Named = {}, options: TestCallOptions = {}): Promise<Named> {
    let round: Named = {};
    for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
      const result = await this.#connection.request(method, { ...params, ...round }, options);
      if (result["resultType"] !== "input_required") return result;
      const { inputRequests, requestState } = result;
      const inputResponses = await answersTo((inputRequests ?? {}) as Named, this.#answers);
      if (!inputResponses) return result;
      round = { inputResponses, ...(requestState !== undefined && { requestState }) };
    }
    throw new Error(`${method} still asks after ${MOST_ROUNDS} rounds.`);
  }

  /** Sends a notification. */
  notify(method: string, params?: Named): Promise<void> {
    return this.#connection.notify(method, params);
  }

  /** Posts any body as it is: for what no client would send. Text and bytes are sent unchanged. */
  post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return this.#connection.post(body, headers);
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
}
