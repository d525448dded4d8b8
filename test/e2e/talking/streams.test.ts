/** What a call says before its result, and how it is cancelled, by every way. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { pause } from "../../support/talking-server.ts";
import { type Progress, TALKING_WAYS, type Talker, talk } from "../../support/talkers.ts";

describe.each(TALKING_WAYS)("$client, $era, over $over", (way) => {
  let talker: Talker;

  beforeAll(async () => {
    talker = await talk(way);
  });

  beforeEach(async () => {
    await talker.value("journal");
    talker.heard.length = 0;
  });

  afterAll(async () => {
    await talker.close();
  });

  const messages = () =>
    talker.heard.flatMap(({ method, params }) => (method === "notifications/message" ? [params] : []));

  test("progress comes as it is made, grows, and ends with the call", async () => {
    const reports: Progress[] = [];
    const result = await talker.value("work", { steps: 4 }, { onprogress: (report) => reports.push(report) });
    expect(result).toBe("worked");
    expect(reports).toEqual(
      [1, 2, 3, 4].map((step) => ({ progress: step, total: 4, message: `Step ${step}` })),
    );
  });

  test("progress does not flood, and tells all the same that all is done", async () => {
    const reports: number[] = [];
    const onprogress = ({ progress }: Progress) => reports.push(progress);
    expect(await talker.value("flood", {}, { onprogress })).toBe("flooded");
    expect(reports.length).toBeGreaterThan(40);
    expect(reports.length).toBeLessThan(150);
    expect(reports.at(-1)).toBe(500);
  });

  test("nothing is reported to who did not ask", async () => {
    expect(await talker.value("work")).toBe("worked");
    expect(talker.heard).toEqual([]);
  });

  test("nothing is said after the answer", async () => {
    await talker.logLevel("debug");
    const reports: Progress[] = [];
    expect(await talker.value("late", {}, { onprogress: (report) => reports.push(report) })).toBe("answered");
    await pause(80);
    expect(reports).toEqual([]);
    expect(messages()).toEqual([]);
  });

  test.each([
    ["debug", ["debug", "info", "warning", "emergency"]],
    ["warning", ["warning", "emergency"]],
    ["alert", ["emergency"]],
  ])("log messages from %s on", async (level, levels) => {
    await talker.logLevel(level);
    expect(await talker.value("chat")).toBe("logged");
    await expect.poll(() => messages().map((params) => params?.["level"])).toEqual(levels);
    expect(messages()).toContainEqual(expect.objectContaining({ level: "emergency", data: "the end" }));
  });

  test("log messages keep their logger and data", async () => {
    await talker.logLevel("info");
    await talker.value("chat");
    await expect
      .poll(messages)
      .toContainEqual(expect.objectContaining({ level: "info", logger: "chat", data: { event: "started" } }));
    expect(messages()).toContainEqual(expect.objectContaining({ level: "warning", data: ["low", "disk"] }));
  });

  test("a log message that cannot be written does not fail its call", async () => {
    await talker.logLevel("error");
    expect(await talker.value("loop")).toBe("logged");
    const told = "(a value that JSON cannot represent)";
    await expect.poll(() => messages().map((params) => params?.["data"])).toEqual([told, told]);
  });

  test("an aborted call fires its signal, is not answered, and leaves the server as it was", async () => {
    const controller = new AbortController();
    const call = talker.callTool("wait", {}, { signal: controller.signal }).then(
      () => "answered",
      () => "aborted",
    );
    await pause(150);
    controller.abort("Enough.");
    expect(await call).toBe("aborted");
    await expect
      .poll(async () => {
        const entries = (await talker.value("journal")) as string[];
        return entries.find((entry) => entry.startsWith("aborted"));
      })
      .toMatch(/^aborted: The client (?:disconnected|cancelled the request)\.$/);
    expect(await talker.value("work")).toBe("worked");
  });

  test("a call that succeeds never sees its signal fire", async () => {
    const calls = Array.from({ length: 5 }, () => talker.value("quick"));
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 5 }, () => "done"));
    await pause(30);
    expect(await talker.value("journal")).toEqual([]);
  });

  test("twenty calls at once keep their reports apart", async () => {
    const calls = Array.from({ length: 20 }, async (_, index) => {
      const seen: number[] = [];
      await talker.value("work", { steps: index + 1 }, { onprogress: ({ total }) => seen.push(total ?? 0) });
      return seen;
    });
    const all = await Promise.all(calls);
    for (const [index, seen] of all.entries()) expect(new Set(seen)).toEqual(new Set([index + 1]));
  });

  test("no client has found anything to complain of", () => {
    // Clients hand on what is said a tick later than answers, and so lose a report that arrives with one.
    const lost = /^Received a progress notification for an unknown token/;
    expect(talker.complaints.filter(({ message }) => !lost.test(message))).toEqual([]);
  });
});
