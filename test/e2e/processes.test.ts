/** One port, several processes: what calls share, what a crash costs, and how all of them end. */

import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { verifyAudit } from "gantry-mcp";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { AuditFolder, KEY } from "../support/audited.ts";
import { META, envelope } from "../support/wire.ts";
import { DrainProcess } from "./drain-process.ts";
import { drainRounds } from "./drain-rounds.ts";

const PROGRAM = fileURLToPath(new URL("./processes-server.ts", import.meta.url));

interface ToolAnswer {
  readonly isError?: boolean;
  readonly content?: readonly { readonly text: string }[];
  readonly requestState?: string;
  readonly inputRequests?: Readonly<Record<string, unknown>>;
}

/** Each call has a connection of its own: the next goes to another process. */
async function call(port: number, name: string, args: object = {}, more: object = {}): Promise<ToolAnswer> {
  const params = { name, arguments: args, ...more };
  const request = envelope("tools/call", params, { connection: "close" });
  const response = await fetch(`http://127.0.0.1:${port}/mcp`, request);
  return ((await response.json()) as { result: ToolAnswer }).result;
}

/** The process ids of all workers. */
async function workers(port: number): Promise<readonly number[]> {
  const pids = await times(12, async () => Number(text(await call(port, "who"))));
  // 0 would be this test itself.
  return [...new Set(pids)].filter((pid) => pid > 1);
}

