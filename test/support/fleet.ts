/** Several servers in processes of their own behind a proxy that shares requests out, and callers of them. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FleetOptions } from "../fixtures/fleet-server.ts";
import { type Proxy, roundRobin } from "./proxies.ts";
import { envelope } from "./wire.ts";

const PROGRAM = fileURLToPath(new URL("../fixtures/fleet-server.ts", import.meta.url));

export interface Member {
  readonly process: ChildProcess;
  readonly port: number;
  /** What it wrote on stderr. */
  readonly log: () => string;
}

/** What became of a call: its text, or the code of its error. */
export type Called = { readonly text: string } | { readonly code: string };

export class Fleet {
  readonly members: readonly Member[];
  readonly #proxy: Proxy;
  readonly #folder: string;

  static async start(
    url: string,
    { count = 2, busy = 30, name = "fleet" }: { count?: number; busy?: number; name?: string } = {},
  ): Promise<Fleet> {
    const folder = mkdtempSync(join(tmpdir(), "gantry-fleet-"));
    const options: FleetOptions = { name, url, journal: join(folder, "journal"), busy };
    writeFileSync(options.journal, "");
    const members = await Promise.all(Array.from({ length: count }, () => started(options)));
    const alive = () => members.filter(({ process }) => process.exitCode === null && !process.killed);
    const proxy = await roundRobin(() => alive().map(({ port }) => port));
    return new Fleet(members, proxy, folder);
  }

  private constructor(members: readonly Member[], proxy: Proxy, folder: string) {
    this.members = members;
    this.#proxy = proxy;
    this.#folder = folder;
    process.once("exit", this.#clear);
  }

  readonly #clear = (): void => rmSync(this.#folder, { recursive: true, force: true });

  /** The URL of a member's endpoint, or of the proxy's. */
  url(member?: number): string {
    const { port } = member === undefined ? this.#proxy : (this.members[member] as Member);
    return `http://127.0.0.1:${port}/mcp`;
  }

  /** Calls a tool, of one member or of the next in turn. */
  async call(name: string, args: object = {}, member?: number): Promise<Called> {
    const answer = await fetch(this.url(member), envelope("tools/call", { name, arguments: args }));
    const { result } = (await answer.json()) as {
      result?: { readonly content: readonly [{ readonly text: string }]; readonly isError?: boolean };
    };
    if (!result) return { code: `HTTP ${answer.status}` };
    const [{ text }] = result.content;
    return result.isError ? { code: (JSON.parse(text) as { error: { code: string } }).error.code } : { text };
  }

  /** Gets the prompt; the text or the code of what became of it. */
  async prompt(member?: number): Promise<string> {
    const answer = await fetch(this.url(member), envelope("prompts/get", { name: "upstream" }));
    const { error } = (await answer.json()) as { error?: { readonly data?: { readonly code: string } } };
    return error?.data?.code ?? "up";
  }

  /** Whether a member says that it is ready. */
  async ready(member: number): Promise<boolean> {
    const answer = await fetch(new URL("/health/ready", this.url(member)));
    await answer.arrayBuffer();
    return answer.ok;
  }

  /** The effects that calls had, oldest first. */
  journal(): readonly string[] {
    return readFileSync(join(this.#folder, "journal"), "utf8").split("\n").slice(0, -1);
  }

  async stop(): Promise<void> {
    await this.#proxy.close();
    await Promise.all(
      this.members.map(async ({ process }) => {
        if (process.exitCode !== null || process.signalCode !== null) return;
        const exited = once(process, "exit");
        process.disconnect();
        await exited;
      }),
    );
    process.off("exit", this.#clear);
    this.#clear();
  }
}

async function started(options: FleetOptions): Promise<Member> {
  const child = fork(PROGRAM, [JSON.stringify(options)], {
    execArgv: ["--import", "tsx"],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let log = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (log += text));
  const [message] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [
    { readonly port: number } | number,
  ];
  if (typeof message !== "object") throw new Error(`The server did not start:\n${log}`);
  return { process: child, port: message.port, log: () => log };
}
