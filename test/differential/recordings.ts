/** What the official clients really send: every request of a visit to Gantry, as it was. */

import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import type { Case, Side } from "./exchange.ts";

const URL_OF_BOTH = new URL("http://localhost:8080/mcp");
const WHO = { name: "recorded", version: "1.0.0" };

/** The requests of a client of each generation and era, each visiting everything that there is. */
export async function recordings(side: Side): Promise<readonly Case[]> {
  const cases: Case[] = [];
  const visits = [
    ["client 2, auto", (fetch: typeof globalThis.fetch) => visitV2("auto", fetch)],
    ["client 2, 2025 era", (fetch: typeof globalThis.fetch) => visitV2("legacy", fetch)],
    ["client 1", visitV1],
  ] as const;
  for (const [who, visit] of visits) {
    await visit(async (input, init) => {
      const request = new Request(input, init);
      const body = await request.clone().text();
      const headers = Object.fromEntries(request.headers);
      cases.push({ what: `recorded of ${who}, ${cases.length}`, verb: request.method, headers, body });
      return side.fetch(request);
    });
  }
  // A state that was sealed by one side is nothing to the other: such rounds have a test of their own.
  return cases.filter(({ body }) => !(body as string).includes('"requestState"'));
}

async function visitV2(mode: "auto" | "legacy", fetch: typeof globalThis.fetch): Promise<void> {
  const client = new ClientV2(WHO, {
    versionNegotiation: { mode },
    capabilities: { elicitation: { form: {} } },
  });
  client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { colour: "red" } }));
  await client.connect(new HttpV2(URL_OF_BOTH, { fetch }));
  const call = (name: string, args = {}) => client.callTool({ name, arguments: args });
  await client.listTools();
  await call("echo", { message: "hello", times: 2 });
  await call("add", { numbers: [1, 2] });
  await call("count", { to: 3 });
  await call("region", { region: "Zürich", shard: 7, dry: true });
  await call("blocks");
  await call("refuse");
  await call("break");
  await client.callTool({ name: "work", arguments: { steps: 2 } }, { onprogress: () => {} });
  await attempt(call("ask"));
  await attempt(call("nobody"));
  await client.listResources();
  await client.listResourceTemplates();
  await client.readResource({ uri: "config://app" });
  await attempt(client.readResource({ uri: "nothing://here" }));
  await client.listPrompts();
  await client.getPrompt({ name: "greet", arguments: { name: "Ada" } });
  await client.complete({
    ref: { type: "ref/prompt", name: "greet" },
    argument: { name: "name", value: "A" },
  });
  if (mode === "legacy") {
    await client.ping();
    await client.setLoggingLevel("warning");
  }
  await client.close();
}

async function visitV1(fetch: typeof globalThis.fetch): Promise<void> {
  const client = new ClientV1(WHO, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: { colour: "red" } }));
  await client.connect(new HttpV1(URL_OF_BOTH, { fetch }));
  await client.ping();
  await client.setLoggingLevel("info");
  await client.listTools();
  await client.callTool({ name: "echo", arguments: { message: "hello" } });
  await client.callTool({ name: "count", arguments: { to: 2 } });
  await client.callTool({ name: "work", arguments: { steps: 1 } }, undefined, { onprogress: () => {} });
  await client.callTool({ name: "ask" });
  await attempt(client.callTool({ name: "nobody" }));
  await client.listResources();
  await client.listResourceTemplates();
  await client.readResource({ uri: "image://logo" });
  await client.listPrompts();
  await client.getPrompt({ name: "plain" });
  await client.complete({
    ref: { type: "ref/resource", uri: "notes://{id}" },
    argument: { name: "id", value: "f" },
  });
  await attempt(client.subscribeResource({ uri: "config://app" }));
  await client.close();
}

/** A request that may fail: what was sent is what counts. */
async function attempt(request: Promise<unknown>): Promise<void> {
  await request.catch(() => {});
}
