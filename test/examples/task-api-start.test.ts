import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Task, TaskPage } from "../../examples/task-api/schemas.ts";
import { connectHttp, connectStdio } from "./official-clients.ts";
import { projectRoot, taskApi, TaskApiProcess } from "./task-api-process.ts";

let directory: string;
const running: TaskApiProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "task-api-"));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.end("SIGKILL")));
  rmSync(directory, { recursive: true, force: true });
});

async function start(args: readonly string[], env?: Record<string, string>): Promise<TaskApiProcess> {
  const server = await TaskApiProcess.start(args, env);
  running.push(server);
  return server;
}

async function call<T>(server: TaskApiProcess, name: string, args: Record<string, unknown> = {}): Promise<T> {
  const client = await connectHttp("client 2 modern", server.url);
  const { structuredContent } = await client.callTool({ name, arguments: args });
  await client.close();
  return structuredContent as T;
}

/** Starts the Task API with options that make it end at once. */
function runToEnd(...args: string[]): { code: number | null; output: string; errors: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", taskApi, ...args], {
    cwd: projectRoot,
    encoding: "utf8",
    timeout: 20_000,
  });
  return { code: status, output: stdout, errors: stderr };
}

test("what was written is there after a restart, over HTTP and over stdio", async () => {
  const first = await start(["--data-dir", directory]);
  const task = await call<Task>(first, "create_task", { task: { title: "Kept", tags: ["a"] } });
  expect(await first.end("SIGTERM")).toBe(0);
  const log = statSync(join(directory, "tasks.db-wal"), { throwIfNoEntry: false });
  expect(log?.size ?? 0).toBe(0); // tasks.db holds it all

  const second = await start(["--data-dir", directory]);
  expect(await call(second, "get_task", { task_id: task.id })).toEqual({ ...task, comments: [] });
  expect(await second.end("SIGINT")).toBe(0);

  const client = await connectStdio("client 2 modern", directory);
  const { structuredContent } = await client.callTool({ name: "get_task", arguments: { task_id: task.id } });
  expect(structuredContent).toMatchObject({ title: "Kept" });
  await client.close();
});

test("the data directory comes from the environment, and from the option before that", async () => {
  const [fromEnvironment, fromOption] = [join(directory, "env"), join(directory, "option")];
  await (await start([], { TASK_API_DATA: fromEnvironment })).end("SIGTERM");
  expect(statSync(join(fromEnvironment, "tasks.db")).mode & 0o777).toBe(0o600);
  expect(statSync(fromEnvironment).mode & 0o777).toBe(0o700);

  await (
    await start(["--data-dir", fromOption], { TASK_API_DATA: join(directory, "unused") })
  ).end("SIGTERM");
  expect(existsSync(join(fromOption, "tasks.db"))).toBe(true);
  expect(existsSync(join(directory, "unused"))).toBe(false);
});

test("the start tells how to connect each client", async () => {
  const { stderr, url } = await start(["--data-dir", directory]);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
  expect(stderr).toContain(`claude mcp add --transport http task-api ${url}`);
  expect(stderr).toContain(`{ "servers": { "task-api": { "type": "http", "url": "${url}" } } }`);
  expect(stderr).toContain(`{ "mcpServers": { "task-api": { "url": "${url}" } } }`);
  expect(stderr).toContain(`npx @modelcontextprotocol/inspector --transport http --server-url ${url}`);
  expect(stderr).toMatch(/claude mcp add task-api -- node ".*start\.mjs" --stdio/);
  expect(stderr).toContain(directory);
});

test("examples are there when asked for, once, and never among real tasks", async () => {
  const empty = await start(["--data-dir", directory]);
  expect(await call<TaskPage>(empty, "list_tasks")).toMatchObject({ total: 0 });
  await empty.end("SIGTERM");

  const seeded = await start(["--data-dir", directory, "--seed"]);
  expect(await call<TaskPage>(seeded, "list_tasks")).toMatchObject({ total: 4 });
  for (const task_id of ["1", "2", "3", "4"]) await call(seeded, "delete_task", { task_id });
  await seeded.end("SIGTERM");

  const again = await start(["--data-dir", directory, "--seed"]);
  expect(await call<TaskPage>(again, "list_tasks")).toMatchObject({ total: 0 });
});

test("it says that it is ready", async () => {
  const { url } = await start(["--data-dir", directory]);
  const response = await fetch(new URL("/health/ready", url));
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ checks: { database: "ok" } });
});

test("help is printed", () => {
  const { code, output } = runToEnd("--help");
  expect(code).toBe(0);
  expect(output).toContain("--data-dir <path>");
});

test.each([[["--nope"]], [["--port", "80x"]], [["--port", "65536"]], [["stray"]]])(
  "%j is refused",
  (args) => {
    const { code, output, errors } = runToEnd(...args);
    expect(code).toBe(2);
    expect(output).toBe("");
    expect(errors).toContain("--data-dir <path>");
    expect(errors).not.toContain("    at ");
  },
);

test("a port in use is named, without a stack", async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => {
    holder.listen(0, "127.0.0.1", resolve);
  });
  const { port } = holder.address() as { port: number };
  const { code, errors } = runToEnd("--port", String(port), "--data-dir", directory);
  holder.close();
  expect(code).toBe(1);
  expect(errors).toContain(`Port ${port} of 127.0.0.1 is in use`);
  expect(errors).not.toContain("    at ");
});

test("an address that others reach is refused while nobody has to say who they are", () => {
  const { code, errors } = runToEnd("--host", "0.0.0.0", "--port", "0", "--data-dir", directory);
  expect(code).toBe(1);
  expect(errors).toContain("there is no authenticator");
});
