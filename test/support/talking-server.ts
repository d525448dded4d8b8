/** A server that does everything a server may do besides answering: asks, reports, logs, is cancelled, changes. */

import { MCPServer, type MCPServerOptions, type RequestContext, text } from "gantry-mcp";
import { z } from "zod";

export const WATCHED = "board://status";

const Confirm = z.object({ confirm: z.boolean().describe("Go on?") });

/** What handlers did, for tests to read: over stdio they run in another process. */
export type Journal = string[];

export function talkingServer(extra: Partial<MCPServerOptions> = {}, journal: Journal = []): MCPServer {
  const server = new MCPServer({ name: "talking", version: "1.0.0", ...extra });
  server.tool("journal", { description: "Tells what happened since it was last asked." }, () =>
    journal.splice(0),
  );
  addQuestions(server, journal);
  addReports(server, journal);
  addChanges(server);
  return server;
}

function addQuestions(server: MCPServer, journal: Journal): void {
  server.tool(
    "deploy",
    { description: "Asks three things, one after the other.", input: z.object({ service: z.string() }) },
    async ({ service }, ctx) => {
      journal.push("deploy runs");
      const where = await ctx.elicit(
        `Where to deploy ${service}?`,
        z.object({
          environment: z.enum(["staging", "production"]),
          replicas: z.int().min(1).max(9).default(2),
        }),
      );
      if (where.action !== "accept") return `Not deployed: ${where.action}.`;
      const { environment, replicas } = where.content;
      const sure = await ctx.elicit(`Deploy ${service} to ${environment}?`, Confirm);
      if (sure.action !== "accept" || !sure.content.confirm) return `Not deployed: ${sure.action}.`;
      const note = await ctx.elicit(
        "Anything to note?",
        z.object({ note: z.string().max(20).optional(), tags: z.array(z.enum(["hot", "safe"])).optional() }),
      );
      return { service, environment, replicas, note: note.action === "accept" ? note.content : note.action };
    },
  );
  server.tool("ask_all", { description: "Asks everything at once." }, async (_args, ctx) => {
    const [colour, size, poem, roots] = await Promise.all([
      ctx.elicit("Which colour?", z.object({ colour: z.string() })),
      ctx.elicit("Which size?", z.object({ size: z.number() })),
      ctx.sample({
        messages: [{ role: "user", content: text("A poem about streams") }],
        systemPrompt: "You are a poet.",
        maxTokens: 50,
      }),
      ctx.roots(),
    ]);
    return { colour, size, poem, roots };
  });
  server.tool("sign_in", { description: "Sends the user to a page." }, async (_args, ctx) =>
    ctx.elicitUrl("Sign in with the bank", "https://bank.example.com/connect?flow=7"),
  );
  server.tool("compose", { description: "Asks the model." }, async (_args, ctx) =>
    ctx.sample({ messages: [{ role: "user", content: text("Name a colour") }], maxTokens: 10 }),
  );
  server.tool("list_roots", { description: "Asks for the roots." }, async (_args, ctx) => ctx.roots());
  server.tool("charge", { description: "Charges once, then asks twice." }, async (_args, ctx) => {
    const receipt = await ctx.once("charge", async () => {
      journal.push("charged");
      return { id: "r-1", amount: 12.5 };
    });
    const first = await ctx.elicit("Send the receipt?", Confirm);
    const second = await ctx.elicit("Really?", Confirm);
    return { receipt, first: first.action, second: second.action };
  });
  server.tool("careful", { description: "Catches whatever is thrown." }, async (_args, ctx) => {
    try {
      const answer = await ctx.elicit("Still there?", Confirm);
      return { answer: answer.action };
    } catch (error) {
      journal.push(`caught ${(error as Error).name}`);
      return "swallowed";
    } finally {
      journal.push("finally");
    }
  });
  server.tool(
    "patient",
    { description: "Its user may take longer than its time limit.", timeout: "300ms" },
    async (_args, ctx) => (await ctx.elicit("Take your time?", Confirm)).action,
  );
  server.prompt(
    "briefing",
    { description: "Asks whom it is for.", input: z.object({ topic: z.string() }) },
    async ({ topic }, ctx) => {
      const reader = await ctx.elicit("Who reads it?", z.object({ reader: z.string() }));
      return reader.action === "accept" ? `Brief ${reader.content.reader} on ${topic}.` : "Nobody reads it.";
    },
  );
  server.resource(
    "report://{day}",
    {
      name: "report",
      description: "Asks for the unit.",
      complete: { day: async (_value, ctx) => [(await ctx.elicit("Which day?", Confirm)).action] },
    },
    async ({ day }, ctx) => {
      const unit = await ctx.elicit("Which unit?", z.object({ unit: z.enum(["km", "mi"]) }));
      return unit.action === "accept" ? { day, unit: unit.content.unit } : { day };
    },
  );
}

