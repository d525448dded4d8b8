/** The load server in a process of its own, so that its memory and its time are its own. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { HttpOptions } from "gantry-mcp";
import type { Answers } from "./load-server.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = fileURLToPath(new URL("./load-server.ts", import.meta.url));

export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #asked = 0;
  /** What the server wrote on stderr: its log. */
  stderr = "";

  static async start(http: HttpOptions = {}): Promise<ServerProcess> {
    const child = fork(program, [JSON.stringify(http)], {
      cwd: root,
      execArgv: ["--expose-gc", "--import", "tsx"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
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

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  ask<K extends keyof Answers>(
    ask: K,
    ...args: Parameters<Answers[K]>
  ): Promise<Awaited<ReturnType<Answers[K]>>> {
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
