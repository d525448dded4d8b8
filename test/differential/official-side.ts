/** The registrations on the official SDK's server, as its documentation registers them. */

import {
  type CallToolResult,
  type InputRequiredResult,
  McpServer,
  type McpServerOptions,
  ResourceNotFoundError,
  ResourceTemplate,
  type ServerContext,
  completable,
  createMcpHandler,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Side } from "./exchange.ts";
import {
  FORM,
  IDENTITY,
  INSTRUCTIONS,
  type Outcome,
  PROMPTS,
  type Prompt,
  RESOURCES,
  type Resource,
  TOOLS,
  type Voice,
  completions,
} from "./registrations.ts";

const codec = createRequestStateCodec({ key: new Uint8Array(32).fill(7), ttlSeconds: 600 });

const OPTIONS: McpServerOptions = {
  instructions: INSTRUCTIONS,
  capabilities: {
    logging: {},
    completions: {},
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true, subscribe: true },
  },
  requestState: { verify: (state, ctx) => codec.verify(state, ctx) },
};

export function officialSide(): Side {
  const handler = createMcpHandler(makeServer);
  return {
    fetch: (request) => handler.fetch(request),
    change: () => {
      handler.notify.toolsChanged();
      handler.notify.resourceUpdated("config://app");
    },
    close: () => handler.close(),
  };
}

const EMPTY = z.object({});

/** The prompts' schemas, with what completes their arguments. Made once, as the SDK advises. */
const PROMPT_SCHEMAS = new Map(PROMPTS.map((prompt) => [prompt.name, completing(prompt)]));

function makeServer(): McpServer {
  const server = new McpServer(IDENTITY, OPTIONS);
  for (const { name, about, input = EMPTY, output, run } of TOOLS) {
    const call = async (args: Readonly<Record<string, unknown>>, ctx: ServerContext) =>
      await answer(run(args, voice(ctx)), ctx);
    const config = { ...about, inputSchema: input };
    if (output) server.registerTool(name, { ...config, outputSchema: output }, call);
    else server.registerTool(name, config, call);
  }
  for (const resource of RESOURCES) addResource(server, resource);
  for (const { name, about, get } of PROMPTS) {
    const argsSchema = PROMPT_SCHEMAS.get(name);
    const messages = (args: Readonly<Record<string, unknown>>) => ({
      description: about.description,
      messages: [...get(args)],
    });
    if (argsSchema) server.registerPrompt(name, { ...about, argsSchema }, messages);
    else server.registerPrompt(name, about, () => messages({}));
  }
  return server;
}

function addResource(server: McpServer, { uri, about, complete = {}, read }: Resource): void {
  const { name, ...more } = about;
  const metadata = { ...more, ...(about.annotations && { annotations: { ...about.annotations } }) };
  const contents = (href: string, params: Readonly<Record<string, string>>) => {
    const value = read(params);
    if (value === undefined) throw new ResourceNotFoundError(href);
    const content =
      typeof value === "string" ? { text: value } : { blob: Buffer.from(value).toString("base64") };
    return { contents: [{ uri: href, mimeType: about.mimeType, ...content }] };
  };
  if (!uri.includes("{")) {
    server.registerResource(name, uri, metadata, ({ href }) => contents(href, {}));
    return;
  }
  const template = new ResourceTemplate(uri, {
    list: undefined,
    complete: Object.fromEntries(
      Object.entries(complete).map(([key, values]) => [
        key,
        (typed: string) => [...completions(values, typed)],
      ]),
    ),
  });
  server.registerResource(name, template, metadata, ({ href }, variables) =>
    contents(href, variables as Record<string, string>),
  );
}

function completing({ input, complete = {} }: Prompt): z.ZodObject | undefined {
  if (!input) return undefined;
  const shape = Object.entries(input.shape).map(([key, schema]) => {
    const values = complete[key];
    const field = schema as z.ZodString;
    return [key, values ? completable(field, (typed) => [...completions(values, typed)]) : field];
  });
  return z.object(Object.fromEntries(shape) as Record<string, z.ZodString>);
}

function voice({ mcpReq }: ServerContext): Voice {
  const token = mcpReq._meta?.progressToken;
  return {
    progress: (progress, total, message) => {
      if (token === undefined) return;
      void mcpReq.notify({
        method: "notifications/progress",
        params: { progressToken: token, progress, total, message },
      });
    },
    log: (level, data) => void mcpReq.log(level, data),
  };
}

async function answer(
  outcome: Outcome,
  { mcpReq }: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  if ("refusal" in outcome) throw new Error(outcome.refusal);
  if ("structured" in outcome) {
    const { structured } = outcome;
    return {
      content: [{ type: "text", text: JSON.stringify(structured) }],
      structuredContent: structured as Record<string, unknown>,
    };
  }
  if ("content" in outcome) return { content: [...outcome.content] };
  const given = inputResponse(mcpReq.inputResponses, "form");
  const filled = given.kind === "elicit" ? FORM.safeParse(given.content) : undefined;
  const said =
    given.kind === "elicit" && given.action !== "accept"
      ? given.action
      : filled?.success
        ? `It is ${filled.data.colour}.`
        : undefined;
  if (said !== undefined) return { content: [{ type: "text", text: said }] };
  return inputRequired({
    inputRequests: { form: inputRequired.elicit({ message: outcome.question, requestedSchema: FORM }) },
    requestState: await codec.mint({}),
  });
}
