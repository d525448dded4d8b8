/** A Prometheus of a test's own: on a free port of this machine, with its data in a temporary folder. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

/** A series that answers a query, and its value now. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Answer {
  readonly status: "success" | "error";
  readonly error?: string;
  readonly data?: {
    readonly result: readonly { readonly metric: Sample["metric"]; readonly value: [number, string] }[];
  };
}

export class Prometheus {
  readonly #url: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  /** @param config - As in `prometheus.yml`. */
  static async start(config: string): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), "gantry-prometheus-"));
    const file = join(folder, "prometheus.yml");
    writeFileSync(file, config);
    const port = await freePort();
    const child = spawn(
      "prometheus",
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=warn",
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    const failed = new Promise<never>((_resolve, reject) => {
      child.once("error", () =>
        reject(new Error("There is no prometheus. Install it: apt-get install prometheus")),
      );
      child.once("exit", () => reject(new Error(`prometheus ended:\n${output}`)));
    });
    failed.catch(() => {});
    const prometheus = new Prometheus(`http://127.0.0.1:${port}`, child, folder);
    try {
      await Promise.race([prometheus.#ready(), failed]);
    } catch (error) {
      await prometheus.stop();
      throw error;
    }
    return prometheus;
  }

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.#url = url;
    this.#process = child;
    this.#folder = folder;
  }

  /** What a query gives now. Rejects with what Prometheus says where it is none. */
  async query(promql: string): Promise<readonly Sample[]> {
    const response = await fetch(
      `${this.#url}/api/v1/query?${new URLSearchParams({ query: promql }).toString()}`,
    );
    const { status, error, data } = (await response.json()) as Answer;
    if (status !== "success") throw new Error(`${promql}\n${error}`);
    return (data?.result ?? []).map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    for (;;) {
      const ready = await fetch(`${this.#url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (ready) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
