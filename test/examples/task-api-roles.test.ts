/** The Task API where people sign in: who may do what. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MCPServer, authenticate } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { type MockInstance, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Task, TaskPage } from "../../examples/task-api/schemas.ts";
import { taskServer } from "../../examples/task-api/server.ts";
import { TaskStore } from "../../examples/task-api/store.ts";
import { parseLog } from "../support/captured-log.ts";

describe.each(["2026-07-28", "2025-11-25"] as const)("people and their tasks, revision %s", (era) => {
  let directory: string;
  let store: TaskStore;
  let server: MCPServer;
  let log: MockInstance<typeof process.stderr.write>;

  beforeEach(async () => {
    log = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    directory = mkdtempSync(join(tmpdir(), "task-api-"));
    store = await TaskStore.open(directory);
    // A token is a name and a role: what is proven here is what follows from them.
    const authenticator = {
      authenticate: ({ token }: { readonly token: string | undefined }) => {
        const [clientId, ...roles] = token?.split(":") ?? [];
        return clientId === undefined ? undefined : { clientId, roles };
      },
    };
    server = taskServer(store, authenticate(authenticator));
  });

  afterEach(async () => {
    log.mockRestore();
    await server.close();
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const as = async (token: string) => {
    const client = await TestClient.connect(server, { era, headers: { authorization: `Bearer ${token}` } });
    const call = async <T>(name: string, args: Record<string, unknown>) =>
      (await client.call(name, args)) as T;
    const create = (title: string, more = {}) => call<Task>("create_task", { task: { title, ...more } });
    return { client, call, create };
  };

  test("nobody gets in without saying who it is", async () => {
    await expect(TestClient.connect(server, { era })).rejects.toMatchObject({ status: 401 });
  });

  test("what someone makes and says is theirs, whatever name they give", async () => {
    const { call, create } = await as("ben:member");
    const task = await create("Deploy");
    expect(task.created_by).toBe("ben");
    expect(await call("add_comment", { task_id: task.id, text: "Soon", author: "ana" })).toMatchObject({
      author: "ben",
    });
    await (await as("ana:member")).create("Review");
    const { tasks } = await call<TaskPage>("list_tasks", { created_by: "ben" });
    expect(tasks.map(({ title }) => title)).toEqual(["Deploy"]);
  });

  test("members change what they made and what is theirs to do; admins everything; guests nothing", async () => {
    const ben = await as("ben:member");
    const ana = await as("ana:member");
    const root = await as("root:admin");
    const eve = await as("eve");
    const mine = await ben.create("Deploy", { assignee: "ana" });
    const complete = { task_id: mine.id };
    await expect((await as("cat:member")).call("complete_task", complete)).rejects.toMatchObject({
      code: "ACCESS_DENIED",
      message: expect.stringContaining("Only who made a task or does it"),
    });
    await expect(eve.call("complete_task", complete)).rejects.toMatchObject({
      code: "ACCESS_DENIED",
    });
    expect(await ana.call("complete_task", complete)).toMatchObject({ status: "done" });
    await expect(ana.call("delete_task", complete)).rejects.toMatchObject({
      code: "ACCESS_DENIED",
    });
    expect(store.get(mine.id)).toBeDefined();
    expect(await root.call("delete_task", complete)).toEqual({ deleted: mine.id });
    await expect(ben.call("complete_task", complete)).rejects.toMatchObject({
      code: "TOOL_ERROR",
    });
  });

  test("each call is a line in the log, refusals included", async () => {
    await (await as("eve")).call("create_task", { task: { title: "T" } }).catch(() => {});
    // The lines of a turn of the event loop are written together at its end.
    const lines = () => parseLog(log.mock.calls.map(([text]) => String(text)).join(""));
    await expect
      .poll(() => lines().at(-1))
      .toMatchObject({ name: "create_task", clientId: "eve", code: "ACCESS_DENIED" });
  });

  test("everybody may call 300 times a minute, whatever the others do", async () => {
    const ben = await as("ben:member");
    const stats = () => ben.call("task_stats", {});
    const refused = await Promise.all(
      Array.from({ length: 400 }, () =>
        stats().then(
          () => 0,
          () => 1,
        ),
      ),
    );
    const count = refused.reduce<number>((sum, one) => sum + one, 0);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(100);
    await expect((await as("ana:member")).call("task_stats", {})).resolves.toMatchObject({ total: 0 });
  });

  test("lists show what each may use", async () => {
    const namesOf = async (token: string) =>
      (await (await as(token)).client.listTools()).map(({ name }) => name);
    expect(await namesOf("eve")).toEqual(["list_tasks", "get_task", "add_comment", "task_stats"]);
    expect(await namesOf("ben:member")).toHaveLength(9);
  });
});
