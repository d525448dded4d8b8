/** A Redis of a test's own: on a free port of this machine, with its data in a temporary folder. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "./free-port.ts";

export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #settings: readonly string[];
  #process: ChildProcess | undefined;
  #client: Redis | undefined;

  /** @param settings - Further ones, as `redis-server` takes them: `["--requirepass", "secret"]`. */
  static async start(settings: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), settings);
    await server.start();
    return server;
  }

  private constructor(port: number, settings: readonly string[]) {
    this.port = port;
    this.#settings = settings;
    this.#folder = mkdtempSync(join(tmpdir(), "gantry-redis-"));
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, anew after {@link kill}: it keeps its port, and nothing else. */
  async start(): Promise<void> {
    const own = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.#folder, "--save", ""];
    const settings = [...own, "--enable-debug-command", "yes", ...this.#settings];
    this.#process = await launch(settings, "Ready to accept connections", this.#folder);
  }

  /** A client for what tests do to it. */
  get client(): Redis {
    if (!this.#client) {
      this.#client = new Redis(this.url, { maxRetriesPerRequest: null });
      this.#client.on("error", () => {});
    }
    return this.#client;
  }

  /** Ends it: by default as a crash would. */
  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  }

  async stop(): Promise<void> {
    this.#client?.disconnect();
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Starts a redis-server, until it says that it is ready. It does not outlive the tests, whatever becomes of them, nor does its folder.
 *
 * @throws where it ends before.
 */
export async function launch(args: readonly string[], ready: string, folder: string): Promise<ChildProcess> {
  const child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "inherit"] });
  const end = () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));
  child.on("error", () => {});
  let output = "";
  for await (const text of child.stdout) {
    output += String(text);
    if (output.includes(ready)) {
      child.stdout.resume();
      return child;
    }
  }
  throw new Error(`redis-server did not start; install it: apt-get install redis-server\n${output}`);
}
