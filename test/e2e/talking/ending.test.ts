/** What holds up the end of a server, and what does not. */

import { spawn } from "node:child_process";
import { connect } from "node:net";
import { Agent, request } from "node:http";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";
import { pause, talkingServer } from "../../support/talking-server.ts";
import { connectTo } from "../../support/talkers.ts";
import { META, modern, modernHeaders } from "../../support/wire.ts";

const SOON = 5_000;
const FIXTURE = fileURLToPath(new URL("../../fixtures/talking-server.ts", import.meta.url));

/** How long `end` takes, in milliseconds. */
async function duration(end: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await end();
  return performance.now() - started;
}

describe("the end of a server", () => {
  test("waits for a call that has begun to speak, and not for its connection", async () => {
    const running = await listen(talkingServer());
    const agent = new Agent({ keepAlive: true });
    const message = modern("tools/call", {
      name: "work",
      arguments: { steps: 20 },
      _meta: { ...META, progressToken: 1 },
    });
    let text = "";
    let whole: Promise<unknown> | undefined;
    const spoken = new Promise<void>((resolve) => {
      const headers = modernHeaders("tools/call", "work");
      request(running.url, { agent, method: "POST", headers }, (response) => {
        whole = new Promise((done) => response.once("end", done));
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString();
          resolve();
        });
      }).end(JSON.stringify(message));
    });
    await spoken;
    expect(await duration(running.close)).toBeLessThan(SOON);
    await whole;
    expect(text).toContain('"text":"worked"');
    agent.destroy();
  });

  test("does not wait for a connection that was opened in reserve", async () => {
    const running = await listen(talkingServer());
    const socket = connect(running.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    expect(await duration(running.close)).toBeLessThan(SOON);
    socket.destroy();
  });

  test.each(["client 2.4", "sdk 1.32"] as const)(
    "lets a session's call finish, and ends its streams: %s",
    async (client) => {
      const running = await listen(talkingServer({ http: { sessions: true }, logger: capturedLog().logger }));
      const talker = await connectTo(running.url, { client, era: "legacy", over: "sessions" });
      const reports: number[] = [];
      const call = talker.value(
        "work",
        { steps: 30 },
        { onprogress: ({ progress }) => reports.push(progress) },
      );
      await expect.poll(() => reports.length).toBeGreaterThan(2);
      const ending = duration(running.close);
      expect(await call).toBe("worked");
      expect(await ending).toBeLessThan(SOON);
      await talker.close();
    },
  );

  test("does not wait on stdio for answers of a client that has ended the input", async () => {
    const server = spawn(process.execPath, ["--import", "tsx", FIXTURE], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    const say = (message: object) =>
      server.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    const params = {
      protocolVersion: "2025-11-25",
      capabilities: { elicitation: {} },
      clientInfo: { name: "leaver", version: "1" },
    };
    say({ id: 1, method: "initialize", params });
    say({ method: "notifications/initialized" });
    say({ id: 2, method: "tools/call", params: { name: "deploy", arguments: { service: "api" } } });
    let text = "";
    const asked = new Promise<void>((resolve) => {
      server.stdout.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes("elicitation/create")) resolve();
      });
    });
    await asked;
    const ended = new Promise<void>((resolve) => server.once("close", () => resolve()));
    expect(
      await duration(async () => {
        server.stdin.end();
        await ended;
      }),
    ).toBeLessThan(SOON);
    expect(server.exitCode).toBe(0);
    expect(text).toContain("INPUT_INVALID");
  });

  test("ends every subscription with a result", async () => {
    const running = await listen(talkingServer());
    const talker = await connectTo(running.url, { client: "client 2.4", era: "modern", over: "http" });
    const one = await talker.listen({ toolsListChanged: true });
    const two = await talker.listen({ resourceSubscriptions: ["board://status"] });
    expect(await duration(running.close)).toBeLessThan(SOON);
    expect(await Promise.all([one?.closed, two?.closed])).toEqual(["graceful", "graceful"]);
    await pause(0);
    await talker.close();
  });
});
