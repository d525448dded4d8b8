/** What resources and prompts infer. Checked by the compiler; never run. */

import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { MCPServer, type TemplateParams, assistant, embed, jsonSchema, user } from "gantry-mcp";
import * as v from "valibot";
import { z } from "zod";
import { type Same, exactly, holds } from "./assertions.ts";

const server = new MCPServer({ name: "types", version: "1.0.0" });
const description = "d";
const name = "n";

// ── variables of a template ──

holds<Same<TemplateParams<"tasks://{task_id}">, { task_id: string }>>();
holds<Same<TemplateParams<"files://{+path}">, { path: string }>>();
holds<Same<TemplateParams<"files://{/path*}">, { path: string }>>();
holds<
  Same<TemplateParams<"repos://{owner}/{repo}/{+path}">, { owner: string; repo: string; path: string }>
>();
type Variables<U extends string> = keyof TemplateParams<U>;
holds<Same<Variables<"config://app">, never>>();
holds<Same<Variables<"a://{b}/{c}">, "b" | "c">>();

server.resource("tasks://{task_id}/comments/{+path}", { name, description }, ({ task_id, path }, ctx) => {
  exactly<string>()(task_id);
  exactly<string>()(path);
  return ctx.requestId;
});

// @ts-expect-error -- the template has no such variable
server.resource("tasks://{task_id}", { name, description }, ({ nope }) => nope);
// @ts-expect-error -- a fixed URI has no variables
server.resource("config://app", { name, description }, ({ task_id }) => task_id);
server.resource("tasks://{task_id}", { name, description }, ({ task_id }) => {
  // @ts-expect-error -- variables are strings
  task_id.toFixed();
});

server.resource("config://app", { name, description, mimeType: "application/json" }, () => ({
  any: "value",
}));
server.resource("config://bytes", { name, description, size: 4 }, () => new Uint8Array(4));
server.resource("config://later", { name, description }, async () => Promise.resolve("later"));
server.resource("config://many", { name, description }, () => [embed({ uri: "config://a", text: "a" })]);

// ── completion of variables ──

server.resource(
  "repos://{owner}/{repo}",
  {
    name,
    description,
    complete: {
      owner: ["ada", "grace"],
      repo: async (value, ctx, others) => {
        exactly<string>()(value);
        exactly<string>()(ctx.requestId);
        exactly<Readonly<Record<string, string>>>()(others);
        return [`${others["owner"] ?? "nobody"}/${value}`];
      },
    },
  },
  ({ owner, repo }) => owner + repo,
);

server.resource(
  "tasks://{task_id}",
  // @ts-expect-error -- the template has no such variable
  { name, description, complete: { id: ["1"] } },
  () => "",
);
server.resource(
  "config://app",
  // @ts-expect-error -- a fixed URI has nothing to complete
  { name, description, complete: { app: ["1"] } },
  () => "",
);
server.resource(
  "tasks://{task_id}",
  // @ts-expect-error -- values are strings
  { name, description, complete: { task_id: [1] } },
  () => "",
);

// ── what must be there ──

// @ts-expect-error -- a name is required
server.resource("config://app", { description }, () => "");
// @ts-expect-error -- a description is required
server.resource("config://app", { name }, () => "");
// @ts-expect-error -- a handler is required
server.resource("config://app", { name, description });
// @ts-expect-error -- a resource takes no input
server.resource("config://app", { name, description, input: z.object({}) }, () => "");

// ── prompts ──

server.prompt("none", { description }, (args) => {
  exactly<Record<string, never>>()(args);
  return "Hello.";
});

server.prompt(
  "zod",
  {
    description,
    input: z.object({
      project: z.string(),
      status: z.enum(["open", "done"]).default("open"),
      days: z.coerce.number(),
    }),
    complete: { project: ["apollo"], days: (value) => [value] },
  },
  ({ project, status, days }) => {
    exactly<string>()(project);
    exactly<"open" | "done">()(status);
    exactly<number>()(days);
    return [user(project), assistant(status), user(String(days))];
  },
);

server.prompt(
  "valibot",
  { description, input: toStandardJsonSchema(v.object({ path: v.string() })), complete: { path: [] } },
  async ({ path }) => Promise.resolve(path),
);

server.prompt(
  "plain",
  {
    description,
    input: jsonSchema<{ path: string }>({ type: "object", properties: { path: { type: "string" } } }),
    complete: { path: ["src"] },
  },
  ({ path }) => path,
);

server.prompt(
  "unknown completer",
  // @ts-expect-error -- there is no such argument
  { description, input: z.object({ project: z.string() }), complete: { nope: ["1"] } },
  () => "",
);
server.prompt(
  "completer without input",
  // @ts-expect-error -- there are no arguments
  { description, complete: { project: ["1"] } },
  () => "",
);
// @ts-expect-error -- there is no such argument
server.prompt("unknown argument", { description, input: z.object({ a: z.string() }) }, ({ b }) => b);
// @ts-expect-error -- a description is required
server.prompt("no description", { input: z.object({ a: z.string() }) }, ({ a }) => a);
// @ts-expect-error -- raw valibot gives no JSON Schema: toStandardJsonSchema(…) does
server.prompt("raw valibot", { description, input: v.object({ a: v.string() }) }, () => "");