const text = ({ content }: ToolAnswer) => content?.[0]?.text ?? "";
const times = <T>(count: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

describe("what processes share", () => {
  let server: DrainProcess;
  let port: number;
  beforeAll(async () => {
    server = new DrainProcess({ processes: 3 }, PROGRAM);
    port = await server.port();
  });
  afterAll(() => void server.child.kill("SIGKILL"));

  it("is one port", async () => {
    const pids = await workers(port);
    expect(pids).toHaveLength(3);
    expect(pids).not.toContain(server.child.pid);
    expect(server.stderr).toContain('"processes":3');
  });

  it("is how often callers have called", async () => {
    const answers = await times(30, () => call(port, "limited"));
    expect(answers.filter(({ isError }) => !isError)).toHaveLength(10);
  });

  it("is one page of metrics", async () => {
    await times(12, () => call(port, "who"));
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const counted = [...page.matchAll(/^gantry_calls_total\{worker="(\d)",.*component="who".*\} (\d+)$/gm)];
    expect(new Set(counted.map(([, worker]) => worker))).toEqual(new Set(["1", "2", "3"]));
    expect(counted.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(24);
  });

  it("is what is kept: one run for all, until it is old", async () => {
    const first = await times(12, async () => text(await call(port, "kept")));
    expect(new Set(first).size).toBe(1);
    await call(port, "change");
    const second = await times(12, async () => text(await call(port, "kept")));
    expect(new Set(second).size).toBe(1);
    expect(second[0]).not.toBe(first[0]);
  });

  it("is what has had its effect", async () => {
    const paid = await times(9, async () => text(await call(port, "pay", { order: "7" })));
    expect(new Set(paid).size).toBe(1);
  });

  it("is how many calls are under way", async () => {
    const answers = await times(9, () => call(port, "narrow"));
    expect(answers.filter(({ isError }) => !isError)).toHaveLength(2);
    await expect(call(port, "narrow")).resolves.not.toHaveProperty("isError");
  });

  it("is what has been found broken", async () => {
    const codes: string[] = [];
    for (let i = 0; i < 8; i++)
      codes.push(/"code":"(\w+)"/.exec(text(await call(port, "broken")))?.[1] ?? "");
    expect(codes).toEqual([
      ...Array<string>(4).fill("INTERNAL_ERROR"),
      ...Array<string>(4).fill("CIRCUIT_OPEN"),
    ]);
  });

  it("is what opens the state of a question", async () => {
    const asked = await times(6, () =>
      call(
        port,
        "ask",
        {},
        { _meta: { ...META, "io.modelcontextprotocol/clientCapabilities": { elicitation: {} } } },
      ),
    );
    const answers = await Promise.all(
      asked.map(async ({ requestState, inputRequests }) => {
        const [key = ""] = Object.keys(inputRequests ?? {});
        const inputResponses = { [key]: { action: "accept", content: { yes: true } } };
        const _meta = { ...META, "io.modelcontextprotocol/clientCapabilities": { elicitation: {} } };
        return text(await call(port, "ask", {}, { requestState, inputResponses, _meta }));
      }),
    );
    expect(answers).toEqual(Array(6).fill(expect.stringMatching(/^yes from \d+$/)));
    expect(new Set(answers).size).toBeGreaterThan(1);
  });

  it("is what has changed", async () => {
    const listeners = await times(6, async () => {
      const listening = envelope(
        "subscriptions/listen",
        { notifications: { resourceSubscriptions: ["notes://1"] } },
        { connection: "close" },
      );
      const response = await fetch(`http://127.0.0.1:${port}/mcp`, listening);
      return (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
    });
    const heard = listeners.map(async (reader) => {
      let all = "";
      while (!all.includes("notifications/resources/updated")) {
        const { value, done } = await reader.read();
        if (done) return "ended";
        all += value;
      }
      await reader.cancel();
      return "heard";
    });
    await call(port, "touch");
    expect(await Promise.all(heard)).toEqual(Array(6).fill("heard"));
  });
});

describe("a worker that is killed", () => {
  it("costs its own calls alone, and is replaced", { timeout: 60_000 }, async () => {
    const server = new DrainProcess({ processes: 2 }, PROGRAM);
    onTestFinished(() => void server.child.kill("SIGKILL"));
    const port = await server.port();
    const [victim, survivor] = (await workers(port)) as [number, number];
    const outcomes = new Map<string, number>();
    const load = { on: true };
    const loading = times(20, async (index) => {
      while (load.on) {
        const nonce = `${index} ${Math.random()}`;
        const outcome = await call(port, "work", { ms: 30, nonce }).then(
          (answer) => (text(answer) === nonce ? "answered" : "wrong"),
          () => "lost",
        );
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    });
    await sleep(500);
    process.kill(victim, "SIGKILL");
    await server.says("A worker ended unexpectedly");
    await expect.poll(() => workers(port), { timeout: 20_000 }).toHaveLength(2);
    load.on = false;
    await loading;
    expect(outcomes.get("wrong")).toBeUndefined();
    // At most what it had been given at that moment.
    expect(outcomes.get("lost") ?? 0).toBeLessThanOrEqual(20);
    expect(outcomes.get("answered")).toBeGreaterThan(100);
    const after = await workers(port);
    expect(after).toContain(survivor);
    expect(after).not.toContain(victim);
    expect(after).toHaveLength(2);
    server.kill();
    expect(await server.exit()).toMatchObject({ code: 0 });
  });

  it("gives back the places of its calls", async () => {
    const server = new DrainProcess({ processes: 2 }, PROGRAM);
    onTestFinished(() => void server.child.kill("SIGKILL"));
    const port = await server.port();
    const busy = times(2, () => call(port, "narrow").catch(() => "lost"));
    await sleep(100);
    for (const pid of await workers(port)) process.kill(pid, "SIGKILL");
    await busy;
    await server.says("A worker ended unexpectedly");
    await expect.poll(() => call(port, "narrow").then(text, String), { timeout: 10_000 }).toBe("passed");
  });

  it("leaves no client waiting whose connection it was just given", { timeout: 60_000 }, async () => {
    const server = new DrainProcess({ processes: 2 }, PROGRAM);
    onTestFinished(() => void server.child.kill("SIGKILL"));
    const port = await server.port();
    const [victim] = (await workers(port)) as [number];
    // Stopped, it takes nothing in: it is given one connection, and the other worker gets the rest.
    process.kill(victim, "SIGSTOP");
    const calls = times(6, () => call(port, "work", { ms: 0, nonce: "answered" }).then(text, () => "closed"));
    await sleep(500);
    process.kill(victim, "SIGKILL");
    const outcomes = await Promise.race([calls, sleep(20_000, ["one waits for ever"], { ref: false })]);
    expect(outcomes.toSorted()).toEqual([...Array<string>(5).fill("answered"), "closed"]);
  });
});

describe("a worker in which nobody catches an error", () => {
  it("answers its calls, ends and is replaced, while others go on", { timeout: 60_000 }, async () => {
    const options = { processes: 2, uncaught: "end", shutdown: { notice: 0 } };
    const server = new DrainProcess(options, PROGRAM);
    onTestFinished(() => void server.child.kill("SIGKILL"));
    const port = await server.port();
    const before = await workers(port);
    expect(before).toHaveLength(2);
    // So many that each worker has some of them.
    const working = times(8, (index) => call(port, "work", { ms: 1_500, nonce: `${index}` }));
    await sleep(500);
    const culprit = Number(text(await call(port, "throw_later")));
    await server.says("A worker ended unexpectedly");
    expect((await working).map(text)).toEqual(Array.from({ length: 8 }, (_, index) => `${index}`));
    await expect.poll(() => workers(port), { timeout: 20_000 }).toHaveLength(2);
    const after = await workers(port);
    expect(after).not.toContain(culprit);
    expect(after.filter((pid) => before.includes(pid))).toHaveLength(1);
    expect(server.stderr).toMatch(new RegExp(`thrown later[^]*ended ${culprit}\n[^]*"code":1`));
    expect(server.stderr.match(/^ended \d+$/gm)).toHaveLength(1);
    server.kill();
    expect(await server.exit()).toMatchObject({ code: 0 });
  });
});

describe("the end of several processes", () => {
  it("fails none of the requests that a load balancer sends", { timeout: 120_000 }, async () => {
    const report = await drainRounds(3, 2);
    expect(report).toMatchObject({ rounds: 3, failed: 0, badExits: 0, problems: [] });
    expect(report.openedAfterSignal).toBeGreaterThan(0);
  });

  it("comes also while workers start", async () => {
    const server = new DrainProcess({ processes: 2, shutdown: { notice: 0 } }, PROGRAM);
    await server.says("running");
    server.kill();
    expect(await server.exit()).toMatchObject({ code: 0, after: expect.toSatisfy((ms) => ms < 10_000) });
  });

  it("comes also while a worker is started again and reads its program", async () => {
    const options = { processes: 2, shutdown: { notice: 0 }, reading: 1_500 };
    const server = new DrainProcess(options, PROGRAM);
    onTestFinished(() => void server.child.kill("SIGKILL"));
    const [victim] = (await workers(await server.port())) as [number];
    process.kill(victim, "SIGKILL");
    await server.says("A worker ended unexpectedly");
    // It is begun 100 ms later.
    await sleep(1_000);
    server.kill();
    expect(await server.exit()).toMatchObject({ code: 0 });
    expect(server.stderr).not.toContain("could not be started again");
  });

  it("closes all that was recorded: the first process, which serves nobody, records nothing", async () => {
    const folder = new AuditFolder();
    const log = { file: folder.file, key: KEY };
    const server = new DrainProcess({ processes: 2, shutdown: { notice: 0 }, log }, PROGRAM);
    onTestFinished(() => void server.child.kill("SIGKILL"));
    const port = await server.port();
    await workers(port);
    server.kill();
    expect(await server.exit()).toMatchObject({ code: 0 });
    expect(folder.segments()).toHaveLength(2);
    expect(await verifyAudit(log)).toMatchObject({ ok: true, notes: [] });
  });

  it("comes also where the first process is killed: the workers finish what they do", async () => {
    const server = new DrainProcess({ processes: 2 }, PROGRAM);
    const port = await server.port();
    const under = call(port, "work", { ms: 1_000, nonce: "finished" });
    await sleep(200);
    server.kill("SIGKILL");
    expect(text(await under)).toBe("finished");
    await expect.poll(() => server.stderr.match(/^ended \d+$/gm)?.length, { timeout: 5_000 }).toBe(2);
  });
});

describe("processes that cannot serve", () => {
  it.each([
    ["start", "A worker did not start: it ended with code 1"],
    ["sessions", "A session lives in one process"],
    ["tokens", "The token endpoint for development keeps its tokens in one process"],
    ["twice", "The program runs such a server already"],
  ])("are not started: %s", async (fault, why) => {
    const server = new DrainProcess({ processes: 2, fault }, PROGRAM);
    onTestFinished(() => void server.child.kill("SIGKILL"));
    expect(await server.exit()).toMatchObject({ code: 1 });
    expect(server.stderr).toContain(why);
  });

  it.each([0, 1.5, -1, "all"])("are refused: %s", async (processes) => {
    const server = new DrainProcess({ processes }, PROGRAM);
    expect(await server.exit()).toMatchObject({ code: 1 });
    expect(server.stderr).toContain('write a whole number from 1, or "auto"');
  });
});