function addReports(server: MCPServer, journal: Journal): void {
  server.tool(
    "work",
    { description: "Reports progress.", input: z.object({ steps: z.int().default(3) }) },
    async ({ steps }, ctx) => {
      for (let step = 1; step <= steps; step++) {
        ctx.progress(step, steps, `Step ${step}`);
        // Progress that does not grow is not progress.
        ctx.progress(step, steps, "again");
        await pause(5);
      }
      await pause(30);
      return "worked";
    },
  );
  server.tool("chat", { description: "Logs at every level." }, (_args, ctx) => {
    ctx.log("debug", "details");
    ctx.log("info", { event: "started" }, "chat");
    ctx.log("warning", ["low", "disk"]);
    ctx.log("emergency", "the end");
    return "logged";
  });
  server.tool("flood", { description: "Speaks without pause." }, async (_args, ctx) => {
    for (let done = 1; done <= 500; done++) ctx.progress(done, 500);
    await pause(30);
    return "flooded";
  });
  server.tool("loop", { description: "Logs what cannot be sent." }, (_args, ctx) => {
    const ring: Record<string, unknown> = { secret: "in the ring" };
    ring["self"] = ring;
    ctx.log("error", ring);
    ctx.log("error", () => ring);
    return "logged";
  });
  server.tool("late", { description: "Speaks after its answer." }, (_args, ctx) => {
    setTimeout(() => {
      ctx.progress(1, 2, "too late");
      ctx.log("error", "too late");
    }, 30);
    return "answered";
  });
  server.tool("wait", { description: "Waits until it is cancelled." }, async (_args, ctx) => {
    journal.push("waiting");
    return await untilAborted(ctx, journal);
  });
  server.tool("quick", { description: "Watches its signal, and ends." }, async (_args, ctx) => {
    ctx.signal.addEventListener("abort", () => journal.push("aborted after success"));
    await pause(1);
    return "done";
  });
}

function addChanges(server: MCPServer): void {
  server.resource(WATCHED, { name: "status", description: "Changes now and then." }, () => ({
    status: "green",
  }));
  server.resource(
    "kept://it",
    { name: "kept", description: "May be kept for a while.", cacheHint: { ttl: "1h" } },
    () => "kept",
  );
  server.tool("touch", { description: "Says that the board has changed." }, () => {
    server.notify.resourceUpdated(WATCHED);
    server.notify.resourceUpdated("board://other");
  });
  server.tool("extra", { description: "Comes and goes." }, () => "here");
  server.prompt("extra", { description: "Comes and goes." }, () => "here");
  server.tool("toggle", { description: "Changes much in one go." }, () => {
    server
      .disable({ tool: "extra" })
      .enable({ tool: "extra" })
      .disable({ prompt: "extra" })
      .enable({ prompt: "extra" });
    server.resource("board://new", { name: "new", description: "New." }, () => "new");
    server.remove({ resource: "board://new" });
  });
}

function untilAborted(ctx: RequestContext, journal: Journal): Promise<never> {
  return new Promise((_resolve, reject) => {
    ctx.signal.addEventListener("abort", () => {
      journal.push(`aborted: ${(ctx.signal.reason as Error).message}`);
      reject(ctx.signal.reason as Error);
    });
  });
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
