/** What is wrong with a request is told to those alone who may make it. */

import {
  ConfigurationError,
  type ListeningServer,
  MCPServer,
  type Middleware,
  authenticate,
  hasRole,
} from "gantry-mcp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";
import { issue, tokens } from "../../support/tokens.ts";
import { envelope, modernHeaders } from "../../support/wire.ts";

const ADMIN = { authorization: `Bearer ${issue({ sub: "a", roles: ["admin"] })}` };
const VIEWER = { authorization: `Bearer ${issue({ sub: "v", roles: ["viewer"] })}` };
const input = z.object({ region: z.string().meta({ "x-mcp-header": "Region" }) });

const make = (...layers: Middleware[]) => {
  const server = new MCPServer({ name: "closed", version: "1.0.0", logger: capturedLog().logger });
  for (const layer of layers) server.use(layer);
  return server;
};
const withTool = (server: MCPServer) =>
  server.tool("deploy", { description: "Deploys.", input, guards: [hasRole("admin")] }, () => "deployed");

/** One server with its own authenticator, and one that mounts it. */
const SERVERS = {
  "a server": () => withTool(make(authenticate(tokens))),
  "a mounted server": () => make().mount(withTool(make(authenticate(tokens)))),
};

/** Each is wrong, whoever sends it, and about the tool. */
const WRONG = {
  "a header that its argument contradicts": envelope(
    "tools/call",
    { name: "deploy", arguments: { region: "eu" } },
    { "mcp-param-region": "us" },
  ),
  "answers that are none": envelope("tools/call", { name: "deploy", inputResponses: 5 }),
  "a state that no server sealed": envelope("tools/call", { name: "deploy", requestState: "guessed" }),
  "a state of another type": envelope("tools/call", { name: "deploy", requestState: 7 }),
};

async function answered(url: string, request: RequestInit, credentials: Record<string, string> = {}) {
  const headers = new Headers(request.headers);
  for (const [name, value] of Object.entries(credentials)) headers.set(name, value);
  const response = await fetch(url, { ...request, headers });
  return { status: response.status, text: await response.text() };
}

describe.each(Object.entries(SERVERS))("on %s", (_name, server) => {
  let running: ListeningServer;
  beforeAll(async () => {
    running = await listen(server());
  });
  afterAll(() => running.close());

  test.each(Object.entries(WRONG))("%s", async (_what, request) => {
    const unknown = await answered(running.url, request);
    expect(unknown.status).toBe(401);
    expect(unknown.text).toContain("Missing authentication token");
    const forged = await answered(running.url, request, { authorization: "Bearer x.y" });
    expect(forged.status).toBe(401);
    const denied = await answered(running.url, request, VIEWER);
    expect(denied.text).toContain("Requires any of roles [admin], but client has [viewer]");
    const told = await answered(running.url, request, ADMIN);
    expect(told.text).toMatch(/Region|inputResponses|requestState/i);
    for (const { text } of [unknown, forged, denied])
      expect(text).not.toMatch(/region|inputResponses|state/i);
  });
});

describe("where nothing is public", () => {
  let running: ListeningServer;
  beforeAll(async () => {
    running = await listen(withTool(make(authenticate(tokens))));
  });
  afterAll(() => running.close());

  const headers = (version: string) => ({
    ...modernHeaders("tools/call"),
    "mcp-protocol-version": version,
  });
  const post = (version: string, body: unknown): RequestInit => ({
    method: "POST",
    headers: headers(version),
    body: JSON.stringify(body),
  });
  let id = 0;
  const request = (method: string, params?: object) => ({ jsonrpc: "2.0", id: ++id, method, params });

  test.each([
    ["a method that is not there", post("2025-11-25", request("nope/nope"))],
    ["_meta that is none", post("2025-11-25", request("tools/list", { _meta: 5 }))],
    ["parameters of the wrong type", post("2025-11-25", request("tools/call", { name: 5 }))],
    ["a cursor of the wrong type", envelope("tools/list", { cursor: 5 })],
    ["a filter of the wrong type", envelope("subscriptions/listen", { notifications: 7 })],
    ["a batch", post("2025-03-26", [request("ping"), request("tools/list")])],
    ["a batch of nothing", post("2025-03-26", [])],
  ])("%s is told to known callers alone", async (_what, sent) => {
    expect((await answered(running.url, sent)).status).toBe(401);
    expect((await answered(running.url, sent, VIEWER)).status).not.toBe(401);
  });
});

test("guards that are none are refused at registration: their handler would take anybody for a known caller", () => {
  expect(() => make().tool("t", { description: "T.", guards: [] }, () => "ran")).toThrow(ConfigurationError);
});
