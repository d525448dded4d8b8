/** A visit to the zoo: everything is called, and nothing may come of it but what is told. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseLog } from "../../support/captured-log.ts";
import { META, modernHeaders } from "../../support/wire.ts";
import { BLOCK, CANARY, KINDS, type Kind, TIME_LIMIT, type Way } from "./kinds.ts";

/** How much later than its time a call may be answered, in milliseconds. */
const SLACK = 250;

/** A busy machine answers late, too: what is late is asked again, so often. */
const TRIES = 5;

/** How long an answer is waited for, in milliseconds. */
const PATIENCE = 10_000;

export interface VisitReport {
  readonly calls: number;
  readonly kinds: number;
  /** Calls that were answered otherwise than they have to be, each with what was said. */
  readonly wrong: readonly string[];
  /** Calls whose answer shows what was thrown. */
  readonly leaked: readonly string[];
  /** Calls that were answered too late in every try, with their milliseconds. */
  readonly late: readonly string[];
  /** How long after its time the latest answer came, in milliseconds. */
  readonly latestMs: number;
  /** How often the log tells of what nobody caught, and of calls that failed unexpectedly. */
  readonly logged: { readonly uncaught: number; readonly unexpected: number };
  readonly alive: boolean;
  readonly exit: number | null;
}

