/** What handlers forget and nobody catches: it is logged, and everybody else's calls go on. */

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { MCPServer } from "gantry-mcp";
import { afterEach, describe, expect, test } from "vitest";
import { parseLog } from "../support/captured-log.ts";
import { envelope } from "../support/wire.ts";
import { DrainProcess } from "./drain-process.ts";

const FIXTURE = fileURLToPath(new URL("../fixtures/uncaught-server.ts", import.meta.url));
const HTTP = { transport: "http", port: 0, shutdown: { notice: 0 } };

let started: DrainProcess[] = [];

afterEach(() => {
  for (const { child } of started) child.kill("SIGKILL");
  started = [];
});

async function start(
  options: object,
): Promise<{ server: DrainProcess; call: (name: string) => Promise<string> }> {
  const server = new DrainProcess(options, FIXTURE);
  started.push(server);
  const url = `http://127.0.0.1:${await server.port()}/mcp`;
  const call = async (name: string) => {
    const answer = await fetch(url, envelope("tools/call", { name }));
    const { result } = (await answer.json()) as { result: { content: { text: string }[] } };
    return result.content.map(({ text }) => text).join();
  };
  return { server, call };
}

describe("an error that nobody catches, over HTTP", () => {
  test.each([
    [
      "throw_later",
      "Something was thrown that nobody catches, such as in a timer or a listener",
      "by a timer",
    ],
    [
      "reject_later",
      "A promise was rejected that nobody waits for: await it, or give it a catch()",
      "by a promise",
    ],
  ])("of %s is logged, and the server goes on", async (tool, message, cause) => {
    const { server, call } = await start({ run: HTTP });
    expect(await call(tool)).toBe("done");
    await server.says(cause);
    expect(await call("work")).toBe("worked");
    expect(parseLog(server.stderr)).toMatchObject([
      {
        level: "error",
        message,
        err: { message: cause, stack: expect.stringContaining("uncaught-server.ts") },
      },
    ]);
    server.kill();
    expect(await server.exit()).toMatchObject({ code: 0 });
  });

  test("ends the server in good order where its author prefers that, with code 1", async () => {
    const { server, call } = await start({ run: { ...HTTP, uncaught: "end" } });
    const working = call("work");
    await server.says("working");
    expect(await call("throw_later")).toBe("done");
    expect(await working).toBe("worked");
    expect(await server.exit()).toMatchObject({ code: 1, signal: null });
    expect(server.stderr).toMatch(/by a timer[^]*closed/);
  });

  test("ends the process at once where the server does not run yet", async () => {
    const server = new DrainProcess({ run: HTTP, early: true }, FIXTURE);
    started.push(server);
    expect(await server.exit()).toMatchObject({ code: 1 });
    expect(server.stderr).toContain("at the start");
    expect(server.stderr).not.toContain("running");
  });

  test("is logged so often in a second and no more: what logs may cause the next", async () => {
    const { call } = await start({ run: HTTP, loops: true });
    await call("throw_later");
    await sleep(500);
    expect(await call("work")).toBe("worked");
    const logged = Number(await call("entries"));
    expect(logged).toBeGreaterThan(1);
    expect(logged).toBeLessThan(200);
  });

  test("is counted where it is not logged, and told at the latest when the server ends", async () => {
    const { server, call } = await start({ run: HTTP });
    await Promise.all(Array.from({ length: 60 }, () => call("throw_later")));
    await server.says("by a timer");
    await sleep(50);
    const closed = once(server.child, "close");
    server.kill();
    await closed;
    const entries = parseLog(server.stderr).filter(({ level }) => level === "error");
    const counted = entries.map(({ notLogged = 1 }) => Number(notLogged));
    expect(counted.reduce((sum, count) => sum + count)).toBe(60);
    expect(entries.length).toBeLessThan(60);
  });

  test("is none where only the reader of what is printed has gone", async () => {
    const { server, call } = await start({ run: { ...HTTP, uncaught: "end" }, loops: true });
    server.child.stderr.destroy();
    server.child.stdout.destroy();
    for (let times = 0; times < 3; times++) expect(await call("print")).toBe("done");
    await sleep(100);
    expect(await call("work")).toBe("worked");
    expect(server.child.exitCode).toBeNull();
  });
});

test("on stdio it is logged too, and the client's session goes on", async () => {
  const server = new DrainProcess({ run: { transport: "stdio" } }, FIXTURE);
  started.push(server);
  await server.says("running");
  let said = "";
  server.child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  const call = (id: number, name: string) => {
    const { body } = envelope("tools/call", { name }) as { readonly body: string };
    server.child.stdin.write(`${JSON.stringify({ ...(JSON.parse(body) as object), id })}\n`);
    return expect.poll(() => said, { timeout: 10_000 }).toContain(`"id":${id}`);
  };
  await call(1, "throw_later");
  await server.says("by a timer");
  await call(2, "reject_later");
  await server.says("by a promise");
  await call(3, "work");
  expect(said).toContain("worked");
  server.child.stdin.end();
  expect(await server.exit()).toMatchObject({ code: 0 });
});

test("run() refuses to decide for a process that is not its own, and words that it does not know", async () => {
  const run = (options: object) =>
    new MCPServer({ name: "forgetful", version: "1.0.0" }).run({ transport: "stdio", ...options });
  await expect(run({ signals: false, uncaught: "end" })).rejects.toThrow(
    "with signals: false the process is yours",
  );
  await expect(run({ uncaught: "exit" })).rejects.toThrow('uncaught is "exit": write "log" or "end".');
});
