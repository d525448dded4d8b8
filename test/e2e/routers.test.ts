/** Routers over the wire: names, and what is inherited and can only be narrowed. */

import {
  ConfigurationError,
  MCPRouter,
  MCPServer,
  type Middleware,
  authenticate,
  guard,
  hasRole,
} from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const about = { description: "About it." };

/** A token is a name and roles. */
const callers = authenticate({
  authenticate: ({ token }) => {
    const [clientId, ...roles] = token?.split(":") ?? [];
    return clientId === undefined ? undefined : { clientId, roles };
  },
});

const make = () => new MCPServer({ name: "routers", version: "1.0.0" });

const as = (server: MCPServer, token?: string, era: "2026-07-28" | "2025-11-25" = "2026-07-28") =>
  TestClient.connect(server, { era, ...(token && { headers: { authorization: `Bearer ${token}` } }) });

const names = async (client: TestClient) => (await client.listTools()).map(({ name }) => name);

describe.each(["2026-07-28", "2025-11-25"] as const)("routers, revision %s", (era) => {
  test("the guide's: prefixes before the names of tools, identity for all of them", async () => {
    const tasks = new MCPRouter({ prefix: "tasks", tags: ["tasks"], auth: true });
    tasks.tool("list", { ...about, input: z.object({ status: z.string().default("all") }) }, () => []);
    tasks.tool("create", { ...about, input: z.object({ title: z.string() }) }, ({ title }, { client }) => ({
      id: "1",
      title,
      by: client.clientId,
    }));
    const users = new MCPRouter({ prefix: "users", tags: ["users"], auth: true });
    users.tool("list_users", about, () => []);
    const server = make().use(callers).include(tasks).include(users);
    server.tool("health", { ...about, public: true }, () => "healthy");

    const ana = await as(server, "ana", era);
    expect(await names(ana)).toEqual(["tasks_list", "tasks_create", "users_list_users", "health"]);
    expect(await ana.call("tasks_create", { title: "T" })).toEqual({ id: "1", title: "T", by: "ana" });
    const nobody = await as(server, undefined, era);
    expect(await names(nobody)).toEqual(["health"]);
    for (const name of ["tasks_list", "tasks_create", "users_list_users"])
      await expect(nobody.callTool(name, { title: "T" })).rejects.toMatchObject({ status: 401 });
  });

  test("nest: prefixes and requirements add up, also those of sub-routers registered later", async () => {
    const reports = new MCPRouter({ prefix: "reports", roles: ["analyst"] });
    const finance = new MCPRouter({ prefix: "finance" });
    reports.include(finance);
    const server = make().use(callers).include(reports).include(reports, { prefix: "v1" });
    finance.tool("revenue", { ...about, guards: [hasRole("cfo")] }, () => 42);

    const both = await as(server, "ana:analyst:cfo", era);
    expect(await names(both)).toEqual(["reports_finance_revenue", "v1_reports_finance_revenue"]);
    expect(await both.call("v1_reports_finance_revenue")).toBe(42);
    for (const token of ["eve:cfo", "eve:analyst"])
      await expect((await as(server, token, era)).call("reports_finance_revenue")).rejects.toMatchObject({
        code: "ACCESS_DENIED",
      });
  });
});

test("layers run inside those of the server, from the outer router to the inner", async () => {
  const events: string[] = [];
  const layer =
    (name: string): Middleware =>
    async (ctx, next) => {
      if (ctx.operation.kind !== "tool") return next();
      events.push(`${name} in`);
      try {
        return await next();
      } finally {
        events.push(`${name} out`);
      }
    };
  const outer = new MCPRouter({ middleware: [layer("outer")] });
  const inner = new MCPRouter().use(layer("inner"));
  inner.tool("work", about, () => events.push("handler"));
  outer.include(inner);
  const server = make().use(layer("server")).include(outer);
  server.tool("beside", about, () => events.push("beside"));
  const client = await as(server);
  await client.call("work");
  expect(events).toEqual([
    "server in",
    "outer in",
    "inner in",
    "handler",
    "inner out",
    "outer out",
    "server out",
  ]);
  events.length = 0;
  await client.call("beside");
  expect(events).toEqual(["server in", "beside", "server out"]);
});

test("tags add up, and switch what carries them", async () => {
  const router = new MCPRouter({ tags: ["beta"] });
  router.tool("a", about, () => 1);
  const server = make().include(router, { tags: ["v2"] });
  server.tool("b", about, () => 2);
  const client = await as(server);
  server.disable({ tag: "v2" });
  expect(await names(client)).toEqual(["b"]);
  server.enable({ tag: "beta" });
  expect(await names(client)).toEqual(["a", "b"]);
});

test("resources and prompts keep their names, and get the guards of the router", async () => {
  const router = new MCPRouter({ prefix: "x", guards: [guard("never", () => false)] });
  router.resource("config://app", { name: "config", ...about }, () => "on");
  router.prompt("plan", about, () => "Plan.");
  const client = await as(make().use(callers).include(router), "ana");
  await expect(client.readResource("config://app")).rejects.toMatchObject({
    message: expect.stringContaining("never"),
  });
  await expect(client.getPrompt("plan")).rejects.toMatchObject({ message: expect.stringContaining("never") });
});

describe("set up wrongly", () => {
  test.each<[string, () => unknown, string]>([
    [
      "a tool that is public within a router that asks who calls",
      () => {
        const router = new MCPRouter({ auth: true });
        router.tool("a", { ...about, public: true }, () => 1);
        make().use(callers).include(router);
      },
      'tool "a" is public within a router that asks who calls. Register it elsewhere, or leave out public.',
    ],
    [
      "auth: false on a router",
      () => new MCPRouter({ auth: false as unknown as true }),
      "MCPRouter: auth can only be true. Leave it out instead.",
    ],
    [
      "a router within itself",
      () => {
        const a = new MCPRouter();
        const b = new MCPRouter();
        a.include(b);
        b.include(a);
      },
      "A router cannot be within itself: leave out this include().",
    ],
    [
      "a layer that comes too late",
      () => {
        const router = new MCPRouter();
        make().include(router);
        router.use((_ctx, next) => next());
      },
      "use() comes too late: the router is included. Call it before include().",
    ],
    [
      "two tools of one name",
      () => {
        const router = new MCPRouter({ prefix: "t" });
        router.tool("a", about, () => 1);
        make().include(router).include(router);
      },
      "Tool 't_a' is already registered. Choose another name, or remove the first one.",
    ],
    [
      "an authenticator on a router",
      () => new MCPRouter().use(callers),
      "authenticate() belongs to the server, which knows callers for all: server.use(authenticate(…)).",
    ],
    [
      "an option that there is not",
      () => new MCPRouter({ prefx: "a" } as object),
      'MCPRouter: unknown option "prefx". Did you mean "prefix"?',
    ],
  ])("%s", (_what, make_, message) => {
    expect(make_).toThrow(new ConfigurationError(message));
  });
});
