import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export const projectRoot: string = fileURLToPath(new URL("../..", import.meta.url));
export const taskApi: string = fileURLToPath(new URL("../../examples/task-api/main.ts", import.meta.url));

/** The Task API in a process of its own, listening on a free port of its choice. */
export class TaskApiProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly #stderr: () => string;

  static async start(args: readonly string[], env: Record<string, string> = {}): Promise<TaskApiProcess> {
    const child = spawn(process.execPath, ["--import", "tsx", taskApi, "--port", "0", ...args], {
      cwd: projectRoot,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const url = await new Promise<string>((resolve, reject) => {
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        output += chunk;
        const [, found] = /Connect a client to (http\S+):\n/.exec(output) ?? [];
        if (found !== undefined) resolve(found);
      });
      child.once("error", reject);
      child.once("exit", (code) =>
        reject(new Error(`The Task API ended with ${code} before it was ready:\n${output}`)),
      );
    });
    return new TaskApiProcess(child, url, () => output);
  }

  private constructor(child: ChildProcess, url: string, stderr: () => string) {
    this.child = child;
    this.url = url;
    this.#stderr = stderr;
  }

  get stderr(): string {
    return this.#stderr();
  }

  /** Sends a signal and resolves with the exit code, which is null after a kill. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const exit = once(this.child, "exit");
    this.child.kill(signal);
    const [code] = await exit;
    return code;
  }
}
