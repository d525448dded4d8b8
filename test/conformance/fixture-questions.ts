/** Tools and a prompt that ask the client: of the user, of its model, of its file system. */

import {
  type MCPServer,
  type RequestContext,
  type SamplingRequest,
  type SamplingResult,
  jsonSchema,
} from "gantry-mcp";
import { z } from "zod";

const Name = z.object({ name: z.string() });
const Consent = z.object({ ok: z.boolean() });

/** Registers every tool of the suite that asks before it answers. */
export function registerQuestions(server: MCPServer): void {
  registerPlainQuestions(server);
  registerRounds(server);
  registerCapabilityQuestions(server);
}

/** What both eras ask alike. */
function registerPlainQuestions(server: MCPServer): void {
  server
    .tool(
      "test_sampling",
      { description: "Asks the model.", input: z.object({ prompt: z.string() }) },
      async ({ prompt }, ctx) => `LLM response: ${sampledText(await ctx.sample(sampling(prompt)))}`,
    )
    .tool(
      "test_elicitation",
      { description: "Asks the user.", input: z.object({ message: z.string() }) },
      async ({ message }, ctx) => {
        const answer = await ctx.elicit(
          message,
          z.object({ response: z.string().describe("User's response") }),
        );
        return `User response: ${shown(answer)}`;
      },
    )
    .tool(
      "test_elicitation_sep1034_defaults",
      { description: "A form with a default in every field." },
      async (_args, ctx) => {
        const answer = await ctx.elicit(
          "Please review and update the form fields with defaults",
          z.object({
            name: z.string().default("John Doe"),
            age: z.int().default(30),
            score: z.number().default(95.5),
            status: z.enum(["active", "inactive", "pending"]).default("active"),
            verified: z.boolean().default(true),
          }),
        );
        return `Elicitation completed: ${shown(answer)}`;
      },
    )
    .tool(
      "test_elicitation_sep1330_enums",
      { description: "A form with every kind of choice." },
      async (_args, ctx) => {
        const answer = await ctx.elicit("Please select options from the enum fields", EVERY_CHOICE);
        return `Elicitation completed: ${shown(answer)}`;
      },
    );
}

/** The ways in which a form may offer a choice (SEP-1330). */
const EVERY_CHOICE = jsonSchema<Record<string, unknown>>({
  type: "object",
  properties: {
    untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
    titledSingle: {
      type: "string",
      oneOf: [
        { const: "value1", title: "First Option" },
        { const: "value2", title: "Second Option" },
        { const: "value3", title: "Third Option" },
      ],
    },
    legacyEnum: {
      type: "string",
      enum: ["opt1", "opt2", "opt3"],
      enumNames: ["Option One", "Option Two", "Option Three"],
    },
    untitledMulti: {
      type: "array",
      minItems: 1,
      maxItems: 3,
      items: { type: "string", enum: ["option1", "option2", "option3"] },
    },
    titledMulti: {
      type: "array",
      minItems: 1,
      maxItems: 3,
      items: {
        anyOf: [
          { const: "value1", title: "First Choice" },
          { const: "value2", title: "Second Choice" },
          { const: "value3", title: "Third Choice" },
        ],
      },
    },
  },
});

/** Several questions, at once and after one another (SEP-2322). */
function registerRounds(server: MCPServer): void {
  server
    .tool(
      "test_input_required_result_elicitation",
      { description: "Asks for a name." },
      async (_args, ctx) => {
        const answer = await ctx.elicit("What is your name?", Name, { key: "user_name" });
        return answer.action === "accept" ? `Hello, ${answer.content.name}!` : "Hello, whoever you are!";
      },
    )
    .tool(
      "test_input_required_result_sampling",
      { description: "Asks for a capital." },
      async (_args, ctx) => {
        const question = sampling("What is the capital of France?");
        return `Sampling result: ${sampledText(await ctx.sample(question, { key: "capital_question" }))}`;
      },
    )
    .tool("test_input_required_result_list_roots", { description: "Asks for roots." }, async (_args, ctx) => {
      const roots = await ctx.roots({ key: "client_roots" });
      return `Found ${roots.length} root(s): ${roots.map(({ uri }) => uri).join(", ")}`;
    })
    .tool(
      "test_input_required_result_request_state",
      { description: "Keeps a state." },
      async (_args, ctx) => {
        const nonce = await ctx.once("nonce", () => crypto.randomUUID());
        await ctx.elicit("Please confirm", Consent, { key: "confirm" });
        return nonce === (await ctx.once("nonce", () => "")) ? "state-ok: requestState validated" : "lost";
      },
    )
    .tool(
      "test_input_required_result_multiple_inputs",
      { description: "Asks three at once." },
      async (_args, ctx) => {
        const [name, greeting, roots] = await Promise.all([
          ctx.elicit("What is your name?", Name, { key: "user_name" }),
          ctx.sample(sampling("Generate a greeting"), { key: "greeting" }),
          ctx.roots({ key: "client_roots" }),
        ]);
        const who = name.action === "accept" ? name.content.name : "nobody";
        return `Name: ${who}; Greeting: ${sampledText(greeting)}; Roots: ${roots.length}`;
      },
    )
    .tool("test_input_required_result_multi_round", { description: "Asks twice." }, async (_args, ctx) => {
      const name = await ctx.elicit("Step 1: What is your name?", Name, { key: "step1" });
      const color = await ctx.elicit(
        "Step 2: What is your favorite color?",
        z.object({ color: z.string() }),
        { key: "step2" },
      );
      return name.action === "accept" && color.action === "accept"
        ? `Multi-round complete for ${name.content.name} who likes ${color.content.color}`
        : "Left early.";
    })
    .tool("test_input_required_result_tampered_state", { description: "Seals." }, async (_args, ctx) => {
      await ctx.elicit("Please confirm", Consent, { key: "confirm" });
      return "integrity-ok: state verified";
    })
    .prompt(
      "test_input_required_result_prompt",
      { description: "A prompt that asks." },
      async (_args, ctx) => {
        const answer = await ctx.elicit(
          "What context should the prompt use?",
          z.object({ context: z.string() }),
          { key: "user_context" },
        );
        return `Prompt with context: ${answer.action === "accept" ? answer.content.context : "none"}`;
      },
    );
}

/** What a client is asked that cannot answer everything. */
function registerCapabilityQuestions(server: MCPServer): void {
  server
    .tool("test_missing_capability", { description: "Needs a model." }, async (_args, ctx) => {
      await ctx.sample(sampling("Are you there?"));
      return "Success";
    })
    .tool(
      "test_input_required_result_capabilities",
      { description: "Asks what can be asked." },
      (_args, ctx) => askPossible(ctx),
    );
}

async function askPossible(ctx: RequestContext): Promise<string> {
  const { elicitation, sampling: model } = ctx.clientCapabilities;
  const questions: Promise<unknown>[] = [];
  if (elicitation)
    questions.push(ctx.elicit("Elicitation input", z.object({ value: z.string() }), { key: "elicit_input" }));
  if (model) questions.push(ctx.sample(sampling("Sample request"), { key: "sample_input" }));
  await Promise.all(questions);
  return questions.length === 0 ? "No supported capabilities declared" : "capabilities-ok";
}

function sampling(prompt: string): SamplingRequest {
  return { messages: [{ role: "user", content: { type: "text", text: prompt } }], maxTokens: 100 };
}

function sampledText({ content }: SamplingResult): string {
  const [first] = Array.isArray(content) ? content : [content];
  return (first as { text?: string } | undefined)?.text ?? "No response";
}

function shown(answer: { readonly action: string; readonly content?: unknown }): string {
  return `action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`;
}
