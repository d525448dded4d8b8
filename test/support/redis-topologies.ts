/** Several Redis that work together, and one that encrypts; all on this machine. */

import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Cluster } from "ioredis";
import { freePort } from "./free-port.ts";
import { RedisServer, launch } from "./redis.ts";

/** Three primaries that share the slots. */
export class RedisCluster {
  readonly nodes: readonly RedisServer[];

  static async start(): Promise<RedisCluster> {
    const nodes = await Promise.all(
      Array.from({ length: 3 }, async () => {
        // By default a node talks to the others on its own port plus 10,000, which may be none.
        const bus = ["--cluster-port", String(await freePort())];
        return RedisServer.start(["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1", ...bus]);
      }),
    );
    const cluster = new RedisCluster(nodes);
    await cluster.#join();
    return cluster;
  }

  private constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes;
  }

  async #join(): Promise<void> {
    const [first] = this.nodes as readonly [RedisServer];
    const share = Math.ceil(16_384 / this.nodes.length);
    for (const [index, { client }] of this.nodes.entries()) {
      const last = Math.min((index + 1) * share, 16_384) - 1;
      await client.call("CLUSTER", "SET-CONFIG-EPOCH", String(index + 1));
      await client.cluster("ADDSLOTSRANGE", index * share, last);
      const [, bus] = /@(\d+)/.exec(String(await client.cluster("NODES"))) ?? [];
      if (index > 0)
        await first.client.call("CLUSTER", "MEET", "127.0.0.1", String(this.nodes[index]?.port), bus ?? "");
    }
    for (const { client } of this.nodes)
      while (!/cluster_state:ok[^]*cluster_known_nodes:3/.test(await client.cluster("INFO"))) await sleep(50);
  }

  /** A client as authors make it. */
  connect(): Cluster {
    return new Cluster(
      this.nodes.map(({ port }) => ({ host: "127.0.0.1", port })),
      { lazyConnect: true },
    );
  }

  /** All keys, wherever they are. */
  async keys(): Promise<readonly string[]> {
    return (await Promise.all(this.nodes.map(({ client }) => client.keys("*")))).flat();
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}

/** A primary, its replica, and the Sentinel that puts one in place of the other. */
export class RedisWithSentinel {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  /** Where the Sentinel is. */
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), "gantry-sentinel-"));
  #process: ChildProcess | undefined;

  static async start(): Promise<RedisWithSentinel> {
    const primary = await RedisServer.start(["--repl-diskless-sync-delay", "0"]);
    const replica = await RedisServer.start(["--replicaof", "127.0.0.1", String(primary.port)]);
    while (!(await replica.client.info("replication")).includes("master_link_status:up")) await sleep(50);
    const watched = new RedisWithSentinel(primary, replica, await freePort());
    await watched.#watch();
    return watched;
  }

  private constructor(primary: RedisServer, replica: RedisServer, port: number) {
    this.primary = primary;
    this.replica = replica;
    this.port = port;
  }

  async #watch(): Promise<void> {
    const file = join(this.#folder, "sentinel.conf");
    const settings = [
      `port ${this.port}`,
      "bind 127.0.0.1",
      `dir ${this.#folder}`,
      `sentinel monitor main 127.0.0.1 ${this.primary.port} 1`,
      "sentinel down-after-milliseconds main 500",
      "sentinel failover-timeout main 3000",
    ];
    writeFileSync(file, settings.join("\n"));
    this.#process = await launch([file, "--sentinel"], "+monitor", this.#folder);
    // It asks the primary for its replicas once in ten seconds, at first at once.
    const sentinel = this.primary.client.duplicate({ port: this.port });
    try {
      while (((await sentinel.call("SENTINEL", "replicas", "main")) as unknown[]).length === 0)
        await sleep(50);
    } finally {
      sentinel.disconnect();
    }
  }

  async stop(): Promise<void> {
    if (this.#process?.kill("SIGKILL")) await once(this.#process, "exit");
    await Promise.all([this.primary.stop(), this.replica.stop()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A Redis that also listens with TLS, by a certificate of its own. */
export interface EncryptedRedis {
  readonly server: RedisServer;
  readonly url: string;
  /** What vouches for its certificate. */
  readonly ca: string;
}

export async function encryptedRedis(): Promise<EncryptedRedis> {
  const folder = mkdtempSync(join(tmpdir(), "gantry-tls-"));
  try {
    const [key, certificate, port] = [join(folder, "key.pem"), join(folder, "cert.pem"), await freePort()];
    const subject = ["-subj", "/CN=gantry test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
    const made = ["-keyout", key, "-out", certificate];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    execFileSync("openssl", ["req", "-x509", ...kind, ...subject, ...made], { stdio: "ignore" });
    const tls = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no"];
    const server = await RedisServer.start(["--tls-port", String(port), ...tls]);
    return { server, url: `rediss://127.0.0.1:${port}`, ca: readFileSync(certificate, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
