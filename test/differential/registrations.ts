/** One server as data: what it offers, and what its handlers do. Each side registers it in its own way. */

import { z } from "zod";

/** How a handler speaks before it answers. */
export interface Voice {
  progress(done: number, total: number, message: string): void;
  log(level: "debug" | "info" | "error", data: unknown): void;
}

/** What a handler comes to. */
export type Outcome =
  | { readonly content: readonly Block[] }
  | { readonly structured: unknown }
  /** Ends with an error that its author wants the caller to read. */
  | { readonly refusal: string }
  /** Asks the user, and says what was answered. */
  | { readonly question: string };

export type Block =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image" | "audio"; readonly data: string; readonly mimeType: string }
  | {
      readonly type: "resource";
      readonly resource: { readonly uri: string; readonly mimeType: string; readonly text: string };
    };

export interface Tool {
  readonly name: string;
  readonly about: {
    readonly description: string;
    readonly title?: string;
    readonly annotations?: { readonly readOnlyHint?: boolean; readonly title?: string };
    readonly _meta?: Readonly<Record<string, unknown>>;
  };
  readonly input?: z.ZodObject;
  readonly output?: z.ZodType;
  readonly run: (args: Readonly<Record<string, unknown>>, voice: Voice) => Outcome;
}

export interface Resource {
  /** The URI, or a template. */
  readonly uri: string;
  readonly about: {
    readonly name: string;
    readonly title?: string;
    readonly description: string;
    readonly mimeType: string;
    readonly annotations?: { readonly audience?: ("user" | "assistant")[]; readonly priority?: number };
  };
  /** Values that complete each variable of a template. */
  readonly complete?: Readonly<Record<string, readonly string[]>>;
  /** The text or the bytes; `undefined` where there is none. */
  readonly read: (params: Readonly<Record<string, string>>) => string | Uint8Array | undefined;
}

export interface Prompt {
  readonly name: string;
  readonly about: { readonly description: string; readonly title?: string };
  readonly input?: z.ZodObject;
  readonly complete?: Readonly<Record<string, readonly string[]>>;
  readonly get: (args: Readonly<Record<string, unknown>>) => readonly Message[];
}

interface Message {
  readonly role: "user" | "assistant";
  readonly content: { readonly type: "text"; readonly text: string };
}

export const IDENTITY = { name: "twins", version: "1.2.3", title: "Twins" } as const;
export const INSTRUCTIONS = "Answer alike.";

const text = (value: string): Outcome => ({ content: [{ type: "text", text: value }] });

/** The form that `ask` shows. */
export const FORM = z.object({ colour: z.string() });

