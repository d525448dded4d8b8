/** What the audit log says of calls, and what it never says. */

import { createHash, createHmac } from "node:crypto";
import { ConfigurationError, MCPServer, audit } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { canonicalJson } from "../../../src/core/values/canonical.ts";
import { AuditFolder, KEY, auditedServer } from "../../support/audited.ts";
import { Scrape } from "../../support/metrics.ts";

const sha256 = (args: unknown) => createHash("sha256").update(canonicalJson(args)).digest("hex");

/** Calls a server by `use`, and gives what has been recorded once it has ended. */
async function recorded(
  use: (client: TestClient, server: MCPServer) => Promise<unknown>,
  { token, options }: { token?: string; options?: Parameters<typeof auditedServer>[0]["options"] } = {},
) {
  const folder = new AuditFolder();
  const server = auditedServer({ file: folder.file, ...(options && { options }) });
  const client = await TestClient.connect(server, token === undefined ? {} : { token });
  await use(client, server);
  await server.close();
  expect(await folder.verify()).toMatchObject({ ok: true, notes: [] });
  return { calls: folder.calls(), folder };
}

const failing = async (call: Promise<unknown>) => expect(call).rejects.toThrow(Error);

test("a record says who called, on whose behalf, what, what was decided, and what came of it", async () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const folder = new AuditFolder();
  const server = auditedServer({ file: folder.file });
  const headers = { "x-request-id": "req-1", traceparent };
  const client = await TestClient.connect(server, { token: "ana", headers });
  await client.call("add", { a: 1 });
  await server.close();
  expect(folder.calls()).toEqual([
    {
      sequence: 2,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      type: "call",
      kind: "tool",
      name: "add",
      server: { name: "audited", version: "1.2.3" },
      requestId: "req-1",
      traceId: "0af7651916cd43dd8448eb211c80319c",
      protocol: "2026-07-28",
      who: { clientId: "boss", subject: "boss", issuer: "https://issuer", tenantId: "acme" },
      actors: [
        { subject: "planner", issuer: "https://issuer" },
        { subject: "gateway", clientId: "gw" },
      ],
      decision: "allowed",
      outcome: "ok",
      durationMs: expect.any(Number),
      arguments: { sha256: sha256({ a: 1 }) },
      metadata: { action: "sum" },
      previous: expect.stringMatching(/^[0-9a-f]{64}$/),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  ]);
});

describe("what came of a call", () => {
  test.each<[string, string, Record<string, unknown>, object]>([
    ["a refusal by a guard", "secret", {}, { decision: "refused", outcome: "error", code: "ACCESS_DENIED" }],
    ["arguments that do not fit", "add", { a: "x" }, { decision: "refused", code: "VALIDATION_ERROR" }],
    [
      "a name that is not there",
      "nothing",
      {},
      { name: "nothing", decision: "refused", code: "TOOL_NOT_FOUND" },
    ],
    ["a time limit", "hang", {}, { decision: "allowed", outcome: "error", code: "TIMEOUT" }],
    ["an unexpected error", "crash", {}, { decision: "allowed", outcome: "error", code: "INTERNAL_ERROR" }],
  ])("is recorded of %s", async (_words, name, args, expected) => {
    const { calls } = await recorded((client) => failing(client.call(name, args)), { token: "bob" });
    expect(calls).toMatchObject([expected]);
  });

  test("is recorded where nobody says who calls", async () => {
    const { calls } = await recorded((client) => failing(client.call("secret")));
    expect(calls).toMatchObject([
      { who: { clientId: "anonymous" }, decision: "refused", code: "AUTHENTICATION_ERROR" },
    ]);
  });

  test("is recorded and counted of callers who do not get in, in a session as without one", async () => {
    const folder = new AuditFolder();
    const server = auditedServer({ file: folder.file, http: { sessions: true } }).enableMetrics();
    const ask = async (method: string, params: object, session?: string) => {
      const headers = {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2025-11-25",
        ...(session !== undefined && { "mcp-session-id": session }),
      };
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
      return server.fetch(new Request("http://localhost/mcp", { method: "POST", headers, body }));
    };
    const client = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "c", version: "1" },
    };
    const opened = await ask("initialize", client);
    const session = opened.headers.get("mcp-session-id") as string;
    const within = await ask("tools/call", { name: "secret" }, session);
    const without = await ask("tools/call", { name: "secret" });
    expect(within.status).toBe(401);
    expect(within.headers.get("www-authenticate")).toBe(without.headers.get("www-authenticate"));
    const admin = { headers: { authorization: "Bearer admin" } };
    const metrics = await server.fetch(new Request("http://localhost/metrics", admin));
    const page = new Scrape(await metrics.text());
    expect(page.value("gantry_calls_total", { component: "secret", code: "AUTHENTICATION_ERROR" })).toBe(2);
    await server.close();
    const refused = {
      name: "secret",
      protocol: "2025-11-25",
      decision: "refused",
      code: "AUTHENTICATION_ERROR",
    };
    expect(folder.calls()).toMatchObject([refused, refused]);
  });

  test("is recorded of each round of a call that asks", async () => {
    const folder = new AuditFolder();
    const server = auditedServer({ file: folder.file });
    const client = await TestClient.connect(server, { onElicit: () => ({ action: "decline" }) });
    expect(await client.call("ask")).toBe("decline");
    await server.close();
    expect(folder.calls()).toMatchObject([{ outcome: "input_required" }, { outcome: "ok" }]);
  });

  test("is recorded of resources by their template, prompts and completions", async () => {
    const { calls, folder } = await recorded(async (client) => {
      await client.readResource("users://canary-1");
      await client.getPrompt("plan", { topic: "canary-2" });
      await client.complete({ template: "users://{id}" }, { name: "id", value: "canary-3" });
    });
    expect(calls).toMatchObject([
      {
        kind: "resource",
        name: "users://{id}",
        outcome: "ok",
        arguments: { sha256: sha256({ id: "canary-1" }) },
      },
      { kind: "prompt", name: "plan", arguments: { sha256: sha256({ topic: "canary-2" }) } },
      { kind: "completion", name: "users://{id}" },
    ]);
    expect(folder.text()).not.toContain("canary");
  });
});

