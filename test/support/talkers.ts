/** The official clients with ears and a mouth: they answer questions, and hear progress, log messages and changes. */

import { fileURLToPath } from "node:url";
import {
  Client as ClientV2,
  type McpSubscription,
  StreamableHTTPClientTransport,
  type SubscriptionFilter,
} from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport as TransportV1 } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  ResultSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { MCPServerOptions } from "gantry-mcp";
import type { CallResult } from "./clients.ts";
import { capturedLog } from "./captured-log.ts";
import { listen as listenOn } from "./listening.ts";
import { talkingServer } from "./talking-server.ts";

/** Which client, speaking which era, over what. */
export interface TalkingWay {
  readonly client: "client 2.4" | "sdk 1.32";
  readonly era: "modern" | "legacy";
  readonly over: "http" | "sessions" | "stdio";
}

/** Every way on which a client can be asked. */
export const TALKING_WAYS: readonly TalkingWay[] = [
  { client: "client 2.4", era: "modern", over: "http" },
  { client: "client 2.4", era: "legacy", over: "sessions" },
  { client: "sdk 1.32", era: "legacy", over: "sessions" },
  { client: "client 2.4", era: "modern", over: "stdio" },
  { client: "client 2.4", era: "legacy", over: "stdio" },
  { client: "sdk 1.32", era: "legacy", over: "stdio" },
];

type Params = Readonly<Record<string, unknown>>;
export type Answer = Readonly<Record<string, unknown>>;

export interface Progress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

export interface Heard {
  readonly method: string;
  readonly params?: Params | undefined;
}

interface CallOptions {
  readonly onprogress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
  readonly _meta?: Params;
}

/** A connected client that converses. */
export interface Talker {
  readonly way: TalkingWay;
  readonly protocolVersion: string | undefined;
  /** What the server says of itself. */
  readonly server: object | undefined;
  readonly instructions: string | undefined;
  /** Questions that came, in order. */
  readonly asked: { readonly method: string; readonly params: Params }[];
  /** Notifications that came, but for progress. */
  readonly heard: Heard[];
  /** What the client complained of. */
  readonly complaints: Error[];
  /** Answers forms and links. */
  onElicit: (params: Params) => Answer | Promise<Answer>;
  /** Answers for the model. */
  onSample: (params: Params) => Answer | Promise<Answer>;
  roots: readonly Answer[];
  callTool(name: string, args?: Params, options?: CallOptions): Promise<CallResult>;
  /** Calls a tool and gives the JSON of its one block of text. */
  value(name: string, args?: Params, options?: CallOptions): Promise<unknown>;
  read(uri: string): Promise<readonly Answer[]>;
  prompt(name: string, args?: Record<string, string>): Promise<Answer>;
  /** Sends any request. */
  request(method: string, params?: Params): Promise<Answer>;
  /** Sets the level of log messages: for the connection before 2026-07-28, for each call since. */
  logLevel(level: string): Promise<void>;
  /** Asks to hear of changes. */
  listen(filter: SubscriptionFilter): Promise<McpSubscription | undefined>;
  /** No longer follows a resource; before 2026-07-28. */
  unfollow(uri: string): Promise<void>;
  list(list: "tools" | "resources" | "prompts"): Promise<readonly Answer[]>;
  close(): Promise<void>;
}