export const TOOLS: readonly Tool[] = [
  {
    name: "echo",
    about: {
      description: "Says it again.",
      title: "Echo",
      annotations: { readOnlyHint: true, title: "An echo" },
      _meta: { "example.com/kind": "test" },
    },
    input: z.object({
      message: z.string().min(1).describe("What to say"),
      times: z.int().min(1).max(3).optional(),
      loud: z.boolean().default(false),
    }),
    run: ({ message, times = 1, loud }) => {
      const said = Array.from({ length: Number(times) }, () => message).join(" ");
      return text(loud === true ? said.toUpperCase() : said);
    },
  },
  {
    name: "add",
    about: { description: "Adds numbers." },
    input: z.object({
      numbers: z.array(z.number()).max(10),
      options: z.object({ round: z.boolean() }).optional(),
    }),
    output: z.object({ sum: z.number() }),
    run: ({ numbers }) => ({
      structured: { sum: (numbers as number[]).reduce((sum, next) => sum + next, 0) },
    }),
  },
  {
    name: "count",
    about: { description: "Gives an array." },
    input: z.object({ to: z.int().min(0).max(5) }),
    output: z.array(z.int()),
    run: ({ to }) => ({ structured: Array.from({ length: Number(to) }, (_, index) => index) }),
  },
  { name: "now", about: { description: "Takes nothing." }, run: () => text("now") },
  {
    name: "blocks",
    about: { description: "Every kind of content that all revisions know." },
    run: () => ({
      content: [
        { type: "text", text: "one" },
        { type: "image", data: "aGk=", mimeType: "image/png" },
        { type: "audio", data: "aGk=", mimeType: "audio/wav" },
        { type: "resource", resource: { uri: "config://x", mimeType: "text/plain", text: "x" } },
      ],
    }),
  },
  { name: "refuse", about: { description: "Refuses." }, run: () => ({ refusal: "Not today." }) },
  {
    name: "break",
    about: { description: "Fails unexpectedly." },
    run: () => {
      throw new TypeError("password=hunter2");
    },
  },
  {
    name: "work",
    about: { description: "Reports what it does." },
    input: z.object({ steps: z.int().min(0).max(3) }),
    run: ({ steps }, voice) => {
      for (let step = 1; step <= Number(steps); step++) voice.progress(step, Number(steps), `Step ${step}`);
      voice.log("debug", "a detail");
      voice.log("info", { event: "worked" });
      voice.log("error", ["an", "error"]);
      return text("worked");
    },
  },
  { name: "ask", about: { description: "Asks the user." }, run: () => ({ question: "Which colour?" }) },
  {
    name: "region",
    about: { description: "Has parameters that headers mirror." },
    input: z.object({
      region: z.string().meta({ "x-mcp-header": "Region" }),
      shard: z.int().meta({ "x-mcp-header": "Shard" }).optional(),
      dry: z.boolean().meta({ "x-mcp-header": "Dry" }).optional(),
    }),
    run: ({ region, shard, dry }) => text(JSON.stringify([region, shard, dry])),
  },
];

export const RESOURCES: readonly Resource[] = [
  {
    uri: "config://app",
    about: {
      name: "config",
      title: "Configuration",
      description: "A text.",
      mimeType: "text/plain",
      annotations: { audience: ["user"], priority: 0.5 },
    },
    read: () => "answer = 42",
  },
  {
    uri: "image://logo",
    about: { name: "logo", description: "Bytes.", mimeType: "image/png" },
    read: () => new Uint8Array([1, 2, 3]),
  },
  {
    uri: "broken://it",
    about: { name: "broken", description: "Fails.", mimeType: "text/plain" },
    read: () => {
      throw new TypeError("password=hunter2");
    },
  },
  {
    uri: "notes://{id}",
    about: { name: "note", description: "One note.", mimeType: "text/plain" },
    complete: { id: ["first", "second"] },
    read: ({ id = "" }) => (id.length > 20 ? undefined : `Note ${id}`),
  },
  {
    uri: "files://{owner}/docs/{name}",
    about: { name: "file", description: "A file of somebody.", mimeType: "text/plain" },
    complete: { owner: ["ann", "bob"] },
    read: ({ owner, name }) => `${name} of ${owner}`,
  },
];

export const PROMPTS: readonly Prompt[] = [
  {
    name: "greet",
    about: { description: "Greets.", title: "A greeting" },
    input: z.object({ name: z.string().describe("Whom"), tone: z.string().optional() }),
    complete: { name: ["Ada", "Alan", "Grace"] },
    get: ({ name, tone = "warm" }) => [
      { role: "user", content: { type: "text", text: `Greet ${String(name)}.` } },
      { role: "assistant", content: { type: "text", text: `In a ${String(tone)} tone.` } },
    ],
  },
  {
    name: "plain",
    about: { description: "Takes nothing." },
    get: () => [{ role: "user", content: { type: "text", text: "Go on." } }],
  },
  {
    name: "broken",
    about: { description: "Fails." },
    get: () => {
      throw new TypeError("password=hunter2");
    },
  },
];

/** The values that complete what was typed so far. */
export function completions(values: readonly string[], typed: string): readonly string[] {
  return values.filter((value) => value.toLowerCase().startsWith(typed.toLowerCase()));
}
