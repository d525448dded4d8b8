/** What an authenticator found out is kept for all calls with the same token: none of them can change it for the others. */

import { type AuthenticatedClient, MCPServer, authenticate } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { expect, test } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";

type Changeable = { -readonly [K in keyof AuthenticatedClient]: AuthenticatedClient[K] };

/** What a careless handler may try. */
const CHANGES: Readonly<Record<string, (client: Changeable) => unknown>> = {
  "gives it a role": (client) => (client.roles as Set<string>).add("admin"),
  "takes its scopes away": (client) => (client.scopes as Set<string>).clear(),
  "takes one away": (client) => (client.scopes as Set<string>).delete("read"),
  "adds a claim": (client) => ((client.claims as Record<string, unknown>)["admin"] = true),
  "changes a claim within": (client) => (client.claims["groups"] as string[]).push("admins"),
  "changes its audience": (client) => (client.audience as string[]).push("other"),
  "renames it": (client) => (client.clientId = "other"),
  "replaces its roles": (client) => (client.roles = new Set(["admin"])),
  "leaves something in extra": (client) => (client.extra["seen"] = true),
};

// One identity for all that send the same token, as a cache of verified tokens gives it; `own`: made by the author.
const identity = {
  clientId: "ada",
  roles: ["user"],
  scopes: ["read"],
  claims: { groups: ["staff"] },
  audience: ["a"],
};

test.each(Object.entries(CHANGES))("a handler that %s does so for nobody else", async (_what, change) => {
  const server = new MCPServer({ name: "shared", version: "1.0.0", logger: capturedLog().logger })
    .use(authenticate({ authenticate: ({ token }) => (token === undefined ? undefined : identity) }))
    .tool("change", { description: "Tries to change its caller.", auth: true }, (_args, { client }) => {
      change(client);
      return "changed";
    })
    .tool("show", { description: "Shows its caller.", auth: true }, (_args, { client }) => ({
      ...client,
      roles: [...client.roles],
      scopes: [...client.scopes],
    }));
  const client = await TestClient.connect(server, { token: "t" });
  const before = await client.call("show");
  await client.callTool("change");
  expect(await client.call("show")).toEqual(before);
  expect(before).toMatchObject({ ...identity, extra: {} });
  expect(identity).toEqual({
    clientId: "ada",
    roles: ["user"],
    scopes: ["read"],
    claims: { groups: ["staff"] },
    audience: ["a"],
  });
  await server.close();
});

test("what the hook adds for one call is not there for another that runs at the same time", async () => {
  const both: (() => void)[] = [];
  const server = new MCPServer({ name: "shared", version: "1.0.0" })
    .use(
      authenticate(
        { authenticate: () => identity },
        { onAuthenticate: ({ extra }, { requestId }) => void (extra["of"] = requestId) },
      ),
    )
    .tool(
      "show",
      { description: "Shows what is added.", auth: true },
      async (_args, { client, requestId }) => {
        await new Promise<void>((resolve) => {
          both.push(resolve);
          if (both.length === 2) for (const go of both) go();
        });
        return client.extra["of"] === requestId;
      },
    );
  const client = await TestClient.connect(server);
  expect(await Promise.all([client.call("show"), client.call("show")])).toEqual([true, true]);
  await server.close();
});
