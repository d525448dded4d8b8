/** What holds up the end of a server, and what does not. */

import { connect } from "node:net";
import { Agent, request } from "node:http";
import { describe, expect, test } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";
import { pause, talkingServer } from "../../support/talking-server.ts";
import { connectTo } from "../../support/talkers.ts";
import { META, modern, modernHeaders } from "../../support/wire.ts";

const SOON = 5_000;

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
