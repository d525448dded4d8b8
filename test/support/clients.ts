/** The official clients behind one face, so that one table of behaviours runs on all of them. */

import { fileURLToPath } from "node:url";
import {
  Client as ClientV2,
  ProtocolError,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport as TransportV1 } from "@modelcontextprotocol/sdk/shared/transport.js";
import { McpError, ResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { type CapturedLog, capturedLog, parseLog } from "./captured-log.ts";
import { listen } from "./listening.ts";
import { type Step, stepServer } from "./step-servers.ts";

export const MODERN = "2026-07-28";

/** Which client, speaking which era, over which transport. */
export interface Way {
  readonly client: "client 2.4" | "sdk 1.32";
  readonly era: "modern" | "legacy";
  readonly transport: "http" | "stdio";
}

export const WAYS: readonly Way[] = (["http", "stdio"] as const).flatMap((transport) => [
  { client: "client 2.4", era: "modern", transport } as const,
  { client: "client 2.4", era: "legacy", transport } as const,
  { client: "sdk 1.32", era: "legacy", transport } as const,
]);

export interface Block {
  readonly type: string;
  readonly text?: string;
  readonly [field: string]: unknown;
}

export interface CallResult {
  readonly content: readonly Block[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
}

export interface Item {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** An operation that was answered by a JSON-RPC error. */
export class Refused extends Error {
  readonly code: number;
  readonly data: Record<string, unknown> | undefined;
  constructor(code: number, message: string, data: unknown) {
    super(message);
    this.code = code;
    this.data = data as Record<string, unknown> | undefined;
  }
}

const LISTS = {
  tools: ["tools/list", "tools"],
  resources: ["resources/list", "resources"],
  templates: ["resources/templates/list", "resourceTemplates"],
  prompts: ["prompts/list", "prompts"],
} as const;

export type ListName = keyof typeof LISTS;

/** A connected client, whichever it is. */
export interface Driver {
  readonly way: Way;
  readonly server: Readonly<Record<string, unknown>>;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly instructions: string | undefined;
  readonly protocolVersion: string | undefined;
  /** What the client's transport complained of: lines that are no messages, unexpected answers. */
  readonly complaints: readonly Error[];
  request(method: string, params?: Record<string, unknown>): Promise<Record<string, unknown>>;
  callTool(name: string, args?: Record<string, unknown>): Promise<CallResult>;
  /** All items of a list, page after page, through the client's own method. */
  list(list: ListName): Promise<readonly Item[]>;
  /** The sizes of a list's pages, followed by hand. */
  pageSizes(list: ListName): Promise<readonly number[]>;
  read(uri: string): Promise<readonly Record<string, unknown>[]>;
  prompt(name: string, args?: Record<string, string>): Promise<Record<string, unknown>>;
  /** Entries of the server's log so far. */
  log(): readonly Record<string, unknown>[];
  /** What the server wrote on stderr; over stdio only. */
  stderr(): string;
  close(): Promise<void>;
}

const FIXTURE = fileURLToPath(new URL("../fixtures/step-server.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Starts the server of `step` and connects to it in the given way. */
export function connect(way: Way, step: Step): Promise<Driver> {
  return way.transport === "http" ? overHttp(way, step) : overStdio(way, step);
}

async function overHttp(way: Way, step: Step): Promise<Driver> {
  const log = capturedLog();
  const running = await listen(stepServer(step, { logger: log.logger }));
  return await overUrl(way, running.url, { log, end: () => running.close() });
}

/** How a client reaches a server that runs already. */
export interface Reaching {
  readonly fetch?: (url: string | URL, init?: RequestInit) => Promise<Response>;
  /** The server's log. */
  readonly log?: CapturedLog;
  /** Ends what is to end with the client. */
  readonly end?: () => Promise<void>;
}

/** Connects to a server that listens at `at`. */
export async function overUrl(
  way: Way,
  at: string,
  { fetch, log = capturedLog(), end = async () => {} }: Reaching = {},
): Promise<Driver> {
  const url = new URL(at);
  const options = fetch && { fetch };
  const transport =
    way.client === "sdk 1.32" ? new HttpV1(url, options) : new StreamableHTTPClientTransport(url, options);
  return await attach(way, transport, log, () => "", end);
}

function overStdio(way: Way, step: Step): Promise<Driver> {
  return overProcess(way, [FIXTURE, String(step)]);
}

/** Starts a TypeScript program that serves on stdio, and connects to it. */
export async function overProcess(
  way: Way,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Driver> {
  const parameters = {
    command: process.execPath,
    args: ["--import", "tsx", ...args],
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stderr: "pipe" as const,
  };
  const transport = way.client === "sdk 1.32" ? new StdioV1(parameters) : new StdioV2(parameters);
  let stderr = "";
  transport.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const log = { logger: capturedLog().logger, entries: () => parseLog(stderr) };
  return await attach(
    way,
    transport,
    log,
    () => stderr,
    async () => {},
  );
}

async function attach(
  way: Way,
  transport: TransportV1,
  log: CapturedLog,
  stderr: () => string,
  end: () => Promise<void>,
): Promise<Driver> {
  const complaints: Error[] = [];
  const face = way.client === "sdk 1.32" ? faceOfV1() : faceOfV2(way.era);
  face.onerror((error) => complaints.push(error));
  await face.connect(transport);

  const request: Driver["request"] = (method, params = {}) => refusing(face.request(method, params));
  const list: Driver["list"] = async (name) => {
    const [method, member] = LISTS[name];
    const items: Item[] = [];
    let cursor: string | undefined;
    do {
      const page = await request(method, cursor === undefined ? {} : { cursor });
      items.push(...(page[member] as Item[]));
      cursor = page["nextCursor"] as string | undefined;
    } while (cursor !== undefined);
    return items;
  };
  return {
    way,
    complaints,
    server: face.server(),
    capabilities: face.capabilities(),
    instructions: face.instructions(),
    protocolVersion: face.protocolVersion(),
    request,
    callTool: (name, args = {}) => refusing(face.callTool(name, args)),
    list: (name) => (name === "tools" ? refusing(face.listTools()) : list(name)),
    pageSizes: async (name) => {
      const [method, member] = LISTS[name];
      const sizes: number[] = [];
      let cursor: unknown;
      do {
        const page = await request(method, cursor === undefined ? {} : { cursor });
        sizes.push((page[member] as Item[]).length);
        cursor = page["nextCursor"];
      } while (cursor !== undefined);
      return sizes;
    },
    read: async (uri) => (await refusing(face.read(uri))) as Record<string, unknown>[],
    prompt: async (name, args) => await refusing(face.prompt(name, args)),
    log: () => log.entries(),
    stderr,
    close: async () => {
      await face.close();
      await end();
    },
  };
}

/** What of a client differs between the two packages. */
interface Face {
  onerror(listener: (error: Error) => void): void;
  connect(transport: TransportV1): Promise<void>;
  server(): Record<string, unknown>;
  capabilities(): Record<string, unknown>;
  instructions(): string | undefined;
  protocolVersion(): string | undefined;
  request(method: string, params: Record<string, unknown>): Promise<Record<string, unknown>>;
  callTool(name: string, args: Record<string, unknown>): Promise<CallResult>;
  listTools(): Promise<Item[]>;
  read(uri: string): Promise<unknown[]>;
  prompt(name: string, args: Record<string, string> | undefined): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

const CLIENT_INFO = { name: "steps-test", version: "1.2.3" };

function faceOfV2(era: Way["era"]): Face {
  const client = new ClientV2(CLIENT_INFO, {
    versionNegotiation: { mode: era === "modern" ? { pin: MODERN } : "legacy" },
  });
  return {
    onerror: (listener) => void Object.assign(client, { onerror: listener }),
    connect: (transport) => client.connect(transport),
    server: () => ({ ...client.getServerVersion() }),
    capabilities: () => ({ ...client.getServerCapabilities() }),
    instructions: () => client.getInstructions(),
    protocolVersion: () => client.getNegotiatedProtocolVersion(),
    request: async (method, params) => ({
      ...(await client.request({ method: method as "tools/list", params })),
    }),
    callTool: async (name, args) => (await client.callTool({ name, arguments: args })) as CallResult,
    listTools: async () => (await client.listTools()).tools,
    read: async (uri) => (await client.readResource({ uri })).contents,
    prompt: async (name, args) => ({
      ...(await client.getPrompt({ name, ...(args && { arguments: args }) })),
    }),
    close: () => client.close(),
  };
}

function faceOfV1(): Face {
  const client = new ClientV1(CLIENT_INFO);
  let transport: TransportV1 | undefined;
  return {
    onerror: (listener) => void Object.assign(client, { onerror: listener }),
    connect: async (to) => {
      transport = to;
      await client.connect(to);
    },
    server: () => ({ ...client.getServerVersion() }),
    capabilities: () => ({ ...client.getServerCapabilities() }),
    instructions: () => client.getInstructions(),
    protocolVersion: () => (transport as { protocolVersion?: string } | undefined)?.protocolVersion,
    request: async (method, params) => await client.request({ method, params }, ResultSchema),
    callTool: async (name, args) => (await client.callTool({ name, arguments: args })) as CallResult,
    listTools: async () => {
      const tools: Item[] = [];
      let cursor: string | undefined;
      do {
        const page = await client.listTools(cursor === undefined ? {} : { cursor });
        tools.push(...page.tools);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return tools;
    },
    read: async (uri) => (await client.readResource({ uri })).contents,
    prompt: async (name, args) => ({
      ...(await client.getPrompt({ name, ...(args && { arguments: args }) })),
    }),
    close: () => client.close(),
  };
}

/** The clients' own errors for JSON-RPC errors, as one. */
async function refusing<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof McpError)
      throw new Refused(error.code, error.message.replace(/^MCP error -?\d+: /, ""), error.data);
    if (error instanceof ProtocolError) throw new Refused(error.code, error.message, error.data);
    throw error;
  }
}
