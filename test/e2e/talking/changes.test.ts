/** Changes, told to who listens: `subscriptions/listen`, and what the 2025 era had in its place. */

import { MCPServer } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";
import { WATCHED, pause, talkingServer } from "../../support/talking-server.ts";
import { TALKING_WAYS, type Talker, connectTo, talk } from "../../support/talkers.ts";
import { type Answer as Sent, META, modern, modernHeaders, send } from "../../support/wire.ts";

const ALL = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true } as const;
const LISTS = [
  "notifications/prompts/list_changed",
  "notifications/resources/list_changed",
  "notifications/tools/list_changed",
];

describe.each(TALKING_WAYS)("$client, $era, over $over", (way) => {
  let talker: Talker;

  beforeAll(async () => {
    talker = await talk(way);
  });

  beforeEach(() => {
    talker.heard.length = 0;
  });

  afterAll(async () => {
    await talker.close();
  });

  const methods = () => talker.heard.map(({ method }) => method).toSorted();
  const updated = () => talker.heard.map(({ params }) => params?.["uri"]);

  test("a list that changes is told once for all that changes in one go", async () => {
    const subscription = await talker.listen(ALL);
    await talker.value("toggle");
    await expect.poll(methods).toEqual(LISTS);
    await talker.value("toggle");
    await expect.poll(methods).toEqual([...LISTS, ...LISTS].toSorted());
    await subscription?.close();
  });

  test("a resource that changes is told to who follows it, until he no longer does", async () => {
    const subscription = await talker.listen({ resourceSubscriptions: [WATCHED] });
    await talker.value("touch");
    await expect.poll(updated).toEqual([WATCHED]);
    if (subscription) await subscription.close();
    else await talker.unfollow(WATCHED);
    await talker.value("touch");
    await pause(80);
    expect(updated()).toEqual([WATCHED]);
  });

  test("nothing is told that nobody asked for", async () => {
    const subscription = await talker.listen({ promptsListChanged: true });
    await talker.value("touch");
    await talker.value("toggle");
    // Before 2026-07-28 nobody asks for changes of lists, and everybody hears of them.
    const expected = way.era === "modern" ? ["notifications/prompts/list_changed"] : LISTS;
    await expect.poll(methods).toEqual(expected);
    await pause(50);
    expect(methods()).toEqual(expected);
    await subscription?.close();
  });

  test("no client has found anything to complain of", () => {
    expect(talker.complaints).toEqual([]);
  });
});

