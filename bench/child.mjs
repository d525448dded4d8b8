// A child process that answers questions over IPC, on a processor of its own where the system lets us choose.
import { fork, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const onProcessor = (number) => spawnSync("taskset", ["-c", String(number), "true"]).status === 0;

/** Which processor each role gets; nothing where `taskset` is missing or may not have both. */
export const processors = onProcessor(0) && onProcessor(1) ? { server: 0, load: 1 } : undefined;

export class Child {
  #process;
  #waiting = new Map();
  #next = 0;
  #output = "";

  /** @param {string} file of this folder @param {"server" | "load"} role */
  constructor(file, role) {
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, NODE_ENV: "production" },
      execArgv: [],
      ...(processors && {
        execPath: "taskset",
        execArgv: ["-c", String(processors[role]), process.execPath],
      }),
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.on("data", (bytes) => (this.#output = (this.#output + bytes).slice(-4000)));
    }
    this.#process.on("message", ({ id, error, ...answer }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(answer);
      else reject(new Error(error));
    });
    this.#process.on("exit", () => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`${file} ended early.\n${this.#output}`));
    });
  }

  /** @returns {Promise<any>} */
  ask(ask, details = {}) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#process.send({ id, ask, ...details });
    });
  }

  stop() {
    this.#process.kill("SIGKILL");
  }
}
