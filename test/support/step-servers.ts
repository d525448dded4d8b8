import {
  MCPError,
  MCPServer,
  type MCPServerOptions,
  PromptError,
  ResourceError,
  ToolError,
  assistant,
  audio,
  embed,
  image,
  jsonSchema,
  link,
  text,
  user,
} from "gantry-mcp";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";

/** The servers of the guide's first three steps, by number. */
export type Step = 1 | 2 | 3;

export type Extra = Partial<MCPServerOptions>;

export function stepServer(step: Step, extra: Extra = {}): MCPServer {
  return [stepOne, stepTwo, stepThree][step - 1]!(extra);
}

export const TASKS = [
  { id: "1", title: "Review PR", status: "open" },
  { id: "2", title: "Deploy v2", status: "done" },
];

/** Step 1 of the guide, to the letter. */
function stepOne(extra: Extra): MCPServer {
  return new MCPServer({ name: "task-api", version: "1.0.0", ...extra })
    .tool(
      "list_tasks",
      {
        description: "List tasks, optionally filtered by status.",
        input: z.object({ status: z.string().default("all") }),
      },
      async ({ status }) => TASKS.filter((task) => status === "all" || task.status === status),
    )
    .tool(
      "create_task",
      {
        description: "Create a new task.",
        input: z.object({ title: z.string(), assignee: z.string().default("") }),
      },
      ({ title, assignee }) => ({ id: "3", title, assignee, status: "open" }),
    );
}

const TaskCreate = z.object({
  title: z.string().min(1).max(200).describe("Task title"),
  description: z.string().default("").describe("Detailed description"),
  priority: z.int().min(1).max(5).default(3).describe("Priority 1-5"),
  tags: z.array(z.string()).default([]).describe("Tags"),
});

const TaskUpdate = z.object({
  title: z.string().nullable().default(null),
  status: z
    .string()
    .regex(/^(open|in_progress|done)$/)
    .nullable()
    .default(null),
  priority: z.int().min(1).max(5).nullable().default(null),
});

const Folder = z.object({
  name: z.string(),
  get folders() {
    return z.array(Folder).default([]);
  },
});

/** Step 2: nested models, and the same task in each kind of schema. */
function stepTwo(extra: Extra): MCPServer {
  return new MCPServer({ name: "task-api", version: "1.0.0", ...extra })
    .tool(
      "create_task",
      {
        description: "Create a task with validated fields.",
        input: z.object({ task: TaskCreate }),
        tags: ["tasks", "write"],
      },
      ({ task }) => ({ id: "new-1", ...task }),
    )
    .tool(
      "update_task",
      {
        description: "Update the fields that are given.",
        input: z.object({ task_id: z.string(), updates: TaskUpdate }),
        tags: ["tasks", "write"],
      },
      ({ task_id, updates }) => ({
        id: task_id,
        updated: Object.fromEntries(Object.entries(updates).filter(([, value]) => value !== null)),
      }),
    )
    .tool(
      "create_task_strict",
      {
        description: "Create a task, refusing what it does not know.",
        input: z.strictObject({ task: z.strictObject(TaskCreate.shape) }),
      },
      ({ task }) => task,
    )
    .tool(
      "create_task_refusing",
      {
        description: "Create a task, naming the nearest known argument.",
        input: z.object({ task: TaskCreate }),
        unknownArguments: "refuse",
      },
      ({ task }) => task,
    )
    .tool(
      "create_task_lax",
      {
        description: "Create a task, taking numbers as text.",
        input: z.object({ priority: z.coerce.number() }),
      },
      ({ priority }) => ({ priority }),
    )
    .tool(
      "create_task_valibot",
      {
        description: "Create a task described with Valibot.",
        input: toStandardJsonSchema(
          v.object({
            title: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
            priority: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5)), 3),
          }),
        ),
      },
      (task) => task,
    )
    .tool(
      "create_task_arktype",
      {
        description: "Create a task described with ArkType.",
        input: type({ title: "1 <= string <= 200", priority: "1 <= number.integer <= 5 = 3" }),
      },
      (task) => task,
    )
    .tool(
      "create_task_json_schema",
      {
        description: "Create a task described with plain JSON Schema.",
        input: jsonSchema<{ title: string; priority: number }>({
          type: "object",
          properties: {
            title: { type: "string", minLength: 1, maxLength: 200 },
            priority: { type: "integer", minimum: 1, maximum: 5, default: 3 },
          },
          required: ["title"],
        }),
      },
      (task) => task,
    )
    .tool(
      "count_folders",
      { description: "Count folders, however deep.", input: z.object({ folder: Folder }) },
      ({ folder }) => {
        const count = ({ folders }: z.infer<typeof Folder>): number =>
          folders.reduce((sum, inner) => sum + count(inner), 1);
        return count(folder);
      },
    );
}

export const ICON = { src: "https://example.com/icon.png", mimeType: "image/png", sizes: ["48x48"] };
export const INSTRUCTIONS = "List the tasks before you create one.";

/** Bytes that are no UTF-8. */
export const BYTES: Uint8Array = Uint8Array.of(0, 1, 2, 253, 254, 255);
export const BASE64 = "AAEC/f7/";

