import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Task, TaskPage } from "../../examples/task-api/schemas.ts";
import { clientKinds, connectHttp, connectStdio, type OfficialClient } from "./official-clients.ts";
import { TaskApiProcess } from "./task-api-process.ts";

describe.each(["http", "stdio"] as const)("over %s", (transport) => {
  describe.each(clientKinds)("the official %s", (kind) => {
    let directory: string;
    let server: TaskApiProcess | undefined;
    let client: OfficialClient;

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), "task-api-"));
      if (transport === "http") {
        server = await TaskApiProcess.start(["--data-dir", directory]);
        client = await connectHttp(kind, server.url);
      } else {
        client = await connectStdio(kind, directory);
      }
    });

    afterAll(async () => {
      await client?.close();
      await server?.end("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    });

    const call = async <T>(name: string, args: Record<string, unknown> = {}): Promise<T> => {
      const { content, structuredContent, isError } = await client.callTool({ name, arguments: args });
      if (isError) throw new Error(content[0]?.text);
      expect(JSON.parse(content[0]!.text)).toEqual(structuredContent);
      return structuredContent as T;
    };

    test("sees what there is", async () => {
      expect(client.getServerVersion()).toMatchObject({ name: "task-api", version: "1.0.0" });
      expect((await client.listTools()).tools).toHaveLength(9);
      expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual([
        "task_summary",
        "plan_work",
      ]);
      expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual([
        "config://app",
        "tags://all",
      ]);
      expect((await client.listResourceTemplates()).resourceTemplates[0]?.uriTemplate).toBe(
        "tasks://{task_id}",
      );
    });

    test("takes a task through its life", async () => {
      const title = "Überprüfen: 日本語 👍";
      const task = await call<Task>("create_task", { task: { title, tags: ["Life"], priority: 4 } });
      expect(task).toMatchObject({ title, status: "open", priority: 4, tags: ["life"] });
      const task_id = task.id;
      await call("update_task", { task_id, updates: { assignee: "Ana", due_date: "2030-01-31" } });
      await call("add_comment", { task_id, text: "On it" });
      await call("tag_task", { task_id, add: ["more"] });
      await call("complete_task", { task_id });
      expect(await call("get_task", { task_id })).toMatchObject({
        title,
        status: "done",
        assignee: "Ana",
        due_date: "2030-01-31",
        tags: ["life", "more"],
        comments: [{ id: "1", author: null, text: "On it" }],
      });
      expect(await call<TaskPage>("list_tasks", { search: "überprüfen", status: "done" })).toMatchObject({
        total: 1,
      });
      expect(await call("task_stats")).toMatchObject({
        total: 1,
        by_status: { open: 0, in_progress: 0, done: 1 },
      });
      expect(await call("delete_task", { task_id })).toEqual({ deleted: task_id });
    });

    test("is told what is wrong with a call", async () => {
      const refused = await client.callTool({
        name: "create_task",
        arguments: { task: { title: "", priority: 9 } },
      });
      expect(refused.isError).toBe(true);
      expect(JSON.parse(refused.content[0]!.text).error).toMatchObject({
        code: "VALIDATION_ERROR",
        details: { field_errors: { "task.title": expect.any(String), "task.priority": expect.any(String) } },
      });
      const missing = await client.callTool({ name: "get_task", arguments: { task_id: "999" } });
      expect(missing.isError).toBe(true);
      expect(JSON.parse(missing.content[0]!.text).error).toMatchObject({
        code: "TOOL_ERROR",
        message: "Task 999 not found",
      });
    });

    test("reads resources, gets prompts and completes arguments", async () => {
      const { id } = await call<Task>("create_task", { task: { title: "T", tags: ["release"] } });
      const { contents } = await client.readResource({ uri: `tasks://${id}` });
      expect(contents[0]?.mimeType).toBe("application/json");
      expect(JSON.parse(contents[0]!.text)).toMatchObject({ id, title: "T", comments: [] });
      await expect(client.readResource({ uri: "tasks://999" })).rejects.toThrow("Task 999 not found");

      const { messages } = await client.getPrompt({ name: "task_summary", arguments: { project: "Apollo" } });
      expect(messages).toMatchObject([
        { role: "user", content: { type: "text", text: "Summarize all all tasks for project Apollo." } },
      ]);

      const ids = await client.complete({
        ref: { type: "ref/resource", uri: "tasks://{task_id}" },
        argument: { name: "task_id", value: id },
      });
      expect(ids.completion.values).toEqual([id]);
      const tags = await client.complete({
        ref: { type: "ref/prompt", name: "plan_work" },
        argument: { name: "tag", value: "rel" },
      });
      expect(tags.completion.values).toEqual(["release"]);
    });
  });
});

test("clients of every kind, over HTTP and over stdio, write to the same tasks at once", async () => {
  const directory = mkdtempSync(join(tmpdir(), "task-api-"));
  const server = await TaskApiProcess.start(["--data-dir", directory]);
  const clients = await Promise.all([
    ...clientKinds.map((kind) => connectHttp(kind, server.url)),
    ...clientKinds.map((kind) => connectStdio(kind, directory)),
  ]);
  try {
    const first = await clients[0]!.callTool({
      name: "create_task",
      arguments: { task: { title: "Shared" } },
    });
    const { id: task_id } = first.structuredContent as Task;
    const results = await Promise.all(
      Array.from({ length: 120 }, (_, i) =>
        clients[i % clients.length]!.callTool({
          name: "add_comment",
          arguments: { task_id, text: `Comment ${i}` },
        }),
      ),
    );
    expect(results.filter(({ isError }) => isError)).toEqual([]);
    const { structuredContent } = await clients
      .at(-1)!
      .callTool({ name: "get_task", arguments: { task_id } });
    const texts = (structuredContent as { comments: { text: string }[] }).comments.map(({ text }) => text);
    expect(texts.toSorted()).toEqual(Array.from({ length: 120 }, (_, i) => `Comment ${i}`).toSorted());
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await server.end("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
});
