/** What the guide's steps 9 and 10 promise, seen by the official clients over HTTP, in sessions and on stdio. */

import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { capturedLog } from "../support/captured-log.ts";
import { listen } from "../support/listening.ts";
import { pipelineServer } from "../support/pipeline-server.ts";
import { TALKING_WAYS, type Talker, type TalkingWay, connectTo, startAndTalk } from "../support/talkers.ts";

const WAYS: readonly TalkingWay[] = [
  ...TALKING_WAYS,
  { client: "client 2.4", era: "legacy", over: "http" },
  { client: "sdk 1.32", era: "legacy", over: "http" },
];

const PROGRAM = fileURLToPath(new URL("../fixtures/pipeline-server.ts", import.meta.url));
const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async function talkTo(way: TalkingWay): Promise<Talker> {
  if (way.over === "stdio") return startAndTalk(PROGRAM, way, { capabilities: {} });
  const { logger } = capturedLog();
  const { url, close } = await listen(
    pipelineServer({ logger, http: { sessions: way.over === "sessions" } }),
  );
  return connectTo(url, way, { capabilities: {} }, close);
}

describe.each(WAYS)("$client, $era, over $over", (way) => {
  let client: Talker;
  beforeAll(async () => {
    client = await talkTo(way);
  }, 60_000);
  afterAll(() => client.close());

  const events = async () => (await client.value("observe")) as string[];
  /** What happens from now on, once it is so much. */
  const happening = async (count: number, work: () => Promise<unknown>) => {
    const { length } = await events();
    await work();
    return vi.waitFor(
      async () => {
        const since = (await events()).slice(length);
        expect(since.length).toBeGreaterThanOrEqual(count);
        return since;
      },
      { timeout: 10_000 },
    );
  };

  test("step 9: a dependency is no argument, is opened for the call and closed after it", async () => {
    const tools = await client.list("tools");
    const { inputSchema } = tools.find(({ name }) => name === "query_tasks") ?? {};
    expect(inputSchema).toMatchObject({ properties: { sql: { type: "string" } }, required: ["sql"] });
    const since = await happening(3, async () => {
      expect(await client.value("query_tasks", { sql: "select *" })).toEqual([
        { id: "1", title: "Review PR" },
      ]);
    });
    expect(since).toEqual(["connect query_tasks by pool", "execute select *", "close"]);
  });

  test("step 9: it stays closed for arguments that do not fit", async () => {
    const since = await happening(0, async () => {
      expect(await client.callTool("query_tasks", { sql: 1 })).toMatchObject({ isError: true });
    });
    expect(since).toEqual([]);
  });

  test("step 9: resources and prompts have dependencies too", async () => {
    const since = await happening(6, async () => {
      await client.read("tasks://7");
      await client.prompt("plan");
    });
    expect(since).toEqual([
      "connect tasks://7 by pool",
      "execute 7",
      "close",
      "connect plan by pool",
      "execute plan",
      "close",
    ]);
  });

  // Without a session, a 2025-era client has no way to name the call that it cancels, and its connection stays.
  const cancellable = way.over !== "http" || way.era === "modern" ? ["wait"] : [];
  test.each(cancellable)(
    "step 9: a client that cancels ends the call, and its dependency is told: %s",
    async (name) => {
      const since = await happening(2, async () => {
        const leaving = new AbortController();
        const { length } = await events();
        const call = client.callTool(name, {}, { signal: leaving.signal }).catch(String);
        await vi.waitFor(async () => expect((await events()).length).toBeGreaterThan(length), {
          timeout: 10_000,
        });
        leaving.abort();
        expect(await call).toMatch(/abort|cancel/i);
      });
      expect(since).toEqual([
        "connect wait by pool",
        expect.stringMatching(/^close: The client (cancelled the request|disconnected)\.$/),
      ]);
    },
  );

  test("step 9: background tasks run in order after the answer; a failing one stops nothing", async () => {
    const since = await happening(3, async () => {
      expect(await client.value("process_data", { data: "D" })).toBe("Processing started");
    });
    expect(since).toEqual(["process", "Data processed: D", "used process_data"]);
  });

  test("step 10: each call has a request id, and the trace that it names", async () => {
    const first = (await client.value("traced_operation", { data: "d" })) as Record<string, string>;
    const second = (await client.value(
      "traced_operation",
      { data: "d" },
      { _meta: { traceparent: TRACEPARENT } },
    )) as Record<string, string>;
    expect(first).toEqual({
      processed: "d",
      trace_id: expect.stringMatching(/^[\da-f]{12}$/),
      parent: "none",
    });
    expect(second["parent"]).toBe("00f067aa0ba902b7");
    expect(second["trace_id"]).not.toBe(first["trace_id"]);
  });

  test("step 10: the metadata of a response are middleware's, and nowhere in the answer", async () => {
    const since = await happening(1, async () => {
      const result = await client.callTool("create_order", { product_id: "p-7" });
      expect(JSON.parse(result.content[0]?.text ?? "")).toEqual({ order_id: "o-1", status: "created" });
      expect(JSON.stringify(result)).not.toMatch(/audit|p-7/);
    });
    expect(since).toEqual(['metadata {"audit_action":"order.create","product_id":"p-7"}']);
  });
});
