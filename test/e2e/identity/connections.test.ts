/** Identity belongs to requests: what one connection or session tells of its callers, one after the other. */

import { type ListeningServer, MCPServer, authenticate } from "gantry-mcp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CALLER_WAYS, Callers } from "../../support/callers.ts";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";
import { issue, tokens } from "../../support/tokens.ts";
import { envelope } from "../../support/wire.ts";

const A = { sub: "a", roles: ["admin"] };
const B = { sub: "b", roles: ["viewer"] };

describe.each(CALLER_WAYS.filter(({ over }) => over === "http"))("$client, $era, over $over", (way) => {
  let callers: Callers;
  beforeAll(async () => {
    callers = await Callers.start(way);
  });
  afterAll(() => callers.close());

  test("one connection, several callers: each request is its own", async () => {
    const caller = await callers.connect(issue(A));
    expect(await caller.call("whoami")).toMatchObject({ client_id: "a", roles: ["admin"] });
    caller.token = issue(B);
    expect(await caller.call("whoami")).toMatchObject({ client_id: "b", roles: ["viewer"] });
    expect(await caller.refused("delete_task", { task_id: "1" })).toMatchObject({ code: "ACCESS_DENIED" });
    caller.token = undefined;
    expect(await caller.refused("whoami")).toMatchObject({ status: 401, code: "AUTHENTICATION_ERROR" });
    caller.token = issue(A);
    expect(await caller.call("delete_task", { task_id: "1" })).toEqual({ deleted: "1" });
    caller.token = issue(A, -10);
    expect(await caller.refused("whoami")).toMatchObject({ status: 401, message: "Token expired" });
    await caller.close();
  });
});

describe.each(CALLER_WAYS.filter(({ over }) => over === "sessions"))("$client, $era, over $over", (way) => {
  let callers: Callers;
  beforeAll(async () => {
    callers = await Callers.start(way);
  });
  afterAll(() => callers.close());

  test("a session is one caller's, whatever tokens it renews, and goes by what the latest says", async () => {
    const caller = await callers.connect(issue(A));
    expect(await caller.call("whoami")).toMatchObject({ client_id: "a", roles: ["admin"] });
    caller.token = issue({ ...A, roles: ["viewer"], scope: "tasks:write" });
    expect(await caller.call("whoami")).toMatchObject({
      client_id: "a",
      roles: ["viewer"],
      scopes: ["tasks:write"],
    });
    expect(await caller.refused("delete_task", { task_id: "1" })).toMatchObject({ code: "ACCESS_DENIED" });
    caller.token = issue(B);
    expect(await caller.refused("whoami")).toMatchObject({
      status: 404,
      message: "Session not found: initialize again.",
    });
    caller.token = undefined;
    expect(await caller.refused("whoami")).toMatchObject({ status: 401, code: "AUTHENTICATION_ERROR" });
    caller.token = issue(A);
    expect(await caller.call("delete_task", { task_id: "1" })).toEqual({ deleted: "1" });
    await caller.close();
  });
});

describe("who opened a session unknown may go on by name", () => {
  const way = CALLER_WAYS.find(({ over }) => over === "sessions")!;
  test("and then it is theirs", async () => {
    const callers = await Callers.start(way);
    const caller = await callers.connect();
    expect(await caller.call("greet")).toEqual({ hello: "anonymous" });
    caller.token = issue(A);
    expect(await caller.call("whoami")).toMatchObject({ client_id: "a" });
    caller.token = issue(B);
    expect(await caller.refused("whoami")).toMatchObject({ status: 404 });
    caller.token = undefined;
    expect(await caller.refused("greet")).toMatchObject({ status: 404 });
    await caller.close();
    await callers.close();
  });
});

describe("where nothing is public", () => {
  const hooks: string[] = [];
  const closed = (sessions: boolean): MCPServer =>
    new MCPServer({ name: "closed", version: "1.0.0", logger: capturedLog().logger, http: { sessions } })
      .use(
        authenticate(tokens, {
          onAuthenticate: (client, { operation: { kind, name } }) =>
            void hooks.push(`${kind} ${name} for ${client.clientId}`),
        }),
      )
      .tool("secret", { description: "Secret." }, (_args, { client }) => client.clientId);
  let running: ListeningServer;
  beforeAll(async () => {
    running = await listen(closed(true));
  });
  afterAll(() => running.close());

  test.each(CALLER_WAYS.filter(({ over }) => over !== "stdio"))(
    "nobody unknown gets in, and the hook runs once for each call: $client, $era, over $over",
    async (way) => {
      const callers = await Callers.start(way, {}, () => closed(way.over === "sessions"));
      await expect(callers.connect()).rejects.toThrow(/Missing authentication token|Unauthorized|401/);
      const caller = await callers.connect(issue(A));
      hooks.length = 0;
      expect(await caller.call("secret")).toBe("a");
      expect(hooks).toEqual(["tool secret for a"]);
      hooks.length = 0;
      expect(await caller.driver.list("tools")).toHaveLength(1);
      expect(hooks).toEqual(["list tools for a"]);
      // What is no operation is not looked up. The modern revision has no such thing.
      if (way.era === "legacy") await caller.driver.request("ping");
      expect(hooks).toEqual(["list tools for a"]);
      await caller.close();
      await callers.close();
    },
  );

  test("answers 401 to everybody unknown, also to what would be wrong", async () => {
    const answers = await Promise.all(
      [
        envelope("tools/call", { name: "secret", arguments: {} }),
        envelope("tools/call", {}),
        envelope("nope/nope"),
        envelope("tools/list", { cursor: 5 }),
        envelope("subscriptions/listen", { notifications: 7 }),
      ].map(async (request) => (await fetch(running.url, request)).status),
    );
    expect(answers).toEqual([401, 401, 401, 401, 401]);
  });
});
