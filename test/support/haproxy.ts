/** A HAProxy of a test's own with the configuration in deploy/: on a free port of this machine, in front of servers of the test's. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../docs/program.ts";
import { freePort } from "./free-port.ts";

const CONFIGURATION = readFileSync(join(root, "deploy/haproxy.cfg"), "utf8");

export class HAProxy {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  /** @param servers - The URLs of two, which stand for the servers `one` and `two` of the configuration. */
  static async start(servers: readonly [string, string]): Promise<HAProxy> {
    const [one, two] = servers.map((url) => new URL(url).host);
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "gantry-haproxy-"));
    const file = join(folder, "haproxy.cfg");
    writeFileSync(
      file,
      CONFIGURATION.replace("bind :8080", `bind 127.0.0.1:${port}`)
        .replace("one:8080", String(one))
        .replace("two:8080", String(two)),
    );
    // Where Debian has it, who is not root does not look.
    const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin` };
    const child = spawn("haproxy", ["-db", "-f", file], { env, stdio: ["ignore", "ignore", "pipe"] });
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    let failure: string | undefined;
    child.once("error", () => (failure = "There is no haproxy. Install it: apt-get install haproxy"));
    child.once("exit", () => (failure ??= `haproxy ended:\n${output}`));
    const proxy = new HAProxy(`http://127.0.0.1:${port}/mcp`, child, folder);
    // Before the first checks it has no server: 503.
    while ((await proxy.#status()) !== 405) {
      if (failure !== undefined) throw new Error(failure);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return proxy;
  }

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#process = child;
    this.#folder = folder;
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #status(): Promise<number | undefined> {
    return fetch(this.url).then(
      ({ status }) => status,
      () => undefined,
    );
  }
}
