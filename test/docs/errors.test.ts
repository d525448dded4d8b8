import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MCPServer, authenticate } from "gantry-mcp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { capturedLog } from "../support/captured-log.ts";
import { listen } from "../support/listening.ts";
import { type Sending, modern, modernHeaders, send } from "../support/wire.ts";
import { finished, root } from "./program.ts";

const page = readFileSync(join(root, "docs/errors.md"), "utf8");

it("is what the catalogue says", { timeout: 30_000 }, async () => {
  const script = join(root, "scripts/docs-errors.mjs");
  expect(await finished(process.execPath, [script, "--check"])).toEqual({ code: 0, output: "" });
});

const json = { "content-type": "application/json", accept: "application/json" };
const ping = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
const modernCall = (method: string, headers: Record<string, string> = {}, params = {}): Sending => ({
  headers: { ...modernHeaders(method), ...headers },
  body: JSON.stringify(modern(method, params)),
});

/** For each row of the table, by its first two columns: a request that is answered so. */
const requests: Readonly<Record<string, Sending>> = {
  "400 -32700": { headers: json, body: '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}' },
  "400 -32600": { headers: json, body: "[]" },
  "400 -32602": {
    headers: { ...json, "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
  },
  "400 -32020": modernCall("tools/list", { "mcp-method": "prompts/list" }),
  "400 -32022": { headers: { ...json, "mcp-protocol-version": "2099-01-01" }, body: ping },
  "401 -32603": { ...modernCall("tools/list"), path: "/guarded" },
  "403 -32603": {
    ...modernCall("tools/call", { "mcp-name": "write", authorization: "Bearer reader" }, { name: "write" }),
    path: "/guarded",
  },
  "403 -32600": { headers: { ...json, host: "evil.example" }, body: ping },
  "404 -32601": modernCall("tools/invent"),
  "404 -32600": { headers: { ...json, "mcp-session-id": "ended" }, body: ping },
  "404 ": { headers: json, body: ping, path: "/elsewhere" },
  "405 -32600": { method: "PUT", headers: json, body: ping },
  "406 -32600": { headers: { ...json, accept: "text/html" }, body: ping },
  "413 -32600": { headers: json, body: " ".repeat(2_000) },
  "415 -32600": { headers: { ...json, "content-type": "text/plain" }, body: ping },
  "431 -32600": {
    headers: { ...json, ...Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`x-${i}`, "1"])) },
    body: ping,
  },
  "503 -32603": { headers: json, body: ping },
};

const rows = [...page.matchAll(/^\| (\d{3}) \| (-\d+)? ?\| /gm)].map(
  ([, status = "", code = ""]) => `${status} ${code}`,
);

const server = new MCPServer({
  name: "errors",
  version: "1.0.0",
  http: { maxBodyBytes: 1_000, maxInFlight: 1, sessions: true },
  logger: capturedLog().logger,
});
const handler = { entered: () => {}, release: () => {} };
server.tool("wait", { description: "Waits until it is released." }, () => {
  handler.entered();
  return new Promise<void>((resolve) => (handler.release = resolve));
});

/** The server whose callers have to be known. */
const guarded = new MCPServer({
  name: "guarded",
  version: "1.0.0",
  http: { path: "/guarded" },
  logger: capturedLog().logger,
});
guarded.use(
  authenticate(
    { authenticate: ({ token }) => (token === undefined ? undefined : { clientId: token }) },
    { resource: "https://tasks.example.com/guarded", authorizationServers: ["https://id.example.com"] },
  ),
);
guarded.tool("write", { description: "Write.", scopes: ["write"] }, () => "written");

let running: Awaited<ReturnType<typeof listen>>;
let guarding: Awaited<ReturnType<typeof listen>>;
beforeAll(async () => {
  [running, guarding] = await Promise.all([listen(server), listen(guarded)]);
});
afterAll(() => Promise.all([running.close(), guarding.close()]));

it("shows every row of the table", () => {
  expect(rows.toSorted()).toEqual(Object.keys(requests).toSorted());
});

it.each(rows)("answers %s", async (row) => {
  const waiting = row.startsWith("503") ? await occupied() : undefined;
  const request = requests[row] as Sending;
  const { url } = request.path === "/guarded" ? guarding : running;
  const { status, code = "" } = await send(url, request);
  expect(`${status} ${code}`).toBe(row);
  handler.release();
  await waiting?.answer;
});

/** Resolves when the one call that the server takes at a time is under way. */
async function occupied(): Promise<{ readonly answer: Promise<unknown> }> {
  const entered = new Promise<void>((resolve) => (handler.entered = resolve));
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "wait" } });
  const answer = send(running.url, { headers: json, body });
  await entered;
  return { answer };
}
