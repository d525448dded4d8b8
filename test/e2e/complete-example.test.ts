/** The guide's complete example, as a process of its own: all that the guide says it does, over HTTP. */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { blocks, isShown } from "../docs/page.ts";
import { Program, curl, onPort, root } from "../docs/program.ts";
import { freePort } from "../support/free-port.ts";
import { greetingsIn } from "../support/greetings.ts";
import { CALLER_WAYS, Caller } from "../support/callers.ts";

interface Example {
  readonly program: Program;
  readonly port: number;
  readonly url: string;
}

async function start(env: Record<string, string> = {}): Promise<Example> {
  const port = await freePort();
  const child = spawn(process.execPath, ["--import", "tsx", "examples/complete/server.ts"], {
    cwd: root,
    env: { ...process.env, PORT: String(port), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const program = new Program(child);
  if (!(await program.listening(port))) throw new Error(`The example did not start:\n${program.stderr}`);
  return { program, port, url: `http://127.0.0.1:${port}/mcp` };
}

async function tokenFor({ url }: Example, client_id: string, client_secret: string): Promise<string> {
  const body = JSON.stringify({ client_id, client_secret });
  const answer = await fetch(new URL("/auth/token", url), { method: "POST", body });
  return ((await answer.json()) as { access_token: string }).access_token;
}

const WAYS = CALLER_WAYS.filter(({ over }) => over === "http");

describe.each(WAYS)("$client, $era", (way) => {
  let example: Example;
  let nobody: Caller;
  let agent: Caller;
  let writer: Caller;

  beforeAll(async () => {
    example = await start();
    const as = async (...who: [string, string]) =>
      Caller.connect(way, example.url, await tokenFor(example, ...who), { "x-request-id": `by-${who[0]}` });
    nobody = await Caller.connect(way, example.url, undefined);
    agent = await as("agent", "dev-secret");
    writer = await as("writer", "writer-secret");
  }, 60_000);

  afterAll(async () => {
    await Promise.all([nobody, agent, writer].map((caller) => caller?.close()));
    await example?.program.end();
  });

  /** What the example prints during `work`, and until it has printed what is `told`. */
  const printing = async (work: () => Promise<unknown>, ...told: string[]) => {
    const before = example.program.stderr.length;
    await work();
    return vi.waitFor(
      () => {
        const since = example.program.stderr.slice(before);
        for (const text of told) expect(since).toContain(text);
        return since;
      },
      { timeout: 10_000 },
    );
  };
  const denied = (guard: string, tool: string, message: string) => ({
    code: "ACCESS_DENIED",
    message,
    retryable: false,
    details: { guard, tool },
    status: undefined,
    challenge: undefined,
  });

  test("says that it is ready before it takes requests, and what it serves", () => {
    const { stderr } = example.program;
    expect(stderr).toMatch(
      /^Task API server ready\n\{"time":"[^"]+","level":"info","message":"task-api 1\.0\.0 serves /,
    );
    const said = greetingsIn(stderr);
    expect(said).toMatch(/^task-api 1\.0\.0 serves MCP at /);
    expect(said).toContain("tools      tasks_list_tasks, tasks_create_task, tasks_delete_task\n");
    expect(said).toContain("POST /auth/token issues tokens to agent, writer: for development only");
  });

  test("shows each caller what it may use", async () => {
    const names = async (caller: Caller) => (await caller.driver.list("tools")).map(({ name }) => name);
    expect(await names(nobody)).toEqual(["tasks_list_tasks"]);
    expect(await names(writer)).toEqual(["tasks_list_tasks", "tasks_create_task"]);
    expect(await names(agent)).toEqual(["tasks_list_tasks", "tasks_delete_task"]);
  });

  test("lists tasks to anybody, the second time from the cache, until a task is created", async () => {
    const listed = [{ id: "1", title: "Example", status: "open" }];
    const list = async () => expect(await nobody.call("tasks_list_tasks")).toEqual(listed);
    const line = "tasks_list_tasks completed";
    expect(await printing(list, line)).toContain("[DATABASE] connected\n[DATABASE] closed\n");
    expect(await printing(list, line)).not.toContain("[DATABASE]");
    expect(await nobody.call("tasks_list_tasks", { status: "done" })).toEqual([]);
    await writer.call("tasks_create_task", { title: "T" });
    expect(await printing(list, line)).toContain("[DATABASE] connected");
  });

  test("creates a task for the scope alone, and tells its audit and the others what the caller does not see", async () => {
    const create = () => agent.refused("tasks_create_task", { title: "T" });
    expect(await create()).toEqual(
      denied(
        "HasScope",
        "tasks_create_task",
        "Requires any of scopes [tasks:write], but client has [(none)]",
      ),
    );
    const callTool = async () => {
      const result = await writer.driver.callTool("tasks_create_task", { title: "T" });
      expect(result.content).toEqual([{ type: "text", text: '{"id":"new","title":"T","priority":3}' }]);
      expect(JSON.stringify(result)).not.toMatch(/actor|task\.create|enterprise/);
    };
    const completed = '"message":"[by-writer] tasks_create_task completed';
    const told = await printing(callTool, completed, "[NOTIFICATION] Task created: T\n");
    // The connection is closed, the audit has the metadata, and the notification comes last. The line of the log is
    // written with the others of its turn, before or after the notification.
    expect(told.match(/^\[\w+\] .*/gm)).toEqual([
      "[DATABASE] connected",
      "[DATABASE] closed",
      '[AUDIT] by-writer {"actor":"writer","tier":"enterprise","action":"task.create"}',
      "[NOTIFICATION] Task created: T",
    ]);
  });

  test("deletes a task for an admin alone", async () => {
    expect(await agent.call("tasks_delete_task", { task_id: "9" })).toEqual({ deleted: "9" });
    expect(await writer.refused("tasks_delete_task", { task_id: "9" })).toEqual(
      denied("HasRole", "tasks_delete_task", "Requires any of roles [admin], but client has [(none)]"),
    );
  });

  test("tells callers without a token that it misses one, and logs it", async () => {
    const log = await printing(async () => {
      for (const [name, args] of [
        ["tasks_create_task", { title: "T" }],
        ["tasks_delete_task", { task_id: "9" }],
      ] as const)
        expect(await nobody.refused(name, args)).toMatchObject({
          code: "AUTHENTICATION_ERROR",
          message: "Missing authentication token",
          retryable: false,
          status: 401,
        });
    }, "tasks_delete_task failed after");
    expect(log).toContain('"code":"AUTHENTICATION_ERROR"');
    expect(log).not.toContain("[DATABASE]");
  });

  test("names what is wrong with arguments", async () => {
    expect(await writer.refused("tasks_create_task", { title: "", priority: 9 })).toMatchObject({
      code: "VALIDATION_ERROR",
    });
  });

  test("gives a task and the configuration as resources", async () => {
    const read = async (caller: Caller, uri: string) => {
      const [contents] = await caller.driver.read(uri);
      return { mimeType: contents?.["mimeType"], value: JSON.parse(String(contents?.["text"])) as unknown };
    };
    expect(await read(writer, "tasks://1")).toEqual({
      mimeType: "application/json",
      value: { id: "1", title: "Example", status: "open" },
    });
    expect(await read(nobody, "config://app")).toMatchObject({ value: { version: "1.0.0" } });
    await expect(writer.driver.read("tasks://2")).rejects.toThrow("Resource not found: tasks://2");
    expect(await nobody.refusal(() => nobody.driver.read("tasks://1"))).toMatchObject({ status: 401 });
  });

  test("generates the prompt", async () => {
    const text = async (args: Record<string, string>) => {
      const { messages } = await nobody.driver.prompt("task_summary", args);
      return (messages as { content: { text: string } }[]).map(({ content }) => content.text);
    };
    expect(await text({ project: "P", status: "open" })).toEqual(["Summarize all open tasks for project P."]);
    expect(await text({ project: "P" })).toEqual(["Summarize all all tasks for project P."]);
  });

  test("lets each caller call 100 times a minute, tells it what is left, and bothers nobody else", async () => {
    const call = {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "tasks_delete_task", arguments: { task_id: "9" } },
    };
    const authorization = `Bearer ${await tokenFor(example, "agent", "dev-secret")}`;
    const headers = { "content-type": "application/json", accept: "application/json", authorization };
    const send = async () => {
      const answer = await fetch(example.url, { method: "POST", headers, body: JSON.stringify(call) });
      return { headers: answer.headers, text: await answer.text() };
    };
    const first = await send();
    expect(first.headers.get("ratelimit-policy")).toBe('"minute";q=100;w=60');
    expect(first.headers.get("ratelimit")).toMatch(/^"minute";r=\d+;t=\d+$/);
    let last = first;
    let allowed = 1;
    for (; allowed < 500; allowed++) {
      last = await send();
      if (last.text.includes("RATE_LIMIT_EXCEEDED")) break;
    }
    expect(allowed).toBeGreaterThan(80);
    expect(allowed).toBeLessThan(300); // one more for each 0.6 s that the loop takes
    expect(Number(last.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(await writer.call("tasks_list_tasks")).toHaveLength(1);
    expect(await nobody.call("tasks_list_tasks")).toHaveLength(1);
  });

  test("ends in good order", async () => {
    const { program } = example;
    const [code] = await Promise.all([program.end(), nobody.close(), agent.close(), writer.close()]);
    expect(code).toBe(0);
    expect(program.stderr).toMatch(/Task API server stopped\n$/);
  });
});

test("its README shows what it does", async () => {
  const example = await start();
  try {
    const token = await tokenFor(example, "writer", "writer-secret");
    const all = blocks(readFileSync(join(root, "examples/complete/README.md"), "utf8"));
    const shown = all.flatMap(({ code: command }, at) =>
      command.startsWith("curl ")
        ? [{ command, expected: JSON.parse(all[at + 1]?.code ?? "") as unknown }]
        : [],
    );
    expect(shown).toHaveLength(4);
    for (const { command, expected } of shown) {
      const output = await curl(onPort(command, example.port).replace("$TOKEN", token));
      expect(isShown(JSON.parse(output), expected), `${command}\nprints\n${output}`).toBe(true);
    }
  } finally {
    await example.program.end();
  }
});

test("it refuses secrets that can be guessed, and production with tokens of its own", async () => {
  await expect(start({ JWT_SECRET: "short" })).rejects.toThrow("32");
  await expect(start({ NODE_ENV: "production" })).rejects.toThrow(
    "is for development, and NODE_ENV is production",
  );
});
