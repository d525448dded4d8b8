/** The registrations on a Gantry server, by its public API alone. */

import {
  type ContentBlock,
  MCPServer,
  type RequestContext,
  type ResourceOptions,
  ToolError,
  audio,
  embed,
  image,
  text,
} from "gantry-mcp";
import { z } from "zod";
import type { Side } from "./exchange.ts";
import {
  type Block,
  FORM,
  IDENTITY,
  INSTRUCTIONS,
  type Outcome,
  PROMPTS,
  RESOURCES,
  TOOLS,
  type Tool,
  completions,
} from "./registrations.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export function gantrySide(): Side {
  const server = new MCPServer({ ...IDENTITY, instructions: INSTRUCTIONS, logger: silent });
  for (const tool of TOOLS) addTool(server, tool);
  for (const { uri, about, complete, read } of RESOURCES) {
    // Which variables a template has is known of literal ones alone.
    const options = { ...about, ...(complete && { complete }) } as unknown as ResourceOptions<never>;
    server.resource(uri, options, (params) => read(params));
  }
  for (const { name, about, input, complete = {}, get } of PROMPTS) {
    const completers = Object.fromEntries(
      Object.entries(complete).map(([key, values]) => [key, (typed: string) => completions(values, typed)]),
    );
    if (input) server.prompt(name, { ...about, input, complete: completers }, get);
    else server.prompt(name, about, () => get({}));
  }
  return {
    fetch: (request) => server.fetch(request),
    change: () => {
      server.disable({ tool: "now" }).enable({ tool: "now" });
      server.notify.resourceUpdated("config://app");
    },
    close: () => server.close(),
  };
}

function addTool(server: MCPServer, { name, about, input = z.object({}), output, run }: Tool): void {
  const handler = (args: Readonly<Record<string, unknown>>, ctx: RequestContext) => {
    const outcome = run(args, {
      progress: (done, total, message) => ctx.progress(done, total, message),
      log: (level, data) => ctx.log(level, data),
    });
    return answer(outcome, ctx);
  };
  if (output) server.tool(name, { ...about, input, output }, handler);
  else server.tool(name, { ...about, input }, handler);
}

async function answer(outcome: Outcome, ctx: RequestContext): Promise<unknown> {
  if ("refusal" in outcome) throw new ToolError(outcome.refusal);
  if ("structured" in outcome) return outcome.structured;
  if ("content" in outcome) return outcome.content.map(block);
  const asked = await ctx.elicit(outcome.question, FORM, { key: "form" });
  return asked.action === "accept" ? `It is ${asked.content.colour}.` : asked.action;
}

function block(made: Block): ContentBlock {
  switch (made.type) {
    case "text":
      return text(made.text);
    case "image":
      return image(made.data, made.mimeType);
    case "audio":
      return audio(made.data, made.mimeType);
    case "resource":
      return embed(made.resource);
  }
}
