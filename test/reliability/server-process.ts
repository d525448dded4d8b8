/** A server in a process of its own, so that its memory and its time are its own. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Answers } from "./load-server.ts";
import type { Answering } from "./own-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const LOAD_SERVER = new URL("./load-server.ts", import.meta.url);

export class ServerProcess<A extends Answering = Answers> {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #asked = 0;
  /** What the server wrote on stderr: its log. */
  stderr = "";

  /**
   * @param program - Takes the options as JSON and answers as `own-process.ts` does. Default: the load server.
   * @param env - More variables of its environment.
   */
  static async start<A extends Answering = Answers>(
    options: object = {},
    program: URL = LOAD_SERVER,
    env: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess<A>> {
    const child = fork(fileURLToPath(program), [JSON.stringify(options)], {
      cwd: root,
      execArgv: ["--expose-gc", "--import", "tsx"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, ...env },
    });
    let early = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (early += text));
    const started = await Promise.race([once(child, "message"), once(child, "exit")]);
    const [message] = started as [{ readonly port: number } | number];
    if (typeof message !== "object") throw new Error(`The server did not start:\n${early}`);
    return new ServerProcess(child, message.port);
  }

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.stderr?.on("data", (text: string) => (this.stderr += text));
    child.on("message", ({ id, answer }: { id: number; answer: unknown }) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
  }

  /** Where the server's log is read, to read it more slowly or not at all. */
  get reader(): Readable | null {
    return this.#child.stderr;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  /** How many files and sockets it has open, where the system tells. */
  get descriptors(): number {
    try {
      return readdirSync(`/proc/${this.pid}/fd`).length;
    } catch {
      return 0;
    }
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  ask<K extends keyof A & string>(ask: K, ...args: Parameters<A[K]>): Promise<Awaited<ReturnType<A[K]>>> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve as (answer: unknown) => void);
      this.#child.send({ id, ask, args: args[0] });
    });
  }

  async stop(): Promise<void> {
    if (!this.alive) return;
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    await exited;
  }
}
