/** Calls that end in every way there is, each with eight dependencies: what becomes of those, and what they are told. */

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type Dependency, type ListeningServer, MCPServer, ToolError, dependency } from "gantry-mcp";
import { META, modernHeaders } from "../support/wire.ts";
import type { Random } from "./random.ts";

/** How a call ends, and what its dependencies are to be told of it, from the first that is closed to the last. */
interface Ending {
  readonly tool: string;
  /** What its client does: waits for the answer, leaves, or says that it no longer wants it. */
  readonly client?: "leaves" | "cancels";
  readonly told: (opened: number) => readonly string[];
  /** What its client reads, where it waits. */
  readonly answer?: RegExp;
}

const DEEP = 8;
/** The dependency, counted from the outermost, that fails where one is to fail. */
const FAILING = 5;

const all = (what: string) => (opened: number) => Array.from({ length: opened }, () => what);
/** Those that are closed after the one that fails are told of it. */
const partly = (before: string, after: string) => (opened: number) =>
  Array.from({ length: opened }, (_, closed) => (opened - closed >= FAILING ? before : after));

const TIMED_OUT = (tool: string) => `Tool '${tool}' timed out after 0.05s`;
const LEFT = "The client disconnected.";
const CANCELLED = "The client cancelled the request.";
const DOWN = "The server is shutting down.";

const ENDINGS: Readonly<Record<string, Ending>> = {
  success: { tool: "succeed", told: all("well"), answer: /"text":"done"/ },
  "success at once": { tool: "succeed_now", told: all("well"), answer: /"text":"done"/ },
  throw: { tool: "refuse", told: all("No."), answer: /TOOL_ERROR/ },
  "an unexpected error": { tool: "crash", told: all("disk gone"), answer: /INTERNAL_ERROR/ },
  timeout: { tool: "heed_briefly", told: all(TIMED_OUT("heed_briefly")), answer: /TIMEOUT/ },
  "timeout, ignored": { tool: "ignore_briefly", told: all(TIMED_OUT("ignore_briefly")), answer: /TIMEOUT/ },
  disconnect: { tool: "heed", client: "leaves", told: all(LEFT) },
  "disconnect, ignored": { tool: "ignore", client: "leaves", told: all(LEFT) },
  cancel: { tool: "heed", client: "cancels", told: all(CANCELLED) },
  "cancel, ignored": { tool: "ignore", client: "cancels", told: all(CANCELLED) },
  "failing clean-up": { tool: "commit", told: partly("well", "commit failed"), answer: /INTERNAL_ERROR/ },
  "failing clean-up after a throw": { tool: "refuse_and_fail", told: all("No."), answer: /TOOL_ERROR/ },
  "failing to open": { tool: "no_way_in", told: all("no connection"), answer: /INTERNAL_ERROR/ },
};

/** The endings that a shutdown makes: calls that would go on. */
const SHUTDOWN: Readonly<Record<string, Ending>> = {
  shutdown: { tool: "heed", told: all(DOWN) },
  "shutdown, ignored": { tool: "ignore", told: all(DOWN) },
};

export interface EndingsReport {
  readonly calls: number;
  /** Calls by how they ended. */
  readonly endings: Readonly<Record<string, number>>;
  readonly opened: number;
  readonly closed: number;
  /** Calls whose dependencies were not closed in the reverse of the order in which they were opened. */
  readonly outOfOrder: number;
  /** Calls whose dependencies were not told how it ended. */
  readonly toldWrong: number;
  /** Calls that were answered otherwise than they ended. */
  readonly answeredWrong: number;
  /** Server-scoped dependencies that were opened, and closed after everything else. */
  readonly shared: readonly [opened: number, closed: number];
  /** From the end of a call, as its client or the server made it, to the last of its clean-ups: the longest of each kind. */
  readonly longestMs: Readonly<Record<string, number>>;
  /** What went wrong first, for whoever has to mend it. */
  readonly first: string | undefined;
}

/** What is known of one call. */
interface Ledger {
  readonly kind: string;
  readonly ending: Ending;
  readonly opened: number[];
  readonly closed: number[];
  readonly told: string[];
  endedAt: number;
  closedAt: number;
}

const PER_SHUTDOWN = 100;
const AT_ONCE = 32;

