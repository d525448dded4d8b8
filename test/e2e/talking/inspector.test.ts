/** The official Inspector's command line, over HTTP and stdio, in both eras. */

import type { ListeningServer } from "gantry-mcp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Inspector, inspector } from "../../support/inspector.ts";
import { listen } from "../../support/listening.ts";
import { stepServer } from "../../support/step-servers.ts";

const STDIO = [process.execPath, "--import", "tsx", "test/fixtures/step-server.ts", "3"];

let cli: Inspector | undefined;
let stateless: ListeningServer;
let sessions: ListeningServer;

// The first run on a machine fetches the Inspector.
beforeAll(async () => {
  [stateless, sessions] = await Promise.all([
    listen(stepServer(3)),
    listen(stepServer(3, { http: { sessions: true } })),
  ]);
  cli = await inspector();
}, 240_000);

afterAll(async () => {
  cli?.remove();
  await Promise.all([stateless.close(), sessions.close()]);
});

/** What the Inspector is made to do, and what has to be in its answer. */
const ACTIONS = {
  "tools/list": [[], { tools: expect.arrayContaining([expect.objectContaining({ name: "structured" })]) }],
  "tools/call": [
    ["--tool-name", "structured", "--tool-args-json", "{}"],
    { content: [{ type: "text" }], structuredContent: { total: 2 } },
  ],
  "resources/read": [["--uri", "tasks://42"], { contents: [{ text: '{"id":"42","title":"Task 42"}' }] }],
  "prompts/get": [
    ["--prompt-name", "task_summary", "--prompt-args", "project=apollo"],
    { messages: [{ content: { text: "Summarize all all tasks for project apollo." } }] },
  ],
} as const;

type Action = keyof typeof ACTIONS;

const ALL = Object.keys(ACTIONS) as Action[];

// Each run is a process, over stdio two: what HTTP has shown is not shown again in full.
test.each<[string, () => string | readonly string[], string, readonly Action[]]>([
  ["2025 over HTTP", () => stateless.url, "legacy", ALL],
  ["2026 over HTTP", () => stateless.url, "modern", ALL],
  ["whichever it agrees on, over HTTP", () => stateless.url, "auto", ["tools/call"]],
  ["2025 over HTTP, in a session", () => sessions.url, "legacy", ["tools/call"]],
  ["2025 over stdio", () => STDIO, "legacy", ["tools/call", "resources/read"]],
  ["2026 over stdio", () => STDIO, "modern", ["tools/list", "prompts/get"]],
])("%s", { timeout: 120_000 }, async (_way, server, era, actions) => {
  for (const action of actions) {
    const [options, expected] = ACTIONS[action];
    const answer = await cli?.run(server(), "--protocol-era", era, "--method", action, ...options);
    expect(answer).toMatchObject(expected);
  }
});