describe("subscriptions/listen", () => {
  const modernWay = { client: "client 2.4", era: "modern", over: "http" } as const;

  test("is agreed to while every component is disabled, since they may come back", async () => {
    const server = new MCPServer({ name: "changes", version: "1.0.0" })
      .tool("a", { description: "A." }, () => "a")
      .disable({ tool: "a" });
    const client = await TestClient.connect(server);
    const changes = await client.listen(ALL);
    expect(changes.acknowledged).toEqual({ toolsListChanged: true });
    expect(await client.listTools()).toEqual([]);
    server.enable({ tool: "a" });
    expect(await changes.next()).toEqual({ method: "notifications/tools/list_changed", params: {} });
    await changes.close();
  });

  test("is acknowledged with what the server agrees to: of what it has, and resources that are there", async () => {
    const server = new MCPServer({ name: "changes", version: "1.0.0" })
      .tool("a", { description: "A." }, () => "a")
      .resource("fixed://it", { name: "it", description: "It." }, () => "it")
      .resource("item://{id}", { name: "item", description: "Item." }, ({ id }) => id);
    const running = await listen(server);
    const talker = await connectTo(running.url, modernWay);
    const uris = ["fixed://it", "item://7", "item://7/deeper", "other://it", "fixed://it"];
    const subscription = await talker.listen({ ...ALL, resourceSubscriptions: uris });
    expect(subscription?.honoredFilter).toEqual({
      toolsListChanged: true,
      resourcesListChanged: true,
      resourceSubscriptions: ["fixed://it", "item://7"],
    });
    await subscription?.close();
    expect(await subscription?.closed).toBe("local");
    await talker.close();
    await running.close();
  });

  test("hears of every way in which components come and go", async () => {
    const server = new MCPServer({ name: "changes", version: "1.0.0" })
      .tool("a", { description: "A.", tags: ["group"] }, () => "a")
      .prompt("b", { description: "B.", tags: ["group"] }, () => "b")
      .resource("c://it", { name: "c", description: "C." }, () => "c");
    const running = await listen(server);
    const talker = await connectTo(running.url, modernWay);
    await talker.listen(ALL);
    const heardAfter = async (change: () => void) => {
      talker.heard.length = 0;
      change();
      await pause(60);
      return talker.heard.map(({ method }) => method.split("/")[1] ?? "").toSorted();
    };
    expect(await heardAfter(() => server.tool("new", { description: "New." }, () => "new"))).toEqual([
      "tools",
    ]);
    expect(await heardAfter(() => server.disable({ tool: "new" }))).toEqual(["tools"]);
    expect(await heardAfter(() => server.enable({ tool: "new" }))).toEqual(["tools"]);
    expect(await heardAfter(() => server.remove({ tool: "new" }))).toEqual(["tools"]);
    expect(await heardAfter(() => server.prompt("p", { description: "P." }, () => "p"))).toEqual(["prompts"]);
    expect(
      await heardAfter(() => server.resource("r://{x}", { name: "r", description: "R." }, () => "r")),
    ).toEqual(["resources"]);
    expect(await heardAfter(() => server.disable({ tag: "group" }))).toEqual(["prompts", "tools"]);
    const many = () => {
      for (let i = 0; i < 50; i++) server.tool(`many_${i}`, { description: "One of many." }, () => i);
      server.enable({ tag: "group" });
    };
    expect(await heardAfter(many)).toEqual(["prompts", "tools"]);
    expect((await talker.list("tools")).length).toBe(51);
    await talker.close();
    await running.close();
  });

  test("reaches every subscription of every client, each under its own id", async () => {
    const running = await listen(talkingServer());
    const talkers = await Promise.all(Array.from({ length: 5 }, () => connectTo(running.url, modernWay)));
    for (const talker of talkers) {
      await talker.listen({ resourceSubscriptions: [WATCHED] });
      await talker.listen({ resourceSubscriptions: [WATCHED, "report://x"] });
    }
    await talkers[0]?.value("touch");
    for (const { heard } of talkers) {
      await expect.poll(() => heard.length).toBe(2);
      const ids = heard.map(({ params = {} }) => JSON.stringify(params["_meta"]));
      expect(new Set(ids).size).toBe(2);
    }
    await Promise.all(talkers.map((talker) => talker.close()));
    await running.close();
  });

  const messagesIn = ({ text }: Sent): Record<string, unknown>[] =>
    text
      .split("\n")
      .flatMap((line) =>
        line.startsWith("data: ") ? [JSON.parse(line.slice(6)) as Record<string, unknown>] : [],
      );

  test.each([{}, { toolsListChanged: false }, { resourceSubscriptions: ["no://where"] }])(
    "ends at once where there is nothing to tell: %j",
    async (filter) => {
      const running = await listen(talkingServer());
      const answer = await send(running.url, {
        headers: modernHeaders("subscriptions/listen"),
        body: JSON.stringify(modern("subscriptions/listen", { notifications: filter }, "my-id")),
      });
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        "content-type": "text/event-stream",
        "x-accel-buffering": "no",
        "cache-control": "no-cache, no-transform",
      });
      expect(messagesIn(answer)).toEqual([
        {
          jsonrpc: "2.0",
          method: "notifications/subscriptions/acknowledged",
          params: { _meta: { "io.modelcontextprotocol/subscriptionId": "my-id" }, notifications: {} },
        },
        {
          jsonrpc: "2.0",
          id: "my-id",
          result: {
            resultType: "complete",
            _meta: {
              "io.modelcontextprotocol/subscriptionId": "my-id",
              "io.modelcontextprotocol/serverInfo": { name: "talking", version: "1.0.0" },
            },
          },
        },
      ]);
      await running.close();
    },
  );

  test.each([
    [undefined, -32602, 200],
    [null, -32602, 200],
    [[], -32602, 200],
    [{ toolsListChanged: 1 }, -32602, 200],
    [{ resourceSubscriptions: "board://status" }, -32602, 200],
    [{ resourceSubscriptions: [7] }, -32602, 200],
    [{ resourceSubscriptions: Array.from({ length: 101 }, (_, i) => `item://${i}`) }, -32602, 200],
  ])("refuses a filter that is none: %j", async (notifications, code, status) => {
    const running = await listen(talkingServer());
    const answer = await send(running.url, {
      headers: modernHeaders("subscriptions/listen"),
      body: JSON.stringify(modern("subscriptions/listen", { notifications })),
    });
    expect(answer).toMatchObject({ code, status });
    await running.close();
  });

  test("refuses a client that reads no streams", async () => {
    const running = await listen(talkingServer());
    const answer = await send(running.url, {
      headers: { ...modernHeaders("subscriptions/listen"), accept: "application/json" },
      body: JSON.stringify(modern("subscriptions/listen", { notifications: ALL })),
    });
    expect(answer).toMatchObject({ status: 406, code: -32600 });
    await running.close();
  });

  test("is answered 503 where there are too many, until one ends", async () => {
    const log = capturedLog();
    const running = await listen(talkingServer({ http: { maxStreams: 2 }, logger: log.logger }));
    const talker = await connectTo(running.url, modernWay);
    const first = await talker.listen(ALL);
    const second = await talker.listen(ALL);
    const another = () =>
      send(running.url, {
        headers: modernHeaders("subscriptions/listen"),
        body: JSON.stringify(modern("subscriptions/listen", { notifications: ALL }, 9)),
      });
    const refused = await another();
    expect(refused).toMatchObject({
      status: 503,
      code: -32603,
      headers: { "retry-after": expect.any(String) },
    });
    // Everything else is served.
    expect(await talker.value("quick")).toBe("done");
    await first?.close();
    await expect
      .poll(async () => (await talker.listen(ALL).catch(() => undefined))?.honoredFilter)
      .toEqual(ALL);
    await second?.close();
    await talker.close();
    await running.close();
  });

  test("passes the middleware, which may refuse it", async () => {
    const seen: string[] = [];
    const server = talkingServer().use(async (ctx, next) => {
      seen.push(`${ctx.operation.kind} ${ctx.operation.name}`);
      if (ctx.operation.kind === "subscription" && ctx.clientInfo?.name !== "friend") throw new Error("No.");
      return next();
    });
    const running = await listen(server);
    const ask = (name: string) =>
      send(running.url, {
        headers: modernHeaders("subscriptions/listen"),
        body: JSON.stringify(
          modern("subscriptions/listen", {
            notifications: {},
            _meta: { ...META, "io.modelcontextprotocol/clientInfo": { name, version: "1" } },
          }),
        ),
      });
    expect(await ask("stranger")).toMatchObject({ status: 200, code: -32603 });
    expect(messagesIn(await ask("friend"))).toHaveLength(2);
    expect(seen).toEqual(["subscription subscriptions/listen", "subscription subscriptions/listen"]);
    await running.close();
  });

  test("a subscriber that leaves is forgotten", async () => {
    const running = await listen(talkingServer({ http: { maxStreams: 1 } }));
    for (let i = 0; i < 20; i++) {
      const talker = await connectTo(running.url, modernWay);
      await expect
        .poll(async () => (await talker.listen(ALL).catch(() => undefined))?.honoredFilter)
        .toEqual(ALL);
      await talker.close();
    }
    await running.close();
  });
});