/** Makes so many calls end, in all ways alike. */
export async function endings(calls: number, random: Random): Promise<EndingsReport> {
  const trial = new Trial(random);
  const kinds = Object.keys(ENDINGS);
  const shutDown = Math.round((calls * 2) / (kinds.length + 2));
  const server = await trial.start();
  // What is loaded with the first session is no part of how long an ending takes.
  await trial.openSession(server);
  let next = 0;
  const worker = async () => {
    while (next < calls - shutDown) await trial.call(kinds[next++ % kinds.length] as string, server);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await server.close();
  for (let left = shutDown; left > 0; left -= PER_SHUTDOWN)
    await trial.shutDown(Math.min(left, PER_SHUTDOWN));
  return trial.report();
}

class Trial {
  readonly #random: Random;
  readonly #ledgers = new Map<string, Ledger>();
  readonly #counts: Record<string, number> = {};
  readonly #longest: Record<string, number> = {};
  readonly #sessions: { id: string; calls: number }[] = [];
  #answeredWrong = 0;
  #sharedOpened = 0;
  #sharedClosed = 0;
  #first: string | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  async start(): Promise<ListeningServer> {
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    const server = new MCPServer({
      name: "endings",
      version: "1.0.0",
      logger,
      http: { sessions: { max: 100_000 } },
    });
    this.#register(server);
    return server.run({ transport: "http", port: 0, signals: false, shutdown: { limit: 50 } });
  }

  async openSession({ url }: ListeningServer): Promise<void> {
    await this.#session(url);
  }

  /** One call to its end; the client waits until what was opened for it is closed, as far as it ever is. */
  async call(kind: string, { url }: ListeningServer): Promise<void> {
    const ending = ENDINGS[kind] as Ending;
    const [id, ledger] = this.#open(kind, ending);
    if (ending.client === "cancels") await this.#cancel(url, id, ledger);
    else if (ending.client === "leaves") await this.#leave(url, id, ledger);
    else await this.#expect(this.#post(url, id, ending.tool), kind, ledger);
    await this.#closed(ledger);
  }

  /** Ends a server while so many calls are under way. */
  async shutDown(calls: number): Promise<void> {
    const server = await this.start();
    const kinds = Object.keys(SHUTDOWN);
    const ledgers = Array.from({ length: calls }, (_, n) => {
      const kind = kinds[n % kinds.length] as string;
      const [id, ledger] = this.#open(kind, SHUTDOWN[kind] as Ending);
      this.#post(server.url, id, ledger.ending.tool).catch(() => {});
      return ledger;
    });
    for (const ledger of ledgers) await this.#begun(ledger);
    for (const ledger of ledgers) ledger.endedAt = performance.now();
    await server.close();
    for (const { opened, closed } of ledgers)
      if (closed.length !== opened.length) this.#wrong(`after close(): ${closed.length} of ${opened.length}`);
  }

  report(): EndingsReport {
    const ledgers = [...this.#ledgers.values()];
    for (const { kind, endedAt, closedAt } of ledgers)
      this.#longest[kind] = Math.max(this.#longest[kind] ?? 0, Math.round(closedAt - endedAt));
    const count = (wrong: (ledger: Ledger) => boolean) => ledgers.filter(wrong).length;
    return {
      calls: ledgers.length,
      endings: this.#counts,
      opened: sum(ledgers.map(({ opened }) => opened.length)),
      closed: sum(ledgers.map(({ closed }) => closed.length)),
      outOfOrder: count(({ opened, closed }) => String(closed) !== String(opened.toReversed())),
      toldWrong: count(({ ending, opened, told }) => {
        const wrong = String(told) !== String(ending.told(opened.length));
        if (wrong) this.#wrong(`${ending.tool} was told ${String(told)}`);
        return wrong;
      }),
      answeredWrong: this.#answeredWrong,
      shared: [this.#sharedOpened, this.#sharedClosed],
      longestMs: this.#longest,
      first: this.#first,
    };
  }

  #open(kind: string, ending: Ending): readonly [string, Ledger] {
    const id = String(this.#ledgers.size);
    const ledger: Ledger = { kind, ending, opened: [], closed: [], told: [], endedAt: 0, closedAt: 0 };
    this.#ledgers.set(id, ledger);
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    return [id, ledger];
  }

  async #expect(answer: Promise<string>, kind: string, ledger: Ledger): Promise<void> {
    const text = await answer;
    ledger.endedAt = performance.now();
    if (ledger.ending.answer?.test(text)) return;
    this.#answeredWrong++;
    this.#wrong(`${kind} was answered ${text}`);
  }

  async #leave(url: string, id: string, ledger: Ledger): Promise<void> {
    const leaving = new AbortController();
    this.#post(url, id, ledger.ending.tool, leaving.signal).catch(() => {});
    // Some leave while their dependencies are being opened.
    if (this.#random.chance(0.5)) await this.#begun(ledger);
    else while (ledger.opened.length < this.#random.int(1, DEEP)) await sleep(1);
    ledger.endedAt = performance.now();
    leaving.abort();
  }

  async #cancel(url: string, id: string, ledger: Ledger): Promise<void> {
    const session = await this.#session(url);
    const headers = { ...JSON_HEADERS, "mcp-session-id": session };
    const post = (message: object) =>
      fetch(url, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", ...message }) });
    const params = { name: ledger.ending.tool, _meta: { call: id } };
    const left = new AbortController();
    const body = JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params });
    fetch(url, { method: "POST", headers, body, signal: left.signal })
      .then((answer) => answer.text())
      .catch(() => {});
    await this.#begun(ledger);
    ledger.endedAt = performance.now();
    await (await post({ method: "notifications/cancelled", params: { requestId: id } })).text();
    // A cancelled request is not answered: its stream would stay.
    left.abort();
  }

  async #session(url: string): Promise<string> {
    const known = this.#sessions.at(-1);
    if (known && known.calls++ < 100) return known.id;
    const clientInfo = { name: "endings", version: "1.0.0" };
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params });
    const answer = await fetch(url, { method: "POST", headers: JSON_HEADERS, body });
    await answer.text();
    const id = answer.headers.get("mcp-session-id") as string;
    this.#sessions.push({ id, calls: 0 });
    return id;
  }

  /** Calls a tool, in one of the two eras. */
  async #post(url: string, id: string, name: string, signal?: AbortSignal): Promise<string> {
    const modern = this.#random.chance(0.5);
    const params = { name, _meta: { ...(modern && META), call: id } };
    const answer = await fetch(url, {
      method: "POST",
      headers: modern ? modernHeaders("tools/call", name) : JSON_HEADERS,
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
      ...(signal && { signal }),
    });
    return answer.text();
  }

  #begun({ opened }: Ledger): Promise<void> {
    return until(() => opened.length === DEEP);
  }

  async #closed({ opened, closed }: Ledger): Promise<void> {
    await until(() => opened.length > 0 && closed.length === opened.length).catch((error: Error) =>
      this.#wrong(error.message),
    );
  }

  #wrong(what: string): void {
    this.#first ??= what;
  }

  #register(server: MCPServer): void {
    const shared = dependency({ scope: "server" }, async function* (this: void) {
      await sleep(1);
      opened();
      yield "shared";
      closed();
    });
    const opened = () => void this.#sharedOpened++;
    const closed = () => void this.#sharedClosed++;
    const levels = (failing?: "opening" | "closing"): Dependency<string> => {
      let inner: Dependency<string> = shared;
      for (let level = 1; level <= DEEP; level++)
        inner = this.#level(level, inner, level === FAILING ? failing : undefined);
      return inner;
    };
    const about = { description: "Ends." };
    const heed = async (_args: object, { signal }: { readonly signal: AbortSignal }) => {
      if (!signal.aborted) await once(signal, "abort");
      throw new Error("aborted");
    };
    const ignore = () => new Promise(() => {});
    const refuse = () => {
      throw new ToolError("No.");
    };
    const plain = { ...about, inject: { inner: levels() } };
    const closing = { ...about, inject: { inner: levels("closing") } };
    server
      .tool("succeed", plain, async () => {
        await sleep(1);
        return "done";
      })
      .tool("succeed_now", plain, () => "done")
      .tool("refuse", plain, refuse)
      .tool("crash", plain, async () => {
        await sleep(1);
        throw new Error("disk gone");
      })
      .tool("heed", { ...plain, timeout: "60s" }, heed)
      .tool("ignore", { ...plain, timeout: "60s" }, ignore)
      .tool("heed_briefly", { ...plain, timeout: 50 }, heed)
      .tool("ignore_briefly", { ...plain, timeout: 50 }, ignore)
      .tool("commit", closing, () => "done")
      .tool("refuse_and_fail", closing, refuse)
      .tool("no_way_in", { ...about, inject: { inner: levels("opening") } }, () => "done");
  }

  /** One of eight: half of them wait as they open and close. */
  #level(
    level: number,
    outer: Dependency<string>,
    failing: "opening" | "closing" | undefined,
  ): Dependency<string> {
    const ledgers = this.#ledgers;
    const waits = level % 2 === 0;
    return dependency({ inject: { outer } }, async function* ({ meta }) {
      const ledger = ledgers.get(String(meta["call"])) as Ledger;
      if (waits) await sleep(0);
      if (failing === "opening") throw new Error("no connection");
      ledger.opened.push(level);
      let told = "well";
      try {
        yield String(level);
      } catch (error) {
        told = (error as Error).message;
      }
      if (waits) await sleep(0);
      ledger.closed.push(level);
      ledger.told.push(told);
      ledger.closedAt = performance.now();
      if (failing === "closing") throw new Error("commit failed");
    });
  }
}

const JSON_HEADERS = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
} as const;

/** Waits until something is so, within reason. */
async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error("What was opened is not closed after 10 s.");
    await sleep(1);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
