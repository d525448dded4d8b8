import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ToolAnnotations } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { seed } from "../../examples/task-api/seed.ts";
import { type Comment, type Task, TaskCreate } from "../../examples/task-api/schemas.ts";
import type { TaskDetail, TaskPage } from "../../examples/task-api/schemas.ts";
import { taskServer } from "../../examples/task-api/server.ts";
import { TaskStore } from "../../examples/task-api/store.ts";

describe.each(["2026-07-28", "2025-11-25"] as const)("the Task API, revision %s", (era) => {
  let directory: string;
  let store: TaskStore;
  let client: TestClient;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "task-api-"));
    store = await TaskStore.open(directory, () => new Date("2026-03-10T12:00:00Z"));
    client = await TestClient.connect(taskServer(store), { era });
  });

  afterEach(async () => {
    await client.close();
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const call = async <T>(name: string, args: Record<string, unknown> = {}) =>
    (await client.call(name, args)) as T;
  const create = (task: Record<string, unknown>) => call<Task>("create_task", { task });
  const refusal = async (name: string, args: Record<string, unknown>) => {
    const result = await client.callTool(name, args);
    expect(result.isError).toBe(true);
    return JSON.parse((result.content[0] as { text: string }).text).error;
  };

  test("offers nine tools, each with title, hints and both schemas", async () => {
    const tools = await client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual([
      "create_task",
      "list_tasks",
      "get_task",
      "update_task",
      "complete_task",
      "delete_task",
      "add_comment",
      "tag_task",
      "task_stats",
    ]);
    for (const tool of tools) {
      expect(tool).toMatchObject({
        title: expect.any(String),
        annotations: { readOnlyHint: expect.any(Boolean), openWorldHint: false },
        inputSchema: { type: "object" },
        outputSchema: { type: "object" },
      });
      expect(JSON.stringify(tool)).not.toContain("$ref");
    }
    const hinted = (hint: "readOnlyHint" | "destructiveHint") =>
      tools.filter(({ annotations }) => (annotations as ToolAnnotations)[hint]).map((tool) => tool.name);
    expect(hinted("readOnlyHint")).toEqual(["list_tasks", "get_task", "task_stats"]);
    expect(hinted("destructiveHint")).toEqual(["update_task", "delete_task"]);
  });

  test("advertises a nested task with bounds, defaults and descriptions", async () => {
    const [tool] = await client.listTools();
    expect(tool?.inputSchema).toMatchObject({
      required: ["task"],
      properties: {
        task: {
          type: "object",
          required: ["title"],
          properties: {
            title: { type: "string", minLength: 1, maxLength: 200, description: "Task title" },
            description: { type: "string", default: "", description: "Detailed description" },
            priority: { type: "integer", minimum: 1, maximum: 5, default: 3 },
            tags: { type: "array", items: { type: "string" }, default: [] },
          },
        },
      },
    });
  });

  test("creates, reads, changes, completes and deletes a task", async () => {
    const task = await create({ title: " Ship it ", priority: 5, tags: ["Release"], due_date: "2026-04-01" });
    expect(task).toMatchObject({
      id: "1",
      title: "Ship it",
      status: "open",
      tags: ["release"],
      assignee: null,
    });

    const updated = await call<Task>("update_task", {
      task_id: "1",
      updates: { assignee: "Ana", status: "in_progress" },
    });
    expect(updated).toEqual({ ...task, assignee: "Ana", status: "in_progress" });
    expect(await call("update_task", { task_id: "1", updates: { due_date: null } })).toMatchObject({
      due_date: null,
    });

    const done = await call<Task>("complete_task", { task_id: "1" });
    expect(done).toMatchObject({ status: "done", completed_at: "2026-03-10T12:00:00.000Z" });
    expect(await call("complete_task", { task_id: "1" })).toEqual(done);

    expect(await call("delete_task", { task_id: "1" })).toEqual({ deleted: "1" });
    expect(await refusal("get_task", { task_id: "1" })).toMatchObject({
      code: "TOOL_ERROR",
      message: "Task 1 not found",
      retryable: false,
      suggestion: expect.stringContaining("list_tasks"),
    });
  });

  test("sends a result as text and as structured content alike", async () => {
    const { content, structuredContent } = await client.callTool("create_task", { task: { title: "T" } });
    expect(structuredContent).toMatchObject({ id: "1", title: "T" });
    expect(JSON.parse((content[0] as { text: string }).text)).toEqual(structuredContent);
  });

  test("keeps comments and tags with their task", async () => {
    await create({ title: "T" });
    const comment = await call<Comment>("add_comment", { task_id: "1", text: "On it", author: "Ana" });
    expect(comment).toMatchObject({ id: "1", text: "On it", author: "Ana" });
    expect(await call("tag_task", { task_id: "1", add: ["Bug", "api"] })).toMatchObject({
      tags: ["api", "bug"],
    });
    expect(await call("tag_task", { task_id: "1", remove: ["api"] })).toMatchObject({ tags: ["bug"] });
    expect(await call<TaskDetail>("get_task", { task_id: "1" })).toMatchObject({
      comment_count: 1,
      comments: [comment],
      tags: ["bug"],
    });
  });

  test.each([
    ["get_task", {}],
    ["update_task", { updates: { title: "T" } }],
    ["complete_task", {}],
    ["delete_task", {}],
    ["add_comment", { text: "T" }],
    ["tag_task", { add: ["t"] }],
  ])("%s of no task says so", async (tool, args) => {
    expect(await refusal(tool, { task_id: "9", ...args })).toMatchObject({
      code: "TOOL_ERROR",
      message: "Task 9 not found",
    });
  });

  test.each([
    ["create_task", "task.title", { task: { title: "" } }],
    ["create_task", "task.title", { task: { title: "x".repeat(201) } }],
    ["create_task", "task.priority", { task: { title: "T", priority: 9 } }],
    ["create_task", "task.due_date", { task: { title: "T", due_date: "2026-02-30" } }],
    ["create_task", "task.tags.1", { task: { title: "T", tags: ["ok", ""] } }],
    ["create_task", "task", {}],
    ["update_task", "updates", { task_id: "1", updates: {} }],
    ["update_task", "updates.title", { task_id: "1", updates: { title: null } }],
    ["update_task", "updates.status", { task_id: "1", updates: { status: "zzz" } }],
    ["list_tasks", "limit", { limit: 101 }],
    ["list_tasks", "cursor", { cursor: "made-up" }],
    ["add_comment", "text", { task_id: "1", text: " " }],
  ])("%s is refused for its %s, and nothing is written", async (tool, field, args) => {
    const before = await create({ title: "Before" });
    const error = await refusal(tool, args);
    expect(error.code).toBe("VALIDATION_ERROR");
    expect(Object.keys(error.details.field_errors)).toEqual([field]);
    expect(await call("list_tasks")).toEqual({ tasks: [before], total: 1, next_cursor: null });
  });

  test("names an argument that does not exist", async () => {
    expect(await refusal("list_tasks", { stauts: "open" })).toMatchObject({
      code: "VALIDATION_ERROR",
      message: expect.stringContaining("stauts"),
    });
    expect(await refusal("create_task", { task: { title: "T", due: "2026-04-01" } })).toMatchObject({
      code: "VALIDATION_ERROR",
      message: expect.stringContaining("due"),
    });
    await create({ title: "T" });
    expect(await refusal("update_task", { task_id: "1", updates: { title: "U", priorty: 1 } })).toMatchObject(
      {
        code: "VALIDATION_ERROR",
        details: { field_errors: { "updates.priorty": 'Unknown argument. Did you mean "priority"?' } },
        message: 'Invalid input: updates.priorty: Unknown argument. Did you mean "priority"?',
        suggestion: "Leave out unknown arguments, or correct their names.",
      },
    );
  });

  test("takes an object that came as a JSON string", async () => {
    expect(await call("create_task", { task: '{"title":"From a string"}' })).toMatchObject({
      title: "From a string",
    });
  });

  test("filters, searches, sorts and pages through a list", async () => {
    for (let i = 1; i <= 7; i++) {
      await create({
        title: `Task ${i}`,
        priority: (i % 5) + 1,
        tags: i % 2 ? ["odd"] : [],
        assignee: i < 3 ? "Ana" : null,
      });
    }
    const titles = async (query: Record<string, unknown>) =>
      (await call<TaskPage>("list_tasks", query)).tasks.map(({ title }) => title);
    expect(await titles({ tag: "odd", assignee: "Ana" })).toEqual(["Task 1"]);
    expect(await titles({ search: "task 6" })).toEqual(["Task 6"]);
    expect(await titles({ assignee: null, sort: "priority", order: "desc", limit: 2 })).toEqual([
      "Task 4",
      "Task 3",
    ]);

    const first = await call<TaskPage>("list_tasks", { limit: 3 });
    expect(first).toMatchObject({ total: 7, next_cursor: expect.any(String) });
    await call("delete_task", { task_id: "2" });
    expect(await titles({ limit: 3, cursor: first.next_cursor })).toEqual(["Task 4", "Task 5", "Task 6"]);
  });

  test("counts for the statistics", async () => {
    seed(store);
    expect(await call("task_stats")).toEqual({
      total: 4,
      by_status: { open: 2, in_progress: 1, done: 1 },
      by_priority: { 1: 0, 2: 0, 3: 1, 4: 1, 5: 1 },
      by_assignee: expect.arrayContaining([{ assignee: null, unfinished: 1 }]),
      overdue: 0,
      completed_last_7_days: 1,
    });
  });

  test("looks a list up once, until somebody writes, here or in another process", async () => {
    const lookUps = vi.spyOn(store, "list");
    const total = async () => (await call<TaskPage>("list_tasks")).total;
    expect([await total(), await total(), lookUps.mock.calls.length]).toEqual([0, 0, 1]);
    await create({ title: "Here" });
    expect([await total(), await total(), lookUps.mock.calls.length]).toEqual([1, 1, 2]);
    const other = await TaskStore.open(directory);
    other.create(TaskCreate.parse({ title: "There" }));
    other.close();
    expect([await total(), await total(), lookUps.mock.calls.length]).toEqual([2, 2, 3]);
  });

  test("creates a task once, however often the call is sent again under its name", async () => {
    const sent = await TestClient.connect(taskServer(store), {
      era,
      headers: { "idempotency-key": "deploy" },
    });
    const task = await sent.call("create_task", { task: { title: "Deploy" } });
    expect(await sent.call("create_task", { task: { title: "Deploy" } })).toEqual(task);
    expect(await call("list_tasks")).toMatchObject({ total: 1 });
    await sent.close();
  });

  // Before 2026-07-28 following takes a session, which the Task API has none of.
  const followed = era === "2026-07-28" ? ["tasks://1"] : [];
  test.each(followed)(
    "tells who follows %s of every change to it, and of none that is refused",
    async (uri) => {
      await create({ title: "T" });
      const changes = await client.listen({ resourceSubscriptions: [uri] });
      await refusal("update_task", { task_id: "1", updates: {} });
      await refusal("update_task", { task_id: "2", updates: { title: "U" } });
      for (const [name, args] of [
        ["update_task", { updates: { title: "U" } }],
        ["tag_task", { add: ["t"] }],
        ["add_comment", { text: "C" }],
        ["delete_task", {}],
      ] as const) {
        await call(name, { task_id: "1", ...args });
        expect(await changes.next()).toMatchObject({ params: { uri } });
      }
      await changes.close();
    },
  );

  test("keeps any text whole, from argument to resource", async () => {
    const title = `日本語 👩‍👩‍👧 "quotes" \\ %_ \u2028.`;
    const { id } = await create({ title, description: "á\n\té" });
    const { contents } = await client.readResource(`tasks://${id}`);
    expect(JSON.parse((contents[0] as { text: string }).text)).toMatchObject({
      title,
      description: "á\n\té",
    });
  });

  describe("resources", () => {
    const readJson = async (uri: string) => {
      const { contents } = await client.readResource(uri);
      expect(contents).toMatchObject([{ uri, mimeType: "application/json" }]);
      return JSON.parse((contents[0] as { text: string }).text);
    };

    test("are listed with their names and types", async () => {
      expect(await client.listResources()).toMatchObject([
        {
          uri: "config://app",
          name: "app_config",
          mimeType: "application/json",
          description: "Application configuration.",
        },
        { uri: "tags://all", name: "all_tags", mimeType: "application/json" },
      ]);
      expect(await client.listResourceTemplates()).toMatchObject([
        { uriTemplate: "tasks://{task_id}", name: "task_detail", mimeType: "application/json" },
      ]);
    });

    test("tell the configuration, a task, and the tags", async () => {
      seed(store);
      expect(await readJson("config://app")).toMatchObject({
        version: "1.0.0",
        statuses: ["open", "in_progress", "done"],
      });
      expect(await readJson("tasks://2")).toMatchObject({ id: "2", comments: [{ author: "ana" }] });
      expect((await readJson("tags://all"))[0]).toEqual({ tag: "docs", tasks: 2, unfinished: 1 });
    });

    test("of no task are not found", async () => {
      const code = era === "2025-11-25" ? -32002 : -32602;
      await expect(client.readResource("tasks://9")).rejects.toMatchObject({
        code,
        message: "Task 9 not found",
      });
      await expect(client.readResource("tasks://a/b")).rejects.toMatchObject({ code });
      await expect(client.readResource("nope://x")).rejects.toMatchObject({ code });
    });

    test("complete the ids of tasks", async () => {
      for (let i = 0; i < 12; i++) await create({ title: "T" });
      const { values } = await client.complete(
        { template: "tasks://{task_id}" },
        { name: "task_id", value: "1" },
      );
      expect(values).toEqual(["12", "11", "10", "1"]);
    });
  });

  describe("prompts", () => {
    const textOf = async (name: string, args: Record<string, string>) => {
      const { messages } = await client.getPrompt(name, args);
      expect(messages).toMatchObject([{ role: "user", content: { type: "text" } }]);
      return (messages[0]!.content as { text: string }).text;
    };

    test("are listed with their arguments", async () => {
      expect(await client.listPrompts()).toMatchObject([
        {
          name: "task_summary",
          description: "Generate a prompt to summarize tasks for a project.",
          arguments: [
            { name: "project", required: true },
            { name: "status", required: false },
          ],
        },
        {
          name: "plan_work",
          arguments: [
            { name: "goal", required: true },
            { name: "tag", required: false },
          ],
        },
      ]);
    });

    test("task_summary", async () => {
      expect(await textOf("task_summary", { project: "P", status: "open" })).toBe(
        "Summarize all open tasks for project P.",
      );
      expect(await textOf("task_summary", { project: "P" })).toBe("Summarize all all tasks for project P.");
      await expect(client.getPrompt("task_summary", {})).rejects.toMatchObject({ code: -32602 });
    });

    test("plan_work names the unfinished tasks, the most urgent first", async () => {
      seed(store);
      const text = await textOf("plan_work", { goal: "Ship v2", tag: "Release" });
      expect(text).toContain("goal: Ship v2");
      expect(text).toContain('2 unfinished tasks tagged "release"');
      expect(text).toMatch(/- Task 2: Deploy version 2 \(priority 5, open, ben\)\n- Task 3: /);
      expect(await textOf("plan_work", { goal: "Rest" })).not.toContain("Try Gantry");
      expect(await textOf("plan_work", { goal: "Rest", tag: "nope" })).toContain(
        'There are 0 unfinished tasks tagged "nope"',
      );
    });

    test("complete tags and statuses", async () => {
      seed(store);
      const complete = async (name: string, argument: string, value: string) =>
        (await client.complete({ prompt: name }, { name: argument, value })).values;
      expect(await complete("plan_work", "tag", "Re")).toEqual(["release", "review"]);
      expect(await complete("task_summary", "status", "o")).toEqual(["open"]);
      expect(await complete("task_summary", "project", "d")).toEqual(["docs"]);
    });
  });

  test("many writers at once lose nothing", async () => {
    const clients = await Promise.all(
      Array.from({ length: 4 }, () => TestClient.connect(taskServer(store), { era })),
    );
    const tasks = await Promise.all(
      Array.from(
        { length: 200 },
        (_, i) => clients[i % 4]!.call("create_task", { task: { title: `T${i}` } }) as Promise<Task>,
      ),
    );
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(200);
    await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        clients[i % 4]!.call("add_comment", { task_id: "1", text: `C${i}` }),
      ),
    );
    expect(await call("get_task", { task_id: "1" })).toMatchObject({ comment_count: 200 });
    expect(await call("list_tasks")).toMatchObject({ total: 200 });
    await Promise.all(clients.map((other) => other.close()));
  });
});

test("who follows a task, or the tags, is told when they change", async () => {
  const directory = mkdtempSync(join(tmpdir(), "task-api-"));
  const store = await TaskStore.open(directory);
  const client = await TestClient.connect(taskServer(store));
  try {
    await client.call("create_task", { task: { title: "Review PR" } });
    const changes = await client.listen({ resourceSubscriptions: ["tasks://1", "tags://all"] });
    const calls: readonly (readonly [name: string, args: Record<string, unknown>])[] = [
      ["update_task", { task_id: "1", updates: { priority: 5 } }],
      ["tag_task", { task_id: "1", add: ["urgent"] }],
      ["add_comment", { task_id: "1", text: "Soon." }],
      ["complete_task", { task_id: "1" }],
      ["delete_task", { task_id: "1" }],
    ];
    for (const [name, args] of calls) {
      await client.call(name, args);
      expect([(await changes.next())?.params["uri"], (await changes.next())?.params["uri"]]).toEqual([
        "tasks://1",
        "tags://all",
      ]);
    }
  } finally {
    await client.close();
    store.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
