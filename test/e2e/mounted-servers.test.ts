/** Servers within servers: what is mounted keeps its middleware, hooks and policy. */

import { ConfigurationError, MCPServer, ToolError, authenticate, hasRole } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { expect, test } from "vitest";
import { z } from "zod";

const about = { description: "About it." };

const callers = () =>
  authenticate({
    authenticate: ({ token }) => {
      const [clientId, ...roles] = token?.split(":") ?? [];
      return clientId === undefined ? undefined : { clientId, roles };
    },
  });

const named = (name: string) => new MCPServer({ name, version: "1.0.0" });

const as = (server: MCPServer, token?: string, era: "2026-07-28" | "2025-11-25" = "2026-07-28") =>
  TestClient.connect(server, { era, ...(token && { headers: { authorization: `Bearer ${token}` } }) });

const names = async (client: TestClient) => (await client.listTools()).map(({ name }) => name);

test.each(["2026-07-28", "2025-11-25"] as const)("policy comes along, revision %s", async (era) => {
  const billing = named("billing").use(callers());
  billing.tool("refund", { ...about, guards: [hasRole("cashier")] }, (_args, { client }) => client.clientId);
  billing.tool("balance", about, () => 7);
  const server = named("shop").mount(billing, { prefix: "billing" });
  server.tool("hello", about, () => "hello");

  const nobody = await as(server, undefined, era);
  expect(await names(nobody)).toEqual(["hello"]);
  for (const name of ["billing_refund", "billing_balance"])
    await expect(nobody.callTool(name)).rejects.toMatchObject({ status: 401 });
  const ana = await as(server, "ana:cashier", era);
  expect(await names(ana)).toEqual(["billing_refund", "billing_balance", "hello"]);
  expect(await ana.call("billing_refund")).toBe("ana");
  const eve = await as(server, "eve", era);
  expect(await names(eve)).toEqual(["billing_balance", "hello"]);
  await expect(eve.call("billing_refund")).rejects.toMatchObject({ code: "ACCESS_DENIED" });
});

test.each(["2026-07-28", "2025-11-25"] as const)(
  "time and strictness come along, revision %s",
  async (era) => {
    const input = z.object({ id: z.string().optional() });
    const never = () => new Promise<never>(() => {});
    const inner = new MCPServer({ name: "inner", version: "1.0.0", unknownArguments: "follow-schema" });
    inner.tool("lax", { ...about, input }, () => "inner");
    const strict = new MCPServer({
      name: "strict",
      version: "1.0.0",
      timeout: "200ms",
      unknownArguments: "refuse",
    });
    strict.mount(inner);
    strict.tool("refund", { ...about, input }, () => "refunded");
    strict.tool("slow", about, never);
    const server = new MCPServer({ name: "shop", version: "1.0.0", timeout: "5s" }).mount(strict, {
      prefix: "s",
    });
    server.tool("own", { ...about, input }, () => "own");

    const client = await as(server, undefined, era);
    await expect(client.call("s_refund", { ids: "7" })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
    await expect(client.call("s_slow")).rejects.toMatchObject({
      message: "Tool 's_slow' timed out after 0.2s",
    });
    expect(await client.call("s_refund", { id: "7" })).toBe("refunded");
    expect(await client.call("s_lax", { ids: "7" })).toBe("inner");
    expect(await client.call("own", { ids: "7" })).toBe("own");
  },
);

test("middleware, resources, prompts, hooks, probes and later tools come along", async () => {
  const events: string[] = [];
  const part = named("part")
    .use(async (ctx, next) => {
      events.push(`part: ${ctx.operation.name}`);
      return next();
    })
    .onStartup(() => events.push("part starts"))
    .onShutdown(() => events.push("part stops"))
    .readiness("part", () => {
      throw new ToolError("not there");
    });
  part.resource("config://part", { name: "config", ...about }, () => "on");
  part.prompt("plan", about, () => "Plan.");
  const server = named("whole")
    .mount(part, { prefix: "p" })
    .onStartup(() => events.push("whole starts"))
    .onShutdown(() => events.push("whole stops"));
  part.tool("late", about, () => "late");
  server.tool("own", about, () => "own");

  const client = await as(server);
  expect(events).toEqual(["part starts", "whole starts"]);
  events.length = 0;
  expect((await client.readResource("config://part")).contents[0]).toMatchObject({ text: "on" });
  await client.getPrompt("plan");
  expect(await client.call("p_late")).toBe("late");
  await client.call("own");
  expect(events).toEqual(["part: config://part", "part: plan", "part: p_late"]);
  const ready = await server.fetch(new Request("http://localhost/health/ready"));
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: "not ready", checks: { part: "failed" } },
  ]);
  events.length = 0;
  await server.close();
  expect(events).toEqual(["whole stops", "part stops"]);
});

test("what is mounted nests", async () => {
  const [a, b, c] = [named("a"), named("b"), named("c")];
  c.tool("work", about, () => 1);
  a.mount(b.mount(c, { prefix: "c" }), { prefix: "b" });
  expect(await names(await as(a))).toEqual(["b_c_work"]);
  expect(() => c.mount(a)).toThrow(
    new ConfigurationError("A server cannot be within itself: leave out this mount()."),
  );
  expect(() => c.use((_ctx, next) => next())).toThrow("the server is mounted. Call it before mount().");
});
