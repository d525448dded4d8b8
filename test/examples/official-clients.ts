import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioClientTransportV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as StreamableHTTPClientTransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { projectRoot, taskApi } from "./task-api-process.ts";

interface TextBlock {
  readonly text: string;
}

/** What the official clients have in common, as far as the tests of the examples go. */
export interface OfficialClient {
  getServerVersion(): { name: string; version: string } | undefined;
  listTools(): Promise<{ tools: { name: string }[] }>;
  listPrompts(): Promise<{ prompts: { name: string }[] }>;
  listResources(): Promise<{ resources: { uri: string }[] }>;
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>;
  callTool(call: { name: string; arguments?: Record<string, unknown> }): Promise<{
    content: TextBlock[];
    structuredContent?: unknown;
    isError?: boolean;
  }>;
  readResource(read: { uri: string }): Promise<{ contents: (TextBlock & { mimeType: string })[] }>;
  getPrompt(get: { name: string; arguments?: Record<string, string> }): Promise<{
    messages: { role: string; content: TextBlock }[];
  }>;
  complete(complete: {
    ref: { type: "ref/prompt"; name: string } | { type: "ref/resource"; uri: string };
    argument: { name: string; value: string };
  }): Promise<{ completion: { values: string[] } }>;
  close(): Promise<void>;
}

/** Clients as people run them: the current SDK in both its eras, and the one before it. */
export const clientKinds = ["client 2 modern", "client 2 legacy", "sdk 1"] as const;
export type ClientKind = (typeof clientKinds)[number];

const info = { name: "official-client", version: "1.0.0" };

function newClient(kind: Exclude<ClientKind, "sdk 1">): Client {
  const mode = kind === "client 2 modern" ? { pin: "2026-07-28" } : "legacy";
  return new Client(info, { versionNegotiation: { mode } });
}

export async function connectHttp(kind: ClientKind, address: string): Promise<OfficialClient> {
  const url = new URL(address);
  if (kind === "sdk 1") {
    const client = new ClientV1(info);
    await client.connect(new StreamableHTTPClientTransportV1(url));
    return client as unknown as OfficialClient;
  }
  const client = newClient(kind);
  await client.connect(new StreamableHTTPClientTransport(url));
  return client as unknown as OfficialClient;
}

/** Starts the Task API over stdio, as a desktop client would. */
export async function connectStdio(kind: ClientKind, dataDir: string): Promise<OfficialClient> {
  const server = {
    command: process.execPath,
    args: ["--import", "tsx", taskApi, "--stdio", "--data-dir", dataDir],
    cwd: projectRoot,
    stderr: "ignore" as const,
  };
  if (kind === "sdk 1") {
    const client = new ClientV1(info);
    await client.connect(new StdioClientTransportV1(server));
    return client as unknown as OfficialClient;
  }
  const client = newClient(kind);
  await client.connect(new StdioClientTransport(server));
  return client as unknown as OfficialClient;
}
