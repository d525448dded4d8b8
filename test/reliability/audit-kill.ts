/** Kills servers that write one audit log, and looks for answered calls that are not in it. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { verifyAudit } from "gantry-mcp";
import { AUDIT_KEY } from "./audit-key.ts";

export interface AuditKillReport {
  readonly kills: number;
  /** Calls that were answered. */
  readonly answered: number;
  /** Calls that a kill interrupted. */
  readonly interrupted: number;
  /** Of those, how many had been recorded. */
  readonly recordedUnanswered: number;
  readonly records: number;
  readonly segments: number;
  /** Segments that end in a record that was never finished. */
  readonly torn: number;
  /** Answered calls that are not in the log, or twice. */
  readonly lost: number;
  readonly problems: readonly string[];
}

/** How many processes write the log at once, and how many connections call each. */
const WRITERS = 2;
const CONNECTIONS = 6;

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Kills both processes at once, `kills / 2` times over, at any moment of their work or of their start. */
export async function auditKills(kills: number): Promise<AuditKillReport> {
  const folder = mkdtempSync(join(tmpdir(), "gantry-audit-kill-"));
  const file = join(folder, "log", "audit.jsonl");
  const program = await bundled(folder);
  const answered = new Set<string>();
  const asked = new Set<string>();
  const problems: string[] = [];
  let killed = 0;
  try {
    while (killed < kills) {
      const servers = await Promise.all(
        Array.from({ length: WRITERS }, async (_, index) => {
          const child = spawn(process.execPath, [program, file], { stdio: ["ignore", "pipe", "ignore"] });
          // Now and then one is killed while it starts.
          if (index > 0 && Math.random() < 0.2) {
            await sleep(Math.random() * 300);
            return { child, work: Promise.resolve() };
          }
          const url = await firstLine(child);
          return { child, work: calls(url, `${killed}-${index}`, asked, answered, problems) };
        }),
      );
      await sleep(20 + Math.random() * 400);
      for (const { child } of servers) child.kill("SIGKILL");
      await Promise.all(servers.map(async ({ child, work }) => [await ended(child), await work]));
      killed += WRITERS;
    }
    const { ok, problem, records, segments, notes } = await verifyAudit({ file, key: AUDIT_KEY });
    if (!ok)
      problems.push(`${problem?.file}:${problem?.line} record ${problem?.sequence} ${problem?.message}`);
    const times = recorded(join(folder, "log"));
    const wrong = [...answered].filter((id) => times.get(id) !== 1);
    problems.push(...wrong.map((id) => `${id} was answered and is recorded ${times.get(id) ?? 0} times`));
    return {
      kills: killed,
      answered: answered.size,
      interrupted: asked.size - answered.size,
      recordedUnanswered: [...times.keys()].filter((id) => !answered.has(id)).length,
      records,
      segments,
      torn: notes.filter((note) => note.includes("never finished")).length,
      lost: wrong.length,
      problems: problems.slice(0, 20),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The server's program as one file that starts quickly. */
async function bundled(folder: string): Promise<string> {
  const outdir = join(folder, "program");
  await build({
    absWorkingDir: root,
    entryPoints: [fileURLToPath(new URL("./audit-server.ts", import.meta.url))],
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "silent",
  });
  return join(outdir, "audit-server.mjs");
}

async function firstLine(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
  const [line] = (await once(lines, "line")) as [string];
  return line;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

/** Calls the server on several connections until it is gone. */
async function calls(
  url: string,
  name: string,
  asked: Set<string>,
  answered: Set<string>,
  problems: string[],
): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const caller = async (connection: number) => {
    for (let number = 0; ; number++) {
      const id = `${name}-${connection}-${number}`;
      asked.add(id);
      let text;
      try {
        text = await call(url, agent, id);
      } catch {
        return;
      }
      if (text.includes('"text":"done"')) answered.add(id);
      else problems.push(`${id} was answered ${text}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, connection) => caller(connection)));
  agent.destroy();
}

function call(url: string, agent: Agent, id: string): Promise<string> {
  const params = { name: "act", arguments: { id } };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: "POST",
      agent,
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    });
    sent.once("error", reject);
    sent.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.once("end", () => (response.complete ? resolve(text) : reject(new Error("cut"))));
      response.once("error", reject);
    });
    sent.end(body);
  });
}

/** How often each call is recorded. */
function recorded(folder: string): Map<string, number> {
  const times = new Map<string, number>();
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".jsonl"))) {
    const lines = readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1);
    for (const line of lines) {
      const { fields } = JSON.parse(line) as { readonly fields?: { readonly id: string } };
      if (fields) times.set(fields.id, (times.get(fields.id) ?? 0) + 1);
    }
  }
  return times;
}