describe("arguments", () => {
  test("are not in the log, but for those that are declared, and never what is sensitive", async () => {
    const { calls, folder } = await recorded(async (client) => {
      await client.call("sign_in", { user: "canary-1", task_id: 7, password: "canary-2" });
      await failing(
        client.call("sign_in", { user: ["canary-3"], task_id: "t-8", password: { x: "canary-4" } }),
      );
      await failing(client.call("add", { a: "canary-5" }));
      await failing(client.call("unknown", { a: "canary-6" }));
    });
    expect(calls).toMatchObject([{ fields: { task_id: 7 } }, { fields: { task_id: "t-8" } }, {}, {}]);
    expect(folder.text()).not.toContain("canary");
  });

  test("have digests that nobody can look up who lacks the key, where there is one", async () => {
    const digestKey = "another secret, also long enough";
    const { calls } = await recorded((client) => client.call("add", { a: 1 }), { options: { digestKey } });
    const expected = createHmac("sha256", digestKey).update('{"a":1}').digest("hex");
    expect(calls).toMatchObject([{ arguments: { hmacSha256: expected } }]);
  });

  test.each([
    [
      "is none",
      { fields: ["pasword"] },
      'names "pasword", which is not an argument. Did you mean "password"?',
    ],
    ["is sensitive", { fields: ["password"] }, 'names "password", which its schema marks as sensitive'],
    ["is no list", { fields: "user" }, 'write { fields: ["task_id"] }'],
    ["is another option", { field: ["user"] }, "task_id"],
  ])("cannot be declared where one %s", (_words, declared, message) => {
    const input = z.object({ user: z.string(), password: z.string().meta({ format: "password" }) });
    const server = new MCPServer({ name: "s", version: "1.0.0" });
    const register = () =>
      server.tool("t", { description: "It.", input, audit: declared as { fields: string[] } }, () => "");
    expect(register).toThrow(ConfigurationError);
    expect(register).toThrow(message);
  });
});

describe("a call that never ends by itself", () => {
  test("is recorded where a layer hangs", async () => {
    const folder = new AuditFolder();
    const server = new MCPServer({ name: "s", version: "1.0.0", timeout: 20 })
      .use(audit({ file: folder.file, key: KEY, kinds: ["tool"] }))
      .use({ name: "hanging", kinds: ["tool"], handle: () => new Promise(() => {}) })
      .tool("t", { description: "It." }, () => "");
    const client = await TestClient.connect(server);
    await failing(client.call("t"));
    expect(folder.calls()).toMatchObject([{ name: "t", code: "TIMEOUT" }]);
    await server.close();
  }, 10_000);
});

test("the record is on the disk before the answer, whatever the layer's place", async () => {
  const folder = new AuditFolder();
  const server = new MCPServer({ name: "s", version: "1.0.0" })
    .use((_ctx, next) => next())
    .use(audit({ file: folder.file, key: KEY, kinds: ["tool"] }))
    .tool("t", { description: "It." }, () => "");
  const client = await TestClient.connect(server);
  for (let calls = 1; calls <= 20; calls++) {
    await client.call("t");
    expect(folder.calls()).toHaveLength(calls);
  }
  await server.close();
});

test("what a middleware makes of a call that cannot be answered is no success", async () => {
  const folder = new AuditFolder();
  const server = new MCPServer({ name: "s", version: "1.0.0" })
    .use(audit({ file: folder.file, key: KEY, kinds: ["tool"] }))
    .use({ name: "spoiling", kinds: ["tool"], handle: () => () => "no data" })
    .tool("t", { description: "It." }, () => "");
  const client = await TestClient.connect(server);
  await failing(client.call("t"));
  await server.close();
  expect(folder.calls()).toMatchObject([{ outcome: "error", code: "INTERNAL_ERROR" }]);
});