const FIXTURE = fileURLToPath(new URL("../fixtures/talking-server.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const EVERYTHING = { elicitation: { form: {}, url: {} }, sampling: {}, roots: { listChanged: true } };

export interface TalkerOptions {
  /** Default: everything. */
  readonly capabilities?: Params;
  readonly server?: Partial<MCPServerOptions>;
}

/** Starts the talking server and connects to it in the given way. */
export async function talk(way: TalkingWay, { capabilities, server }: TalkerOptions = {}): Promise<Talker> {
  if (way.over === "stdio") return startAndTalk(FIXTURE, way, { capabilities: capabilities ?? EVERYTHING });
  const running = await listenOn(
    talkingServer({ logger: capturedLog().logger, http: { sessions: way.over === "sessions" }, ...server }),
  );
  return connectTo(running.url, way, { capabilities: capabilities ?? EVERYTHING }, () => running.close());
}

/** Starts a program that serves on stdio, and connects to it. */
export function startAndTalk(
  program: string,
  way: TalkingWay,
  { capabilities }: TalkerOptions = {},
): Promise<Talker> {
  const parameters = {
    command: process.execPath,
    args: ["--import", "tsx", program],
    cwd: ROOT,
    stderr: "ignore" as const,
  };
  const transport = way.client === "sdk 1.32" ? new StdioV1(parameters) : new StdioV2(parameters);
  return attach(way, transport, capabilities, async () => {});
}

/** Connects to a server that runs already. */
export function connectTo(
  url: string,
  way: TalkingWay,
  { capabilities }: TalkerOptions = {},
  end: () => Promise<void> = async () => {},
): Promise<Talker> {
  const transport =
    way.client === "sdk 1.32" ? new HttpV1(new URL(url)) : new StreamableHTTPClientTransport(new URL(url));
  return attach(way, transport, capabilities, end);
}

async function attach(
  way: TalkingWay,
  transport: TransportV1,
  capabilities: Params = EVERYTHING,
  end: () => Promise<void>,
): Promise<Talker> {
  const talker = {
    way,
    asked: [] as { method: string; params: Params }[],
    heard: [] as Heard[],
    complaints: [] as Error[],
    onElicit: (() => ({ action: "cancel" })) as Talker["onElicit"],
    onSample: (() => ({
      role: "assistant",
      content: { type: "text", text: "blue" },
      model: "m-1",
    })) as Talker["onSample"],
    roots: [{ uri: "file:///work", name: "work" }] as readonly Answer[],
  };
  const answer = async ({
    method,
    params = {},
  }: {
    method: string;
    params?: Params | undefined;
  }): Promise<Answer> => {
    talker.asked.push({ method, params });
    if (method === "elicitation/create") return talker.onElicit(params);
    return method === "roots/list" ? { roots: talker.roots } : talker.onSample(params);
  };
  const client =
    way.client === "sdk 1.32" ? clientV1(capabilities, answer) : clientV2(way, capabilities, answer);
  Object.assign<object, Pick<ClientV2, "onerror" | "fallbackNotificationHandler">>(client, {
    onerror: (error) => void talker.complaints.push(error),
    fallbackNotificationHandler: async (notification) => void talker.heard.push(notification),
  });
  await (client as ClientV2).connect(transport);

  let level: string | undefined;
  const meta = () =>
    way.era === "modern" && level !== undefined ? { "io.modelcontextprotocol/logLevel": level } : {};
  const callTool: Talker["callTool"] = async (name, args = {}, { _meta, ...options } = {}) => {
    const params = { name, arguments: args, _meta: { ...meta(), ..._meta } };
    const result =
      client instanceof ClientV1
        ? await client.callTool(params, undefined, options as object)
        : await client.callTool(params, options as object);
    return result as CallResult;
  };
  return Object.assign(talker, {
    protocolVersion:
      client instanceof ClientV2
        ? client.getNegotiatedProtocolVersion()
        : (transport as { protocolVersion?: string }).protocolVersion,
    server: client.getServerVersion(),
    instructions: client.getInstructions(),
    callTool,
    value: async (...call: Parameters<typeof callTool>) => {
      const { content, isError } = await callTool(...call);
      const { text = "" } = content[0] ?? {};
      if (isError) throw new Error(text);
      return /^[[{"\d]/.test(text) ? (JSON.parse(text) as unknown) : text;
    },
    read: async (uri: string) => (await client.readResource({ uri })).contents as readonly Answer[],
    prompt: async (name: string, args: Record<string, string> = {}) =>
      (await client.getPrompt({ name, arguments: args })) as Answer,
    logLevel: async (wanted: string) => {
      level = wanted;
      if (way.era === "legacy") await client.setLoggingLevel(wanted as "info");
    },
    listen: async (filter: SubscriptionFilter) => {
      if (way.era === "modern") return (client as ClientV2).listen(filter);
      for (const uri of filter.resourceSubscriptions ?? []) await client.subscribeResource({ uri });
      return undefined;
    },
    request: async (method: string, params: Params = {}) =>
      client instanceof ClientV1
        ? ((await client.request({ method, params }, ResultSchema)) as Answer)
        : ((await client.request({ method: method as "tools/list", params })) as Answer),
    unfollow: async (uri: string) => void (await client.unsubscribeResource({ uri })),
    list: async (list: "tools" | "resources" | "prompts") => {
      if (list === "tools") return (await client.listTools()).tools;
      if (list === "prompts") return (await client.listPrompts()).prompts;
      return (await client.listResources()).resources;
    },
    close: async () => {
      await client.close();
      await end();
    },
  });
}

type Answerer = (request: { method: string; params?: Params | undefined }) => Promise<Answer>;

const CLIENT_INFO = { name: "talking-test", version: "1.2.3" };

function clientV2({ era }: TalkingWay, capabilities: Params, answer: Answerer): ClientV2 {
  const client = new ClientV2(CLIENT_INFO, {
    capabilities,
    versionNegotiation: { mode: era === "modern" ? "auto" : "legacy" },
  });
  if ("elicitation" in capabilities)
    client.setRequestHandler("elicitation/create", async (request) => (await answer(request)) as never);
  if ("sampling" in capabilities)
    client.setRequestHandler("sampling/createMessage", async (request) => (await answer(request)) as never);
  if ("roots" in capabilities)
    client.setRequestHandler("roots/list", async (request) => (await answer(request)) as never);
  return client;
}

function clientV1(capabilities: Params, answer: Answerer): ClientV1 {
  const client = new ClientV1(CLIENT_INFO, { capabilities });
  if ("elicitation" in capabilities)
    client.setRequestHandler(ElicitRequestSchema, async (request) => (await answer(request)) as never);
  if ("sampling" in capabilities)
    client.setRequestHandler(CreateMessageRequestSchema, async (request) => (await answer(request)) as never);
  if ("roots" in capabilities)
    client.setRequestHandler(ListRootsRequestSchema, async (request) => (await answer(request)) as never);
  return client;
}
