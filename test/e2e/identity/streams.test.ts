/** Streams of known callers: as many as one may have, and no longer than the credentials hold. */

import { type ListeningServer, MCPServer, authenticate } from "gantry-mcp";
import { RequestError, TestClient } from "gantry-mcp/testing";
import { afterEach, describe, expect, test } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";
import { issue, tokens } from "../../support/tokens.ts";

const FILTER = { toolsListChanged: true };
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function streamServer(http: object = {}): MCPServer {
  const server = new MCPServer({ name: "streams", version: "1.0.0", logger: capturedLog().logger, http })
    .use(authenticate(tokens))
    .tool("any", { description: "Any.", public: true }, () => "ok")
    .tool("slow", { description: "Takes two seconds.", auth: true }, async () => {
      await new Promise((resolve) => {
        setTimeout(resolve, 2_000);
      });
      return "done";
    });
  closing.push(() => server.close());
  return server;
}

describe("subscriptions", () => {
  test("a known caller has eight, whatever token it sends; others have their own", async () => {
    const server = streamServer();
    const ada = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const client = await TestClient.connect(server, { token: issue({ sub: "ada" }) });
        return client.listen(FILTER);
      }),
    );
    const again = await TestClient.connect(server, { token: issue({ sub: "ada", roles: ["other"] }) });
    const refused = await again.listen(FILTER).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RequestError);
    expect(refused).toMatchObject({
      status: 503,
      message:
        "Service unavailable: this client has as many subscriptions as one may have. End another first.",
    });
    const bob = await TestClient.connect(server, { token: issue({ sub: "bob" }) });
    await (await bob.listen(FILTER)).close();
    await ada[0]?.close();
    await expect
      .poll(() =>
        again.listen(FILTER).then(
          () => "open",
          () => "refused",
        ),
      )
      .toBe("open");
  });

  test("end gracefully when the token expires, and those of others go on", async () => {
    const server = streamServer();
    const ada = await TestClient.connect(server, { token: issue({ sub: "ada" }, 1) });
    const bob = await TestClient.connect(server, { token: issue({ sub: "bob" }, 60) });
    const [ends, goesOn] = [await ada.listen(FILTER), await bob.listen(FILTER)];
    expect(await ends.next()).toBeUndefined();
    server.disable({ tool: "any" });
    expect(await goesOn.next()).toMatchObject({ method: "notifications/tools/list_changed" });
  });
});

describe("sessions", () => {
  const headers = (token: string, session?: string) => ({
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2025-11-25",
    authorization: `Bearer ${token}`,
    ...(session !== undefined && { "mcp-session-id": session }),
  });
  const open = async ({ url }: ListeningServer, token: string) => {
    const params = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "x", version: "1" },
    };
    const message = { jsonrpc: "2.0", id: 0, method: "initialize", params };
    const response = await fetch(url, {
      method: "POST",
      headers: headers(token),
      body: JSON.stringify(message),
    });
    await response.text();
    return response.headers.get("mcp-session-id") as string;
  };

  test("the stream ends with the token; a call that was admitted is finished", async () => {
    const running = await listen(streamServer({ sessions: true }));
    const session = await open(running, issue({ sub: "ada" }));
    const brief = headers(issue({ sub: "ada" }, 1), session);
    const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "slow", arguments: {} } };
    const stream = await fetch(running.url, { headers: brief });
    const answer = await fetch(running.url, { method: "POST", headers: brief, body: JSON.stringify(call) });
    expect([stream.status, answer.status]).toEqual([200, 200]);
    await stream.text();
    expect(await answer.text()).toContain("done");
    // The session is still its caller's, with a token that holds.
    const renewed = headers(issue({ sub: "ada" }), session);
    const again = await fetch(running.url, { headers: renewed });
    expect(again.status).toBe(200);
    await again.body?.cancel();
    const late = await fetch(running.url, { headers: brief });
    expect(late.status).toBe(401);
  });
});
