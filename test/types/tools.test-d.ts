/** What a tool's handler gets and must give back. Checked by the compiler; never run. */

import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import { type RequestContext, MCPServer, image, jsonSchema, text } from "gantry-mcp";
import * as v from "valibot";
import { z } from "zod";
import { exactly } from "./assertions.ts";

const server = new MCPServer({ name: "types", version: "1.0.0" });
const description = "d";

// ── arguments ──

server.tool("none", { description }, (args, ctx) => {
  exactly<Record<string, never>>()(args);
  exactly<RequestContext>()(ctx);
  exactly<AbortSignal>()(ctx.signal);
  exactly<string>()(ctx.requestId);
});

server.tool(
  "zod",
  {
    description,
    input: z.object({
      title: z.string(),
      priority: z.int().default(3),
      due: z.iso.date().optional(),
      tags: z.array(z.enum(["a", "b"])).default([]),
      owner: z.object({ name: z.string() }).nullable(),
      size: z.string().transform((size) => size.length),
    }),
  },
  (args) => {
    exactly<string>()(args.title);
    exactly<number>()(args.priority);
    exactly<string | undefined>()(args.due);
    exactly<("a" | "b")[]>()(args.tags);
    exactly<{ name: string } | null>()(args.owner);
    exactly<number>()(args.size);
    // @ts-expect-error -- no such argument
    exactly<string>()(args.nope);
  },
);

server.tool(
  "valibot",
  {
    description,
    input: toStandardJsonSchema(v.object({ title: v.string(), priority: v.optional(v.number(), 3) })),
  },
  ({ title, priority }) => {
    exactly<string>()(title);
    exactly<number>()(priority);
  },
);

server.tool(
  "arktype",
  { description, input: type({ title: "string", "priority?": "number" }) },
  ({ title, priority }) => {
    exactly<string>()(title);
    exactly<number | undefined>()(priority);
  },
);

server.tool(
  "plain",
  { description, input: { type: "object", properties: { a: { type: "number" } } } },
  (args) => {
    exactly<Record<string, unknown>>()(args);
  },
);

const sum = jsonSchema<{ a: number; b?: number }>({ type: "object", properties: { a: {}, b: {} } });

server.tool("typed plain", { description, input: sum }, ({ a, b }) => {
  exactly<number>()(a);
  exactly<number | undefined>()(b);
});

server.tool(
  "union",
  {
    description,
    input: z.discriminatedUnion("by", [
      z.object({ by: z.literal("id"), id: z.string() }),
      z.object({ by: z.literal("all") }),
    ]),
  },
  (args) => (args.by === "id" ? args.id : "all"),
);

server.tool(
  "destructured",
  { description, input: z.object({ a: z.string() }) },
  (
    // @ts-expect-error -- no such argument
    { a, nope },
  ) => [a, nope],
);

server.tool(
  "wrong annotation",
  { description, input: z.object({ a: z.string() }) },
  // @ts-expect-error -- a is a string
  ({ a }: { a: number }) => a,
);

// @ts-expect-error -- there are no arguments where there is no input
server.tool("no input", { description }, ({ a }) => a.length);

// ── results ──

server.tool("anything", { description }, () => ({ any: ["json", 1, null] }));
server.tool("blocks", { description }, () => [text("A chart:"), image(new Uint8Array(), "image/png")]);
server.tool("later", { description }, async () => Promise.resolve("later"));
server.tool("nothing", { description }, () => {});

const Task = z.object({ id: z.string(), priority: z.int().default(3) });

server.tool("output", { description, output: Task }, () => ({ id: "1", priority: 4 }));
server.tool("output later", { description, output: Task }, async () => ({ id: "1", priority: 4 }));
server.tool("output with a default", { description, output: Task }, () => ({ id: "1" }));
server.tool("output by input", { description, input: Task, output: z.array(Task) }, (task) => [task, task]);
server.tool("typed plain output", { description, output: sum }, () => ({ a: 1 }));
server.tool("plain output", { description, output: { type: "object" } }, () => ({ whatever: true }));
server.tool(
  "valibot output",
  { description, output: toStandardJsonSchema(v.object({ n: v.number() })) },
  () => ({ n: 1 }),
);
server.tool("arktype output", { description, output: type({ n: "number" }) }, () => ({ n: 1 }));

// @ts-expect-error -- id is a string
server.tool("wrong output", { description, output: Task }, () => ({ id: 1 }));
// @ts-expect-error -- id is missing
server.tool("lacking output", { description, output: Task }, () => ({}));
// @ts-expect-error -- id is a string, promised or not
server.tool("wrong output later", { description, output: Task }, async () => ({ id: 1 }));
// @ts-expect-error -- one of the ways out returns no task
server.tool("sometimes", { description, output: Task }, () => (Math.random() > 0.5 ? { id: "1" } : "none"));
// @ts-expect-error -- a is a number
server.tool("wrong typed plain output", { description, output: sum }, () => ({ a: "1" }));
server.tool(
  "wrong valibot output",
  { description, output: toStandardJsonSchema(v.object({ n: v.number() })) },
  // @ts-expect-error -- n is a number
  () => ({ n: "1" }),
);
// @ts-expect-error -- n is a number
server.tool("wrong arktype output", { description, output: type({ n: "number" }) }, () => ({ n: "1" }));
// @ts-expect-error -- content blocks are no task
server.tool("blocks for output", { description, output: Task }, () => [text("1")]);

// ── options ──

// @ts-expect-error -- a description is required
server.tool("no description", {}, () => "");
// @ts-expect-error -- a handler is required
server.tool("no handler", { description });
// @ts-expect-error -- no such option
server.tool("unknown option", { description, inputs: Task }, () => "");
// @ts-expect-error -- a unit that there is not
server.tool("bad timeout", { description, timeout: "3 days" }, () => "");
// @ts-expect-error -- one of two words
server.tool("bad unknownArguments", { description, unknownArguments: "ignore" }, () => "");
// @ts-expect-error -- raw valibot gives no JSON Schema: toStandardJsonSchema(…) does
server.tool("raw valibot", { description, input: v.object({ a: v.string() }) }, () => "");
// @ts-expect-error -- raw valibot gives no JSON Schema: toStandardJsonSchema(…) does
server.tool("raw valibot output", { description, output: v.object({ a: v.string() }) }, () => ({ a: "" }));
// @ts-expect-error -- hints are booleans
server.tool("bad hints", { description, annotations: { readOnlyHint: "yes" } }, () => "");

server.tool("durations", { description, timeout: "1.5s" }, () => "");
server.tool("milliseconds", { description, timeout: 250 }, () => "");

// ── chains ──

exactly<MCPServer>()(server.tool("chained", { description }, () => ""));
