/** What is one caller's alone: the rounds of a call, and a session. */

import { type Authenticator, MCPServer, authenticate } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { listen } from "../../support/listening.ts";
import { send } from "../../support/wire.ts";

/** Takes the bearer token for the caller's name. */
const byName: Authenticator = {
  authenticate: ({ token }) => (token === undefined ? undefined : { clientId: token }),
};

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const as = (name: string) => ({ authorization: `Bearer ${name}` });

test("the answers of another to a call's questions are refused, and the handler does not run", async () => {
  let runs = 0;
  const server = new MCPServer({ name: "bank", version: "1.0.0" })
    .use(authenticate(byName))
    .tool("pay", { description: "Pays." }, async (_args, ctx) => {
      runs++;
      const answer = await ctx.elicit("Pay?", z.object({ sure: z.boolean() }), { key: "sure" });
      return answer.action;
    });
  closing.push(() => server.close());
  const clientOf = (name: string) =>
    TestClient.connect(server, { headers: as(name), clientCapabilities: { elicitation: { form: {} } } });
  const [ada, bob] = [await clientOf("ada"), await clientOf("bob")];
  const call = { name: "pay", arguments: {} };
  const { requestState } = await ada.request("tools/call", call);
  const retry = {
    ...call,
    requestState,
    inputResponses: { sure: { action: "accept", content: { sure: true } } },
  };

  await expect(bob.request("tools/call", retry)).rejects.toThrow(
    '"requestState" is not one that this request was given',
  );
  expect(runs).toBe(1);
  expect(await ada.request("tools/call", retry)).toMatchObject({ content: [{ text: "accept" }] });
});

test("a session of another does not exist", async () => {
  const server = new MCPServer({ name: "bank", version: "1.0.0", http: { sessions: true } })
    .use(authenticate(byName))
    .tool("ping", { description: "Answers." }, () => "pong");
  const { url, close } = await listen(server);
  closing.push(close);
  const post = (name: string, message: object, headers: Record<string, string> = {}) =>
    send(url, {
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...as(name),
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: "2.0", ...message }),
    });
  const hello = await post("ada", {
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "c", version: "1" } },
  });
  const session = { "mcp-session-id": String(hello.headers["mcp-session-id"]) };
  const list = { id: 2, method: "tools/list" };
  expect((await post("ada", list, session)).status).toBe(200);
  expect((await post("bob", list, session)).status).toBe(404);
  for (const method of ["GET", "DELETE"]) {
    const headers = { accept: "text/event-stream", ...as("bob"), ...session };
    expect((await send(url, { method, headers })).status).toBe(404);
  }
  expect((await post("ada", list, session)).status).toBe(200);
});