interface Ask {
  readonly form: Form;
  readonly what: string;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const TOOLS = ["tool", "structured", "described", "layers", "around"] as const;
const BESIDES = ["opening", "closing", "background"] as const;

/** What a kind is called as. */
export type Form = (typeof TOOLS)[number] | (typeof BESIDES)[number] | "resource" | "prompt" | "completion";

/** Everything that `kind` is asked as. */
function asks({ name, returns }: Kind): readonly Ask[] {
  const ask = (form: Form, method: string, params: Ask["params"]) => ({
    form,
    what: `${form} ${name}`,
    method,
    params,
  });
  const tool = (form: Form) =>
    ask(form, "tools/call", {
      name: form === "tool" ? name : `${form}_${name}`,
      arguments: { text: "given" },
    });
  const uri = `zoo://${name}`;
  const ref = { type: "ref/resource", uri: `${uri}/{way}` };
  const all = [
    ...TOOLS.map(tool),
    ask("resource", "resources/read", { uri }),
    ask("prompt", "prompts/get", { name }),
  ];
  if (returns) return all;
  const completing = { ref, argument: { name: "way", value: "" } };
  return [...all, ask("completion", "completion/complete", completing), ...BESIDES.map(tool)];
}

/** What such a call is told. */
function told(kind: Kind, { form }: Ask): Kind["told"] {
  return form === "background" ? "none" : kind.told;
}

/** @param forms - What each kind is called as. Default: everything. */
export async function visit(way: Way, forms?: readonly Form[]): Promise<VisitReport> {
  const zoo = await Zoo.open(way);
  try {
    for (const kind of KINDS) {
      if (kind.notOver?.includes(way)) continue;
      let left = asks(kind).filter(({ form }) => !forms || forms.includes(form));
      // What hangs is asked all at once first: it costs time, and no work.
      if (kind.told === "TIMEOUT") {
        const inTime = await Promise.all(left.map((ask) => zoo.try(kind, ask, false)));
        left = left.filter((_ask, at) => !inTime[at]);
      }
      for (const ask of left)
        for (let tries = 1; tries <= TRIES; tries++) if (await zoo.try(kind, ask, tries === TRIES)) break;
    }
    await zoo.block();
    return await zoo.leave();
  } finally {
    zoo.kill();
  }
}

const SERVER = fileURLToPath(new URL("./server.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

class Zoo {
  readonly #way: Way;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #wrong: string[] = [];
  readonly #leaked: string[] = [];
  readonly #late: string[] = [];
  readonly #waiting = new Map<unknown, (line: string) => void>();
  #stderr = "";
  #url = "";
  #session: string | undefined;
  #ids = 0;
  #calls = 0;
  #latest = 0;

  static async open(way: Way): Promise<Zoo> {
    const zoo = new Zoo(way);
    await zoo.#open();
    return zoo;
  }

  private constructor(way: Way) {
    this.#way = way;
    const run = way === "stdio" ? { transport: "stdio" } : { transport: "http", port: 0 };
    this.#child = spawn(process.execPath, ["--import", "tsx", SERVER, JSON.stringify(run)], { cwd: ROOT });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    createInterface(this.#child.stdout).on("line", (line) => {
      if (way !== "stdio") return;
      const { id } = JSON.parse(line) as { readonly id?: unknown };
      this.#waiting.get(id)?.(line);
    });
  }

  /** Asks, and notes what is not as it has to be. Says whether the answer came in time. */
  async try(kind: Kind, ask: Ask, isLast: boolean): Promise<boolean> {
    const expected = told(kind, ask);
    const started = performance.now();
    const answer = await this.#ask(ask.method, ask.params);
    const over = performance.now() - started - (expected === "TIMEOUT" ? TIME_LIMIT : 0);
    this.#look(answer, expected, ask.what);
    const inTime = over <= SLACK;
    if (inTime || isLast) this.#note(over, ask.what);
    const next = await this.#ask("tools/call", { name: "echo", arguments: { next: ask.what } });
    if (!next.includes(ask.what)) this.#wrong.push(`after ${ask.what}: ${next}`);
    return inTime;
  }

  /** Others wait for who blocks, and are answered as soon as that ends. */
  async block(): Promise<void> {
    const started = performance.now();
    const others = ["hang", "echo"].map((name) => this.#ask("tools/call", { name }));
    const blocking = this.#ask("tools/call", { name: "block" });
    for (const answer of [...others, blocking]) {
      this.#look(await answer, answer === others[0] ? "TIMEOUT" : "none", "while another blocks");
      this.#note(performance.now() - started - BLOCK, "while another blocks");
    }
  }

  async leave(): Promise<VisitReport> {
    const alive = this.#child.exitCode === null;
    // Closed is later than ended: by then, everything that it wrote was read.
    const closed = once(this.#child, "close");
    if (alive) this.#child.kill("SIGTERM");
    const [exit] = alive ? ((await closed) as [number | null]) : [this.#child.exitCode];
    return {
      calls: this.#calls,
      kinds: KINDS.length + 1,
      wrong: this.#wrong,
      leaked: this.#leaked,
      late: this.#late,
      latestMs: Math.round(this.#latest),
      logged: this.#logged(),
      alive,
      exit,
    };
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #open(): Promise<void> {
    while (!this.#stderr.includes("running")) {
      const [code] = (await Promise.race([once(this.#child.stderr, "data"), once(this.#child, "exit")])) as [
        unknown,
      ];
      if (typeof code === "number") throw new Error(`It ended with ${code}:\n${this.#stderr}`);
    }
    this.#url = /http:\/\/[\w.:]+\/mcp/.exec(this.#stderr)?.[0] ?? "";
    if (this.#way === "modern" || this.#way === "legacy") return;
    const clientInfo = { name: "visitor", version: "1.0.0" };
    await this.#ask("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
  }

  #look(answer: string, expected: Kind["told"], what: string): void {
    if (answer.includes(CANARY)) this.#leaked.push(`${what}: ${answer}`);
    const code =
      /\\?"code\\?":\\?"([A-Z_]+)/.exec(answer)?.[1] ?? (answer.includes('"result"') ? "none" : "?");
    if (expected === "any" ? code === "?" : code !== expected) this.#wrong.push(`${what}: ${answer}`);
  }

  #logged(): VisitReport["logged"] {
    let uncaught = 0;
    let unexpected = 0;
    for (const { message, notLogged = 1 } of parseLog(this.#stderr)) {
      if (String(message).includes("nobody")) uncaught += Number(notLogged);
      if (message === "Unexpected error") unexpected++;
    }
    return { uncaught, unexpected };
  }

  #note(over: number, what: string): void {
    this.#latest = Math.max(this.#latest, over);
    if (over > SLACK) this.#late.push(`${what}: ${Math.round(over)} ms`);
  }

  /** What comes back for a request, with everything that is said before the answer. */
  async #ask(method: string, params: object): Promise<string> {
    this.#calls++;
    const id = ++this.#ids;
    const said = { progressToken: id };
    const meta = this.#way === "modern" ? { ...META, ...said, [LOG_LEVEL]: "debug" } : said;
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params: { ...params, _meta: meta } });
    const answer = this.#way === "stdio" ? this.#write(id, body) : this.#post(method, params, body);
    return Promise.race([answer, sleep(PATIENCE, "no answer", { ref: false })]);
  }

  #write(id: unknown, line: string): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting.set(id, (answer) => {
        this.#waiting.delete(id);
        resolve(answer);
      });
      this.#child.stdin.write(`${line}\n`);
    });
  }

  async #post(method: string, params: { uri?: string; name?: string }, body: string): Promise<string> {
    const headers = {
      ...(this.#way === "modern" ? modernHeaders(method, params.uri ?? params.name) : JSON_HEADERS),
      ...(this.#session !== undefined && { "mcp-session-id": this.#session }),
    };
    try {
      const answer = await fetch(this.#url, { method: "POST", headers, body });
      this.#session ??= answer.headers.get("mcp-session-id") ?? undefined;
      return `${JSON.stringify([...answer.headers])} ${await answer.text()}`;
    } catch (error) {
      return `no answer: ${String((error as Error).cause ?? error)}`;
    }
  }
}

const LOG_LEVEL = "io.modelcontextprotocol/logLevel";

const JSON_HEADERS = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
} as const;
