/** Tags that tools invalidate, and nothing has: most likely they are misspelt. */

import { MCPRouter, MCPServer, type MCPServerOptions, cached, memoryCache } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";

const about = { description: "About it." };
const kept = { ...about, cache: { ttl: "5m" } } as const;

/** A server, and the tags that it warns of. */
function watched(options: Partial<MCPServerOptions> = {}) {
  const { logger, entries } = capturedLog();
  const server = new MCPServer({ name: "tags", version: "1.0.0", logger, ...options });
  const warned = async () => {
    await (await TestClient.connect(server)).listTools();
    return entries().flatMap(({ level, message }) => (level === "warn" ? [message] : []));
  };
  return { server, warned, entries };
}

test("a misspelt tag is told at the start, with the one that was meant", async () => {
  const { server, warned, entries } = watched();
  server
    .tool("list", { ...kept, tags: ["tasks"] }, () => "")
    .tool("create", { ...about, invalidates: ["task"] }, () => "")
    .tool("import", { ...about, invalidates: ["tasks", "calendar"] }, () => "");
  expect(await warned()).toEqual([
    'Tool "create" invalidates "task", and nothing that is kept has that tag: did you mean "tasks"?',
    'Tool "import" invalidates "calendar", and nothing that is kept has that tag',
  ]);
  expect(entries()[0]).toMatchObject({ operation: "tool", name: "create", tag: "task", meant: "tasks" });
});

test("tags of what has no cache do not count", async () => {
  const { server, warned } = watched();
  server
    .tool("list", { ...about, tags: ["tasks"] }, () => "")
    .tool("create", { ...about, invalidates: ["tasks"] }, () => "");
  expect(await warned()).toEqual([
    'Tool "create" invalidates "tasks", and nothing that is kept has that tag',
  ]);
});

describe("what is right is not told:", () => {
  test("tags of resources, prompts, routers, mounted servers, and of what is disabled", async () => {
    const { server, warned } = watched();
    const router = new MCPRouter({ tags: ["router"] }).tool("routed", kept, () => "");
    const inner = new MCPServer({ name: "inner", version: "1.0.0" })
      .tool("read", { ...kept, tags: ["inner"] }, () => "")
      .tool("write", { ...about, invalidates: ["inner", "outer"] }, () => "");
    server
      .include(router, { tags: ["included"] })
      .mount(inner, { tags: ["mounted"] })
      .resource("a://b", { ...kept, name: "b", tags: ["resource"] }, () => "")
      .prompt("p", { ...kept, tags: ["prompt"] }, () => "")
      .tool("off", { ...kept, tags: ["off", "outer"] }, () => "")
      .tool(
        "change",
        {
          ...about,
          invalidates: ["router", "included", "mounted", "inner", "resource", "prompt", "off"],
        },
        () => "",
      )
      .disable({ tool: "off" });
    expect(await warned()).toEqual([]);
  });

  test("tags of functions whose results are in the server's store", async () => {
    const store = memoryCache();
    const { server, warned } = watched({ cache: { store } });
    cached(() => 1, { ttl: "5m", store, name: "one", tags: ["rates"] });
    cached(() => 1, { ttl: "5m", store: memoryCache(), name: "other", tags: ["rate"] });
    server.tool("set", { ...about, invalidates: ["rates"] }, () => "");
    server.tool("wrong", { ...about, invalidates: ["rate"] }, () => "");
    expect(await warned()).toEqual([
      'Tool "wrong" invalidates "rate", and nothing that is kept has that tag: did you mean "rates"?',
    ]);
  });

  test("tags that other processes may keep in a store of the author's", async () => {
    const { server, warned } = watched({ cache: { store: memoryCache() } });
    server
      .tool("list", { ...kept, tags: ["tasks"] }, () => "")
      .tool("create", { ...about, invalidates: ["tasks", "calendar"] }, () => "");
    expect(await warned()).toEqual([]);
  });
});

test("tools that are added later are looked at too, and nothing is told twice", async () => {
  const { server, warned } = watched();
  server.tool("create", { ...about, invalidates: ["tasks"] }, () => "");
  const early = 'Tool "create" invalidates "tasks", and nothing that is kept has that tag';
  expect(await warned()).toEqual([early]);
  server.tool("other", about, () => "");
  expect(await warned()).toEqual([early]);
  server.tool("list", { ...kept, tags: ["tasks"] }, () => "");
  expect(await warned()).toEqual([early]);
  server.tool("remove", { ...about, invalidates: ["taks"] }, () => "");
  expect(await warned()).toEqual([
    early,
    'Tool "remove" invalidates "taks", and nothing that is kept has that tag: did you mean "tasks"?',
  ]);
});
