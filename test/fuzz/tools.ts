/** Tools of the fuzzed server: some for their arguments, some that speak, ask and wait. */

import { setTimeout as sleep } from "node:timers/promises";
import { type MCPServer, ToolError, image, link, text } from "gantry-mcp";
import { z } from "zod";

/** In secrets, in causes of errors and in what is hidden: no answer may hold it. */
export const CANARY = "canary-7e21b0c4";

/** Told in each handler what it was given, and whether that is what its schema promises. */
export type Given = (what: string, args: unknown, fits: boolean) => void;

const Order = z.object({
  item: z.string().min(1).max(40),
  quantity: z.int().min(1).max(99).default(1),
  ship: z.object({ to: z.object({ city: z.string().max(40), zip: z.string().regex(/^\d{5}$/) }) }).optional(),
  tags: z
    .array(z.enum(["gift", "fragile"]))
    .max(3)
    .optional(),
  price: z.union([z.number().nonnegative(), z.literal("free")]),
});

export function addTools(server: MCPServer, given: Given): void {
  const name = "echo";
  server.tool(name, { description: "Says it again.", input: z.object({ text: z.string() }) }, (args) => {
    given(name, args, typeof args.text === "string");
    return args.text;
  });
  const total = z.object({ total: z.number(), city: z.string().nullable() });
  server.tool("order", { description: "Orders.", input: Order, output: total }, (args) => {
    const { item, quantity, ship, price, tags = [] } = args;
    // JSON Schema counts characters, not units of UTF-16.
    const { length } = Array.from(item);
    const fits = length >= 1 && length <= 40 && Number.isInteger(quantity) && quantity >= 1 && quantity <= 99;
    const isTagged = tags.length <= 3 && tags.every((tag) => tag === "gift" || tag === "fragile");
    given("order", args, fits && isTagged && (price === "free" || price >= 0));
    return { total: price === "free" ? 0 : price * quantity, city: ship?.to.city ?? null };
  });
  server.tool("tree", { description: "Counts a tree.", input: TREE }, (args) => {
    given("tree", args, isTree((args as { readonly root: unknown }).root));
    return JSON.stringify(args).length;
  });
  server.tool("mirror", { description: "Has parameters in headers.", input: MIRRORED }, (args) => {
    const { region, limits } = args as {
      readonly region: unknown;
      readonly limits?: { readonly most?: unknown };
    };
    const most = limits?.most;
    given("mirror", args, typeof region === "string" && (most === undefined || Number.isInteger(most)));
    return [text("mirrored"), link({ uri: "fuzz://text", name: "text" })];
  });
  server.tool("any", { description: "Takes any object.", input: { type: "object" } }, (args) => {
    given("any", args, typeof args === "object" && args !== null && !Array.isArray(args));
    return { got: args };
  });
  server.tool(
    "strict",
    { description: "Knows its arguments.", input: z.object({ on: z.boolean() }), unknownArguments: "refuse" },
    (args) => {
      given("strict", args, Object.keys(args).join(",") === "on" && typeof args.on === "boolean");
      return image(Uint8Array.of(1, 2, 3), "image/png");
    },
  );
  server.tool("fails", { description: "Fails, and nobody learns why." }, (args) => {
    given("fails", args, Object.keys(args).length === 0);
    throw new Error(`The password is ${CANARY}`);
  });
  server.tool("refuses", { description: "Refuses." }, () => {
    throw new ToolError("Not today.", { code: "CLOSED", suggestion: "Come back tomorrow." });
  });
  server.tool("vault", { description: `Hidden: ${CANARY}.` }, () => CANARY).disable({ tool: "vault" });
}

const TREE = {
  type: "object",
  properties: { root: { $ref: "#/$defs/node" } },
  required: ["root"],
  additionalProperties: false,
  $defs: {
    node: {
      type: "object",
      properties: {
        label: { type: "string", maxLength: 20 },
        children: { type: "array", items: { $ref: "#/$defs/node" } },
        weight: { oneOf: [{ type: "integer", minimum: 0 }, { type: "null" }] },
      },
      required: ["label"],
      additionalProperties: false,
    },
  },
};

function isTree(node: unknown): boolean {
  const {
    label,
    children = [],
    weight = null,
  } = node as { label: unknown; children?: unknown[]; weight?: unknown };
  const isWeight = weight === null || (Number.isInteger(weight) && (weight as number) >= 0);
  return typeof label === "string" && Array.from(label).length <= 20 && isWeight && children.every(isTree);
}

/** Also what a client needs to mirror arguments in headers: their names. */
export const MIRRORED_HEADERS = { region: "mcp-param-region", most: "mcp-param-most" } as const;

const MIRRORED = {
  type: "object",
  properties: {
    region: { type: "string", "x-mcp-header": "Region" },
    limits: { type: "object", properties: { most: { type: "integer", "x-mcp-header": "Most" } } },
  },
  required: ["region"],
};

export const Sure = z.object({ sure: z.boolean(), note: z.string().max(20).optional() });

/** What speaks, asks and waits. */
export function addTalkers(server: MCPServer, given: Given, handlers: { running: number }): void {
  server.tool(
    "ask",
    { description: "Asks twice.", input: z.object({ about: z.string() }), timeout: "2s" },
    async (args, ctx) => {
      given("ask", args, typeof args.about === "string");
      await ctx.once("secret", () => CANARY);
      const first = await ctx.elicit("Sure?", Sure, { key: "first" });
      if (first.action !== "accept") return first.action;
      given("ask", first, typeof first.content.sure === "boolean");
      const second = await ctx.elicit(`Really, about ${args.about.slice(0, 40)}?`, Sure);
      return second.action;
    },
  );
  server.tool(
    "consult",
    { description: "Asks the model and for roots.", timeout: "2s" },
    async (_args, ctx) => {
      const messages = [{ role: "user", content: text("A colour?") }] as const;
      const [answer, roots] = await Promise.all([ctx.sample({ messages, maxTokens: 9 }), ctx.roots()]);
      given("consult", answer, typeof answer.model === "string");
      return roots.length;
    },
  );
  server.tool(
    "report",
    { description: "Tells how far it is.", input: z.object({ steps: z.int().min(0).max(5).default(2) }) },
    async ({ steps }, ctx) => {
      given("report", steps, steps >= 0 && steps <= 5);
      for (let step = 1; step <= steps; step++) ctx.progress(step, steps, "on");
      ctx.log("warning", { steps }, "fuzz");
      await sleep(0);
      return "reported";
    },
  );
  server.tool("wait", { description: "Takes too long.", timeout: "30ms" }, async (_args, { signal }) => {
    handlers.running++;
    try {
      await sleep(10_000, undefined, { signal });
      return "never";
    } finally {
      handlers.running--;
    }
  });
  server.tool("touch", { description: "Says that something has changed." }, () => {
    server.notify.resourceUpdated("fuzz://text");
    return "touched";
  });
}