describe("an event bus", () => {
  test("that two servers share tells the clients of both", async () => {
    const { memoryEventBus } = await import("gantry-mcp");
    const eventBus = memoryEventBus();
    const [one, two] = await Promise.all([
      listen(talkingServer({ eventBus })),
      listen(talkingServer({ eventBus, http: { sessions: true } })),
    ]);
    const modernOne = await connectTo(one.url, { client: "client 2.4", era: "modern", over: "http" });
    const oldTwo = await connectTo(two.url, { client: "sdk 1.32", era: "legacy", over: "sessions" });
    await modernOne.listen({ resourceSubscriptions: [WATCHED] });
    await oldTwo.listen({ resourceSubscriptions: [WATCHED] });
    await modernOne.value("touch");
    await oldTwo.value("touch");
    for (const { heard } of [modernOne, oldTwo]) await expect.poll(() => heard.length).toBe(2);
    await Promise.all([modernOne.close(), oldTwo.close()]);
    await Promise.all([one.close(), two.close()]);
  });

  test("that may have missed changes has all who listen read again what they follow", async () => {
    const { memoryEventBus } = await import("gantry-mcp");
    const eventBus = memoryEventBus();
    const running = await listen(talkingServer({ eventBus, http: { sessions: true } }));
    const young = await connectTo(running.url, { client: "client 2.4", era: "modern", over: "http" });
    const old = await connectTo(running.url, { client: "sdk 1.32", era: "legacy", over: "sessions" });
    await young.listen({ toolsListChanged: true, resourceSubscriptions: [WATCHED] });
    await old.listen({ resourceSubscriptions: [WATCHED] });
    await eventBus.publish({ kind: "changes_missed" });
    const told = (heard: typeof young.heard) =>
      heard.map(({ method, params }) => [method, params?.["uri"]].join(" ").trim()).toSorted();
    const updated = `notifications/resources/updated ${WATCHED}`;
    await expect.poll(() => told(young.heard)).toEqual([updated, "notifications/tools/list_changed"]);
    await expect.poll(() => told(old.heard)).toContain(updated);
    expect(told(old.heard)).toContain("notifications/tools/list_changed");
    await Promise.all([young.close(), old.close()]);
    await running.close();
  });

  test("that fails is logged, and whoever changed something goes on", async () => {
    const log = capturedLog();
    let fail: () => void | Promise<void> = () => {
      throw new Error("bus down");
    };
    const server = talkingServer({
      logger: log.logger,
      eventBus: { publish: () => fail(), subscribe: () => () => {} },
    });
    const running = await listen(server);
    server.notify.resourceUpdated(WATCHED);
    fail = async () => Promise.reject(new Error("bus gone"));
    server.notify.resourceUpdated(WATCHED);
    server.tool("more", { description: "More." }, () => "more");
    await pause(10);
    const failures = log.entries().filter(({ message }) => message === "An event could not be published");
    expect(failures.map(({ err }) => (err as Error).message)).toEqual(["bus down", "bus gone", "bus gone"]);
    await running.close();
  });
});
