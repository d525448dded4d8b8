/** The public surface has no `any`, and running and mounting fit what they are used with. Never run. */

import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import express from "express";
import type * as gantry from "gantry-mcp";
import type * as testing from "gantry-mcp/testing";
import { Hono } from "hono";
import { MCPServer, type RunningServer, ToolError, verifyAudit } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { type IsAny, type Same, exactly, holds } from "./assertions.ts";

// ── no any ──

/** Whether `any` stands anywhere in a type, as far as three steps into it. */
type HasAny<T, Steps extends unknown[] = [1, 1, 1]> =
  IsAny<T> extends true
    ? true
    : Steps extends [unknown, ...infer Fewer]
      ? true extends Inside<T, Fewer>
        ? true
        : false
      : false;

/** What the platform defines is not ours to judge. */
type Platform = AbortSignal | Request | Response | Uint8Array;

type Inside<T, Steps extends unknown[]> = T extends Platform
  ? false
  : T extends Promise<infer R>
    ? HasAny<R, Steps>
    : T extends readonly (infer E)[]
      ? HasAny<E, Steps>
      :
          | (T extends abstract new (...args: infer P) => infer I
              ? HasAny<P[number], Steps> | Members<I, Steps>
              : never)
          | (T extends (...args: infer P) => infer R ? HasAny<P[number], Steps> | HasAny<R, Steps> : never)
          | (T extends object ? Members<T, Steps> : never);

type Members<T, Steps extends unknown[]> = {
  [K in Exclude<keyof T, keyof ErrorConstructor>]-?: HasAny<T[K], Steps>;
}[Exclude<keyof T, keyof ErrorConstructor>];

/** The names of a module whose types hold an `any`. */
type WithAny<Module> = { [K in keyof Module]: HasAny<Module[K]> extends false ? never : K }[keyof Module];

holds<Same<HasAny<{ deep: { a: any } }>, true>>();
holds<Same<HasAny<(a: any) => void>, true>>();
holds<Same<HasAny<new (a: any) => object>, true>>();
holds<Same<HasAny<{ a: unknown; b: string[] }>, false>>();

holds<Same<WithAny<typeof gantry>, never>>();
holds<Same<WithAny<typeof testing>, never>>();

/** The types that users name, by the same measure. */
holds<
  Same<
    HasAny<
      | gantry.MCPServerOptions
      | gantry.RunHttpOptions
      | gantry.RunStdioOptions
      | gantry.ListeningServer
      | gantry.ToolOptions<undefined, undefined>
      | gantry.ResourceOptions<"id">
      | gantry.PromptOptions<undefined>
      | gantry.RequestContext
      | gantry.Middleware
      | gantry.Completer
      | gantry.Logger
      | gantry.ErrorBody
    >,
    false
  >
>();

// ── running ──

const server = new MCPServer({ name: "types", version: "1.0.0" });

export async function running(): Promise<void> {
  const { url, port, close } = await server.run({
    transport: "http",
    port: 0,
    shutdown: { notice: "5s", limit: 10_000 },
  });
  exactly<string>()(url);
  exactly<number>()(port);
  await close();

  const stdio = await server.run({ transport: "stdio" });
  exactly<RunningServer>()(stdio);
  // @ts-expect-error -- stdio has no port
  exactly<number>()(stdio.port);
  // @ts-expect-error -- stdio has no port
  await server.run({ transport: "stdio", port: 8080 });
  // @ts-expect-error -- http or stdio
  await server.run({ transport: "sse" });
  // @ts-expect-error -- which?
  await server.run({});
}

// @ts-expect-error -- a version is required
export const unversioned = new MCPServer({ name: "types" });

// ── mounting ──

createServer(server.node);
createServer((request: IncomingMessage, response: ServerResponse) => server.node(request, response));
express().all("/mcp", server.node).use("/mcp", server.node);
new Hono().all("/mcp", (c) => server.fetch(c.req.raw));
new Hono().all("/mcp", (c) => server.fetch(c.req.raw, c.env));
// @ts-expect-error -- a web-standard request is none of node's
server.node(new Request("http://localhost/mcp"), new Response());

// ── what is done once ──

server.tool("once", { description: "Does it once." }, async (_args, ctx) => {
  exactly<string>()(await ctx.once("now", () => new Date()));
  exactly<null>()(await ctx.once("sent", () => {}));
  exactly<unknown>()(await ctx.once("any", (): unknown => 1));
  const order = {
    id: 7n,
    at: new Date(),
    items: [{ bytes: new Uint8Array(), tags: new Set(["a"]) }],
    by: new Map([["a", 1]]),
    state: "open" as "open" | "closed",
    note: undefined as string | undefined,
  };
  const kept = await ctx.once("order", async () => order);
  exactly<string>()(kept.id);
  exactly<string>()(kept.at);
  exactly<{ bytes: string; tags: readonly string[] }[]>()(kept.items);
  exactly<{ readonly [key: string]: number }>()(kept.by);
  exactly<"open" | "closed">()(kept.state);
  exactly<string | null>()(kept.note);
  // @ts-expect-error -- a date is its text
  kept.at.getTime();
});

// ── middleware, errors, tests ──

server.use(async (ctx, next) => {
  exactly<"tool" | "resource" | "prompt" | "completion" | "list" | "discover" | "subscription">()(
    ctx.operation.kind,
  );
  return await next();
});
// @ts-expect-error -- what a context knows of its request is not to be changed
server.use((ctx, next) => ((ctx.requestId = "mine"), next()));

export const refusal = new ToolError("No.", { code: "MY_OWN", retryable: true, details: { any: "fact" } });
// @ts-expect-error -- details are an object
export const malformed = new ToolError("No.", { details: "fact" });

server.remove({ tool: "a" }).disable({ tag: "b" }).enable({ prompt: "c" });
// @ts-expect-error -- what kind?
server.remove("a");

export async function inTests(): Promise<void> {
  const client = await TestClient.connect(server, { era: "2025-11-25" });
  exactly<unknown>()(await client.call("tool"));
  // @ts-expect-error -- no such revision
  await TestClient.connect(server, { era: "2024-11-05" });
}

// ── what an audit log came to ──

const verified = await verifyAudit({ file: "./audit.jsonl" });
if (!verified.ok) exactly<number>()(verified.problem.line);
else exactly<undefined>()(verified.problem);