class Money {
  readonly #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  toJSON(): string {
    return (this.#cents / 100).toFixed(2);
  }
}

const RENDERINGS: Readonly<Record<string, () => unknown>> = {
  text: () => 'plain "text" ✓',
  empty: () => "",
  number: () => 1.5,
  boolean: () => false,
  undefined: () => undefined,
  null: () => null,
  array: () => [1, "two", null],
  "empty array": () => [],
  object: () => ({ a: { b: [true] }, left: undefined }),
  date: () => ({ at: new Date("2026-03-10T12:00:00.500Z") }),
  bigint: () => ({ n: 2n ** 70n }),
  map: () =>
    new Map<unknown, unknown>([
      ["a", 1],
      [2, new Set(["x"])],
    ]),
  bytes: () => ({ raw: BYTES }),
  class: () => ({ price: new Money(1250) }),
  cycle: () => {
    const value: { self?: unknown } = {};
    value.self = value;
    return value;
  },
  function: () => ({ call: () => 1 }),
  symbol: () => Symbol("secret"),
};

const CONTENT: Readonly<Record<string, () => unknown>> = {
  text: () => text("hello", { annotations: { audience: ["user"], priority: 0.5 } }),
  image: () => image(BYTES, "image/png"),
  audio: () => audio(BYTES, "audio/wav"),
  link: () => link({ uri: "config://app", name: "app_config", mimeType: "application/json" }),
  "embedded text": () => embed({ uri: "note://1", mimeType: "text/markdown", text: "# Note" }),
  "embedded bytes": () => embed({ uri: "blob://1", blob: BYTES }),
  mixed: () => ["A chart:", image(BASE64, "image/png"), { rows: 3 }],
};

const Page = z.object({ total: z.int(), items: z.array(z.string()), note: z.string().default("none") });

/** Step 3: resources and prompts, and everything that results and errors can be. */
function stepThree(extra: Extra): MCPServer {
  const server = new MCPServer({
    name: "task-api",
    version: "1.0.0",
    title: "Task API ✓",
    description: "Tasks, for tests.",
    websiteUrl: "https://example.com/tasks",
    icons: [ICON],
    instructions: INSTRUCTIONS,
    pageSize: 4,
    ...extra,
  });
  addResources(server);
  addPrompts(server);
  addResults(server);
  addErrors(server);
  addChanges(server);
  return server;
}

function addResources(server: MCPServer): void {
  const json = { mimeType: "application/json" };
  server
    .resource(
      "config://app",
      {
        name: "app_config",
        title: "App configuration",
        description: "Application configuration.",
        icons: [ICON],
        size: 49,
        annotations: { audience: ["assistant"], priority: 1 },
        ...json,
      },
      () => ({ version: "1.0.0", environment: "production" }),
    )
    .resource(
      "tasks://{task_id}",
      {
        name: "task_detail",
        description: "Get task details by ID.",
        complete: { task_id: ["10", "11", "20"] },
        ...json,
      },
      ({ task_id }) => (task_id === "gone" ? undefined : { id: task_id, title: `Task ${task_id}` }),
    )
    .resource("tasks://first", { name: "first_task", description: "The first task.", ...json }, () => ({
      static: true,
    }))
    .resource(
      "projects://{project}/files/{+path}",
      {
        name: "file",
        description: "A file of a project.",
        complete: {
          path: (value, _ctx, { project }) => [`${project}/${value}a`, `${project}/${value}b`],
        },
      },
      ({ project, path }) => ({ project, path }),
    )
    .resource(
      "projects://{project}/files/readme",
      { name: "readme", description: "The readme of a project.", ...json },
      ({ project }) => ({ readme: project }),
    )
    .resource(
      "tree://root{/path*}",
      { name: "tree", description: "A path below the root." },
      ({ path }) => path,
    )
    .resource("text://plain", { name: "plain", description: "Plain text." }, () => "naïve – 文字 🎉")
    .resource("blob://bytes", { name: "bytes", description: "Bytes." }, () => BYTES)
    .resource("parts://two", { name: "parts", description: "Two parts." }, () => [
      embed({ uri: "parts://two#1", text: "one" }),
      embed({ uri: "parts://two#2", mimeType: "image/png", blob: BYTES }),
    ])
    .resource("cafe://%E2%9C%93/menu", { name: "Menü", description: "Menu ✓." }, () => "Käse")
    .resource("fails://refused", { name: "refused", description: "Refuses." }, () => {
      throw new ResourceError("The archive is closed on Sundays");
    })
    .resource("fails://broken", { name: "broken", description: "Breaks." }, () => {
      throw new Error("secret resource password");
    });
}

