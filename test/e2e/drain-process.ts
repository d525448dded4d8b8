/** A server in a process of its own, which takes signals. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const fixture = fileURLToPath(new URL("./drain-server.ts", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** How long after the signal, in milliseconds. */
  readonly after: number;
}

export class DrainProcess {
  readonly child: ChildProcessWithoutNullStreams;
  stderr = "";
  readonly #exited: Promise<unknown[]>;

  /** @param program - Takes the options as JSON, and says "running" when it does. Default: the drain fixture. */
  constructor(options: object, program: string = fixture) {
    this.child = spawn(process.execPath, ["--import", "tsx", program, JSON.stringify(options)], {
      cwd: root,
    });
    this.child.stderr.setEncoding("utf8").on("data", (chunk: string) => (this.stderr += chunk));
    this.#exited = once(this.child, "exit");
  }

  /** Resolves once stderr shows `text`. */
  async says(text: string): Promise<void> {
    while (!this.stderr.includes(text)) {
      const { exitCode, signalCode } = this.child;
      if (exitCode !== null || signalCode !== null)
        throw new Error(`It ended with ${exitCode ?? signalCode}:\n${this.stderr}`);
      await Promise.race([once(this.child.stderr, "data"), this.#exited]);
    }
  }

  /** The port, once it listens. */
  async port(): Promise<number> {
    await this.says("/mcp");
    await this.says("running");
    return Number(/http:\/\/127\.0\.0\.1:(\d+)\/mcp/.exec(this.stderr)?.[1]);
  }

  kill(signal: NodeJS.Signals = "SIGTERM"): void {
    this.child.kill(signal);
  }

  /** Resolves when the process has ended. */
  async exit(): Promise<Exit> {
    const started = performance.now();
    const [code, signal] = (await this.#exited) as [number | null, NodeJS.Signals | null];
    return { code, signal, after: Math.round(performance.now() - started) };
  }
}
