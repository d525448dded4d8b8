import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { openDatabase } from "../../examples/task-api/database.ts";
import type { TaskDetail } from "../../examples/task-api/schemas.ts";
import { TaskApiProcess } from "./task-api-process.ts";

export interface KillReport {
  readonly rounds: number;
  /** Writes that the server answered before it was killed. */
  readonly acknowledged: number;
  /** Writes that the kill interrupted: they may have happened or not, but whole. */
  readonly interrupted: number;
  /** Acknowledged writes that are not there, or not as they were acknowledged. */
  readonly lost: number;
  /** Anything else that went wrong, and the first of the lost. */
  readonly problems: readonly string[];
}

/** What a writer has been told of its task. */
type State =
  | { title: string; status: string; priority: number; tags: string[]; comments: string[] }
  | "deleted";

interface Write {
  readonly tool: string;
  readonly args: Record<string, unknown>;
  /** What the task is when the write has happened. */
  readonly after: State;
}

const WRITERS = 6;

/** Kills the Task API with SIGKILL while clients write, `rounds` times over, and compares what they were told with what is there. */
export async function killRounds(rounds: number): Promise<KillReport> {
  const directory = mkdtempSync(join(tmpdir(), "task-api-kill-"));
  const known = new Map<string, State>();
  const problems: string[] = [];
  let acknowledged = 0;
  let interrupted = 0;
  let lost = 0;
  let server = await TaskApiProcess.start(["--data-dir", directory]);

  /** Compares tasks with what is known of them; `maybe` holds what an interrupted write would have made of one. */
  const verify = async (
    ids: Iterable<string>,
    maybe: ReadonlyMap<string, State> = new Map(),
  ): Promise<void> => {
    const client = await connect(server.url);
    for (const id of ids) {
      const actual = await read(client, id);
      const allowed = [known.get(id)!, maybe.get(id) ?? known.get(id)!].map((state) => JSON.stringify(state));
      if (!allowed.includes(JSON.stringify(actual))) {
        lost += 1;
        problems.push(`Task ${id}: expected ${allowed.join(" or ")}, found ${JSON.stringify(actual)}`);
      }
      known.set(id, actual);
    }
    await client.close();
  };

  try {
    for (let round = 1; round <= rounds; round++) {
      const touched = new Set<string>();
      const maybe = new Map<string, State>();
      let killed = false;

      const write = async (client: Client): Promise<void> => {
        const own: string[] = [];
        for (;;) {
          const id = Math.random() < 0.4 ? undefined : pick(own);
          const { tool, args, after } = nextWrite(id, id === undefined ? undefined : known.get(id)!);
          let result;
          try {
            result = await client.callTool({ name: tool, arguments: args });
          } catch (error) {
            if (!killed) problems.push(`${tool} failed before the kill: ${String(error)}`);
            interrupted += 1;
            if (id !== undefined) maybe.set(id, after);
            break;
          }
          if (result.isError) {
            problems.push(`${tool} was refused: ${JSON.stringify(result.content)}`);
            break;
          }
          const told = id ?? (result.structuredContent as { id: string }).id;
          if (id === undefined) own.push(told);
          if (after === "deleted") own.splice(own.indexOf(told), 1);
          known.set(told, after);
          touched.add(told);
          acknowledged += 1;
        }
        await client.close().catch(() => {});
      };

      const clients = await Promise.all(Array.from({ length: WRITERS }, () => connect(server.url)));
      const writers = clients.map(write);
      await sleep(50 + Math.random() * 450);
      killed = true;
      await server.end("SIGKILL");
      await Promise.all(writers);

      server = await TaskApiProcess.start(["--data-dir", directory]);
      await verify(touched, maybe);
      problems.push(...(await damage(directory)));
    }
    await verify(known.keys());
  } finally {
    await server.end("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
  return { rounds, acknowledged, interrupted, lost, problems: problems.slice(0, 20) };
}

async function connect(url: string): Promise<Client> {
  const client = new Client(
    { name: "kill-rounds", version: "1.0.0" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

/** A new task, or some change to one that is there. */
function nextWrite(task_id: string | undefined, state: State | undefined): Write {
  const mark = Math.random().toString(36).slice(2);
  if (task_id === undefined || state === undefined || state === "deleted") {
    const task = { title: `Task ${mark}`, priority: 3, tags: [mark] };
    return { tool: "create_task", args: { task }, after: { ...task, status: "open", comments: [] } };
  }
  const choices: (() => Write)[] = [
    () => ({
      tool: "update_task",
      args: { task_id, updates: { title: `Changed ${mark}`, priority: 5, status: "in_progress" } },
      after: { ...state, title: `Changed ${mark}`, priority: 5, status: "in_progress" },
    }),
    () => ({
      tool: "add_comment",
      args: { task_id, text: mark },
      after: { ...state, comments: [...state.comments, mark] },
    }),
    () => ({
      tool: "tag_task",
      args: { task_id, add: [mark], remove: state.tags },
      after: { ...state, tags: [mark] },
    }),
    () => ({ tool: "complete_task", args: { task_id }, after: { ...state, status: "done" } }),
    () => ({ tool: "delete_task", args: { task_id }, after: "deleted" }),
  ];
  return pick(choices)!();
}

async function read(client: Client, task_id: string): Promise<State> {
  const result = await client.callTool({ name: "get_task", arguments: { task_id } });
  if (result.isError) {
    const [block] = result.content;
    if (block?.type === "text" && block.text.includes("not found")) return "deleted";
    throw new Error(`Task ${task_id} cannot be read: ${JSON.stringify(block)}`);
  }
  const { title, priority, tags, status, comments } = result.structuredContent as TaskDetail;
  return { title, priority, tags, status, comments: comments.map(({ text }) => text) };
}

/** What is wrong with the file, with the search index, and with writes that came to be by halves. */
async function damage(directory: string): Promise<string[]> {
  const db = await openDatabase(directory);
  try {
    db.exec("INSERT INTO task_text (task_text, rank) VALUES ('integrity-check', 1)");
    const found: { integrity_check: string }[] = db.prepare("PRAGMA integrity_check").all();
    const damaged = found.map((row) => row.integrity_check).filter((line) => line !== "ok");
    // Every write here leaves its task with exactly one tag.
    const torn: { id: number }[] = db
      .prepare("SELECT id FROM tasks WHERE (SELECT count(*) FROM task_tags WHERE task_id = id) <> 1")
      .all();
    return [...damaged, ...torn.map(({ id }) => `Task ${id} was written by halves`)];
  } catch (error) {
    return [String(error)];
  } finally {
    db.close();
  }
}

/** One of `items`, if there are any. */
function pick<T>(items: readonly T[]): T | undefined {
  return items[Math.floor(Math.random() * items.length)];
}