function addPrompts(server: MCPServer): void {
  server
    .prompt(
      "task_summary",
      {
        description: "Generate a prompt to summarize tasks for a project.",
        input: z.object({ project: z.string(), status: z.string().default("all") }),
        complete: { project: (value) => ["apollo", "artemis", "gemini"].filter((p) => p.startsWith(value)) },
      },
      ({ project, status }) => `Summarize all ${status} tasks for project ${project}.`,
    )
    .prompt(
      "dialogue",
      {
        title: "A dialogue",
        description: "Several messages.",
        icons: [ICON],
        input: z.object({ tone: z.enum(["kind", "keen", "stern"]) }),
      },
      ({ tone }) => [`Be ${tone}.`, assistant("I will."), user(image(BYTES, "image/png"))],
    )
    .prompt("fixed", { description: "No arguments." }, () => text("Go."))
    .prompt("refused_prompt", { description: "Refuses." }, () => {
      throw new PromptError("Nothing to plan");
    })
    .prompt("broken_prompt", { description: "Breaks." }, () => {
      throw new Error("secret prompt password");
    });
}

function addResults(server: MCPServer): void {
  server
    .tool(
      "render",
      { description: "Returns a value of a kind.", input: z.object({ kind: z.string() }) },
      ({ kind }) => RENDERINGS[kind]?.(),
    )
    .tool(
      "content",
      { description: "Returns content of a kind.", input: z.object({ kind: z.string() }) },
      async ({ kind }) => CONTENT[kind]?.(),
    )
    .tool("structured", { description: "An object as output.", output: Page }, () => ({
      total: 2,
      items: ["a", "ü"],
    }))
    .tool("structured_list", { description: "A list as output.", output: z.array(z.int()) }, () => [1, 2, 3])
    .tool("structured_text", { description: "Text as output.", output: { type: "string" } }, () => "abc")
    .tool(
      "structured_null",
      { description: "Perhaps nothing as output.", output: z.string().nullable() },
      () => null,
    )
    .tool(
      "structured_date",
      {
        description: "Rendered, then sent.",
        output: { type: "object", properties: { at: {}, n: {} }, required: ["at"] },
      },
      () => ({ at: new Date(0), n: 7n }),
    )
    .tool(
      "structured_wrong",
      {
        description: "Breaks its promise.",
        output: jsonSchema<object>({ type: "object", required: ["total"] }),
      },
      () => ({ secret: "output password" }),
    )
    .tool(
      "echo",
      { description: "Gives back what it got.", input: { type: "object", properties: { value: {} } } },
      ({ value }) => ({ value }),
    )
    .tool(
      "annotated",
      {
        title: "Annotated ✓",
        description: "Has everything a list can show: ünïcödé 🎉.",
        icons: [ICON],
        annotations: {
          readOnlyHint: true,
          destructiveHint: false,
          idempotentHint: true,
          openWorldHint: false,
        },
        _meta: { "example.com/team": "blue" },
      },
      () => "ok",
    )
    .tool("whoami", { description: "What the handler knows of the request." }, (_args, ctx) => ({
      protocolVersion: ctx.protocolVersion,
      clientName: ctx.clientInfo?.name ?? null,
      requestId: ctx.requestId,
      aborted: ctx.signal.aborted,
      operation: ctx.operation,
    }));
}

function addErrors(server: MCPServer): void {
  const failures: Readonly<Record<string, () => unknown>> = {
    "tool error": () => {
      throw new ToolError("Task 7 is already done", {
        suggestion: "Reopen it first.",
        details: { task: 7 },
      });
    },
    "own code": () => {
      throw new MCPError("The archive is being rebuilt", { code: "ARCHIVE_BUSY", retryable: true });
    },
    error: () => {
      throw new Error("secret password 1", { cause: new Error("deeper secret 2") });
    },
    rejection: () => Promise.reject(new TypeError("secret password 3")),
    text: () => {
      // eslint-disable-next-line typescript/only-throw-error -- handlers do throw such things
      throw "secret password 4";
    },
    nothing: () => {
      // eslint-disable-next-line typescript/only-throw-error -- handlers do throw such things
      throw undefined;
    },
  };
  server
    .tool("fail", { description: "Fails in a way.", input: z.object({ how: z.string() }) }, ({ how }) =>
      failures[how]?.(),
    )
    .tool(
      "slow",
      { description: "Takes longer than it may.", timeout: "50ms" },
      (_args, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve("late"), { once: true });
        }),
    );
}

function addChanges(server: MCPServer): void {
  const added = () => server.tool("added", { description: "Added after the start." }, () => "added");
  const changes: Readonly<Record<string, () => unknown>> = {
    add: added,
    "disable tool": () => server.disable({ tool: "added" }),
    "enable tool": () => server.enable({ tool: "added" }),
    "remove tool": () => server.remove({ tool: "added" }),
    "disable tag": () => server.disable({ tag: "switchable" }),
    "enable tag": () => server.enable({ tag: "switchable" }),
  };
  const tags = ["switchable"];
  server
    .tool(
      "change",
      { description: "Changes the server.", input: z.object({ what: z.string() }) },
      ({ what }) => {
        changes[what]?.();
        return "changed";
      },
    )
    .tool("switchable_tool", { description: "Can be switched.", tags }, () => "on")
    .resource("switchable://one", { name: "switchable", description: "Can be switched.", tags }, () => "on")
    .resource("switched://{id}", { name: "switched", description: "Can be switched.", tags }, () => "on")
    .prompt("switchable_prompt", { description: "Can be switched.", tags }, () => "on");
}
