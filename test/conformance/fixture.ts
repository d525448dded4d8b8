/** The server that the official referee wants to see, written with the public API alone. */

import {
  MCPServer,
  type MCPServerOptions,
  ToolError,
  audio,
  embed,
  image,
  jsonSchema,
  text,
  user,
} from "gantry-mcp";
import { z } from "zod";
import { registerQuestions } from "./fixture-questions.ts";

/** A red pixel. */
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/** A sound of no length. */
const WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

/** Every keyword that a server must pass on to the letter (SEP-1613, SEP-2106). */
const EVERY_KEYWORD = jsonSchema<Record<string, unknown>>({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
});

export function conformanceServer(options: Partial<MCPServerOptions> = {}): MCPServer {
  const server = new MCPServer({
    name: "gantry-conformance",
    version: "1.0.0",
    instructions: "Answers what the conformance suite asks.",
    http: { sessions: true },
    ...options,
  });
  registerTools(server);
  registerTalkingTools(server);
  registerQuestions(server);
  registerResources(server);
  registerPrompts(server);
  return server;
}

function registerTools(server: MCPServer): void {
  server
    .tool("test_simple_text", { description: "A text." }, () => "This is a simple text response for testing.")
    .tool("test_image_content", { description: "An image." }, () => image(PNG, "image/png"))
    .tool("test_audio_content", { description: "A sound." }, () => audio(WAV, "audio/wav"))
    .tool("test_embedded_resource", { description: "A resource within a result." }, () =>
      embed({
        uri: "test://embedded-resource",
        mimeType: "text/plain",
        text: "This is an embedded resource content.",
      }),
    )
    .tool("test_multiple_content_types", { description: "Text, image and resource." }, () => [
      text("Multiple content types test:"),
      image(PNG, "image/png"),
      embed({
        uri: "test://mixed-content-resource",
        mimeType: "application/json",
        text: JSON.stringify({ test: "data", value: 123 }),
      }),
    ])
    .tool("test_error_handling", { description: "Refuses." }, () => {
      throw new ToolError("This tool intentionally returns an error for testing");
    })
    .tool(
      "json_schema_2020_12_tool",
      { description: "A schema with keywords of JSON Schema 2020-12.", input: EVERY_KEYWORD },
      (args) => args,
    )
    .tool(
      "test_x_mcp_header",
      {
        description: "A parameter that a header mirrors.",
        input: z.object({ region: z.string().meta({ "x-mcp-header": "Region" }) }),
      },
      ({ region }) => `Region: ${region}`,
    );
}

/** Tools that say something before their result, or to those who listen. */
function registerTalkingTools(server: MCPServer): void {
  server
    .tool("test_tool_with_logging", { description: "Logs three times." }, async (_args, ctx) => {
      ctx.log("info", "Tool execution started");
      await pause(50);
      ctx.log("info", "Tool processing data");
      await pause(50);
      ctx.log("info", "Tool execution completed");
      return "Tool with logging executed successfully";
    })
    .tool("test_tool_with_progress", { description: "Reports three times." }, async (_args, ctx) => {
      ctx.progress(0, 100, "Completed step 0 of 100");
      await pause(50);
      ctx.progress(50, 100, "Completed step 50 of 100");
      await pause(50);
      ctx.progress(100, 100, "Completed step 100 of 100");
      return "Tool with progress executed successfully";
    })
    .tool("test_logging_tool", { description: "Logs once." }, (_args, ctx) => {
      ctx.log("info", "Diagnostic trace logging activated", "conformance");
      return "Logging evaluated";
    })
    .tool("test_streaming_elicitation", { description: "Reports, then answers." }, (_args, ctx) => {
      ctx.progress(50, 100);
      return "Streaming complete";
    })
    .tool("test_reconnection", { description: "Lets the stream go, then answers." }, async (_args, ctx) => {
      ctx.releaseStream();
      await pause(100);
      return "Reconnection test completed successfully.";
    })
    .tool("test_trigger_tool_change", { description: "Changes the list of tools." }, () => {
      server.disable({ tool: "test_toggled" }).enable({ tool: "test_toggled" });
      return "Mutation triggered";
    })
    .tool("test_trigger_prompt_change", { description: "Changes the list of prompts." }, () => {
      server.disable({ prompt: "test_toggled" }).enable({ prompt: "test_toggled" });
      return "Mutation triggered";
    })
    .tool("test_touch_watched_resource", { description: "Changes the watched resource." }, () => {
      server.notify.resourceUpdated("test://watched-resource");
      return "Mutation triggered";
    })
    .tool("test_toggled", { description: "Comes and goes." }, () => "Here.")
    .prompt("test_toggled", { description: "Comes and goes." }, () => "Here.");
}

function registerResources(server: MCPServer): void {
  server
    .resource(
      "test://static-text",
      { name: "static-text", description: "A text.", mimeType: "text/plain" },
      () => "This is the content of the static text resource.",
    )
    .resource(
      "test://static-binary",
      { name: "static-binary", description: "An image.", mimeType: "image/png" },
      () => new Uint8Array(Buffer.from(PNG, "base64")),
    )
    .resource(
      "test://watched-resource",
      { name: "watched-resource", description: "To be subscribed to.", mimeType: "text/plain" },
      () => "Watched resource content",
    )
    .resource(
      "test://template/{id}/data",
      {
        name: "template",
        description: "A template.",
        mimeType: "application/json",
        complete: { id: ["123", "456"] },
      },
      ({ id }) => ({ id, templateTest: true, data: `Data for ID: ${id}` }),
    );
}

function registerPrompts(server: MCPServer): void {
  server
    .prompt(
      "test_simple_prompt",
      { title: "Simple prompt", description: "A prompt without arguments." },
      () => "This is a simple prompt for testing.",
    )
    .prompt(
      "test_prompt_with_arguments",
      {
        description: "A prompt with two arguments.",
        input: z.object({
          arg1: z.string().describe("First test argument"),
          arg2: z.string().describe("Second test argument"),
        }),
        complete: { arg1: ["paris", "park", "party"] },
      },
      ({ arg1, arg2 }) => `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`,
    )
    .prompt(
      "test_prompt_with_embedded_resource",
      {
        description: "A prompt with a resource in it.",
        input: z.object({ resourceUri: z.string().describe("URI of the resource to embed") }),
      },
      ({ resourceUri }) => [
        embed({ uri: resourceUri, mimeType: "text/plain", text: "Embedded resource content for testing." }),
        "Please process the embedded resource above.",
      ],
    )
    .prompt("test_prompt_with_image", { description: "A prompt with an image." }, () => [
      user(image(PNG, "image/png")),
      user("Please analyze the image above."),
    ]);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
