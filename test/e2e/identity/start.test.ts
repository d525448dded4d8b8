/** A server whose components ask who calls starts only where that can be found out. */

import {
  type AccessOptions,
  ConfigurationError,
  MCPRouter,
  MCPServer,
  apiKeyAuth,
  authenticate,
  hasRole,
  hasScope,
  requireClientId,
  requireTenant,
} from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";
import { tokens } from "../../support/tokens.ts";

const make = () => new MCPServer({ name: "t", version: "1.0.0", logger: capturedLog().logger });
const ran = () => "ran";

const ASKING: Readonly<Record<string, AccessOptions>> = {
  auth: { auth: true },
  roles: { roles: ["admin"] },
  scopes: { scopes: ["tasks:write"] },
  tenant: { tenant: true },
  guards: { guards: [hasRole("admin")] },
};

const problem = (what: string) =>
  `${what} asks who calls, and nothing finds that out. Write server.use(authenticate(jwtAuth({ … }))) before the server starts, or make it public: true.`;

describe.each(Object.entries(ASKING))("without an authenticator, %s", (_name, access) => {
  const servers = {
    "of a tool": [make().tool("x", { description: "X.", ...access }, ran), 'Tool "x"'],
    "of a resource": [
      make().resource("x://y", { name: "x", description: "X.", ...access }, ran),
      'Resource "x://y"',
    ],
    "of a template": [
      make().resource("x://{y}", { name: "x", description: "X.", ...access }, ran),
      'Resource "x://{y}"',
    ],
    "of a prompt": [make().prompt("x", { description: "X.", ...access }, ran), 'Prompt "x"'],
    "of a router": [
      make().include(new MCPRouter({ prefix: "r", ...access }).tool("x", { description: "X." }, ran)),
      'Tool "r_x"',
    ],
    "of a mounted server": [
      make().mount(make().tool("x", { description: "X.", ...access }, ran)),
      'Tool "x"',
    ],
  } as const;

  test.each(Object.entries(servers))("%s keeps the server from starting", async (_what, [server, what]) => {
    await expect(listen(server)).rejects.toMatchObject({ problems: [problem(what)] });
    await expect(TestClient.connect(server)).rejects.toMatchObject({ problems: [problem(what)] });
    const serving = server.run({ transport: "stdio" });
    await expect(serving).rejects.toBeInstanceOf(ConfigurationError);
  });
});

test("what comes later and asks who calls is left out, and told in the log", async () => {
  const log = capturedLog();
  const server = new MCPServer({ name: "t", version: "1.0.0", logger: log.logger });
  server.tool("open", { description: "Open." }, ran);
  const client = await TestClient.connect(server);
  server.tool("late", { description: "Late.", auth: true }, ran);
  expect((await client.listTools()).map(({ name }) => name)).toEqual(["open"]);
  await expect(client.call("late")).rejects.toThrow("Unknown tool: late");
  expect(log.entries()).toMatchObject([{ level: "error", problems: [problem('Tool "late"')] }]);
  await server.close();
});

describe("what no caller can have", () => {
  const keys = apiKeyAuth({
    keys: { ci: { key: "0123456789abcdef", roles: ["deployer"], scopes: ["read"], tenantId: "acme" } },
  });

  test.each([
    [hasRole("admin", "owner"), "the role admin or owner"],
    [hasScope("write"), "the scope write"],
    [requireClientId("prod"), "the client prod"],
    [requireTenant("other"), "the tenant other"],
  ])("keeps the server from starting: $name", async (asked, need) => {
    const server = make().use(authenticate(keys));
    server.tool("x", { description: "X.", guards: [asked] }, ran);
    await expect(listen(server)).rejects.toMatchObject({
      problems: [`Tool "x" asks for ${need}, which no caller can have: the authenticator never grants it.`],
    });
  });

  test("and what one of them has does not", async () => {
    const server = make().use(authenticate(keys));
    server.tool(
      "x",
      { description: "X.", guards: [hasRole("admin", "deployer"), requireTenant("acme")] },
      ran,
    );
    const running = await listen(server);
    expect(running.port).toBeGreaterThan(0);
    await running.close();
  });
});

test.each(Object.entries(ASKING))("public and %s contradict each other", (_name, access) => {
  const server = make().use(authenticate(tokens));
  expect(() => server.tool("x", { description: "X.", public: true, ...access }, ran)).toThrow(
    /^Tool "x" is public, and asks for/,
  );
});

test("a server that others reach needs an authenticator, or a reason", async () => {
  const open = () =>
    new MCPServer({
      name: "t",
      version: "1.0.0",
      logger: capturedLog().logger,
      http: { publicUrl: "https://t.example.com" },
    }).tool("x", { description: "X." }, ran);
  await expect(listen(open(), { host: "0.0.0.0" })).rejects.toThrow(/authenticat/i);
  await (await listen(open(), { host: "0.0.0.0", allowUnauthenticated: "a test" })).close();
});
