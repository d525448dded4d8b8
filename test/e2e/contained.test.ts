/** What one call does stays in it: others' contexts, answers and the server's end are not its own. */

import { setTimeout as sleep } from "node:timers/promises";
import { MCPServer, dependency } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { expect, test } from "vitest";
import { capturedLog } from "../support/captured-log.ts";
import { listen } from "../support/listening.ts";
import { envelope } from "../support/wire.ts";

const about = { description: "Does it." };

function make(): { readonly server: MCPServer; readonly log: ReturnType<typeof capturedLog> } {
  const log = capturedLog();
  return { server: new MCPServer({ name: "contained", version: "1.0.0", logger: log.logger }), log };
}

test("what only has a then(), which returns nothing, is waited for as await would", async () => {
  const { server } = make();
  const query = (rows: unknown) => ({
    // oxlint-disable-next-line unicorn/no-thenable -- as query builders are
    then(resolve: (value: unknown) => void) {
      setTimeout(resolve, 5, rows);
    },
  });
  server.tool("rows", about, () => query([1, 2]) as never);
  server.tool("nested", about, () => query(Promise.resolve([3])) as never);
  server.resource("rows://all", { ...about, name: "rows" }, () => query("4") as never);
  const client = await TestClient.connect(server);
  expect(await client.call("rows")).toEqual([1, 2]);
  expect(await client.call("nested")).toEqual([3]);
  expect(await client.readResource("rows://all")).toMatchObject({ contents: [{ text: "4" }] });
});

test("sets and maps are sent as what they hold, however a subclass iterates", async () => {
  const { server } = make();
  const otherwise = function* () {
    yield ["other", 1];
    yield ["another", 2];
  };
  server.tool("collections", about, () => [
    Object.assign(new Set(["one"]), { [Symbol.iterator]: otherwise }),
    Object.assign(new Map([["two", 2]]), { [Symbol.iterator]: otherwise }),
  ]);
  const client = await TestClient.connect(server);
  expect(await client.call("collections")).toEqual([["one"], { two: 2 }]);
});

test("what a context says of its operation cannot be changed for the calls that follow", async () => {
  const { server, log } = make();
  const tagged = { ...about, tags: ["open"] };
  server.tool("rename", tagged, (_args, { operation }) => {
    Object.assign(operation, { name: "other" });
  });
  server.tool("tag", tagged, (_args, { operation }) => void (operation.tags as string[]).push("closed"));
  server.tool("tell", tagged, (_args, { operation }) => operation);
  const client = await TestClient.connect(server);
  await expect(client.call("rename")).rejects.toThrow("An internal error occurred.");
  await expect(client.call("tag")).rejects.toThrow("An internal error occurred.");
  expect(log.entries().map(({ name }) => name)).toEqual(["rename", "tag"]);
  expect(await client.call("tell")).toMatchObject({ name: "tell", tags: ["open"] });
});

test("what a library puts on all objects is sent in no header", async () => {
  const { server } = make();
  const everywhere = Object.prototype as unknown as Record<string, unknown>;
  server.tool("pollute", { ...about, rateLimit: "100/min" }, () => {
    everywhere["inherited"] = "secret";
    return "done";
  });
  const { url, close } = await listen(server);
  try {
    const answer = await fetch(url, envelope("tools/call", { name: "pollute" }));
    expect(answer.headers.get("ratelimit")).toContain("r=99");
    expect(JSON.stringify([...answer.headers])).not.toContain("secret");
  } finally {
    delete everywhere["inherited"];
    await close();
  }
});

test("a dependency that is never opened keeps neither its call nor the server's end waiting", async () => {
  const { server } = make();
  const ended: string[] = [];
  const stuck = dependency(() => new Promise<string>(() => {}));
  server.tool("stuck", { ...about, inject: { stuck }, timeout: 50 }, () => "done");
  server.onShutdown(() => ended.push("closed"));
  const { url, close } = await listen(server, { shutdown: { limit: 100 } });
  const answer = await fetch(url, envelope("tools/call", { name: "stuck" }));
  expect(await answer.text()).toContain("TIMEOUT");
  // By now it is not waited for any more, but would be closed if it were opened.
  await sleep(700);
  await close();
  expect(ended).toEqual(["closed"]);
});
