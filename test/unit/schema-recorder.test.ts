/** That the recorder of every test file sees what Gantry sends, and tells what the schemas do not allow. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { MCPServer, link } from "gantry-mcp";
import { TestClient, type TestEra } from "gantry-mcp/testing";
import { describe, expect, it } from "vitest";
import { listen } from "../support/listening.ts";
import { Dialogue, messagesSeen, takeProblems } from "../support/schema-recorder.ts";
import { REVISIONS, wireProblems } from "../support/wire-schema.ts";
import { envelope } from "../support/wire.ts";

/** Gantry passes links on as they are given: one without a scheme is what the schemas call no URI. */
function lax(): MCPServer {
  return new MCPServer({ name: "lax", version: "1.0.0" })
    .tool("good", { description: "Says hello." }, () => "Hello.")
    .tool("bad", { description: "Points nowhere." }, async (_args, ctx) => {
      ctx.progress(1, 2);
      return link({ uri: "nowhere", name: "nowhere" });
    });
}

const told = [expect.stringMatching(/answer to tools\/call: CallToolResult.*must match format \\?"uri/s)];

describe("the recorder sees", () => {
  it.each<TestEra>(["2026-07-28", "2025-11-25", "2025-06-18"])(
    "what the test client is answered in %s",
    async (era) => {
      const client = await TestClient.connect(lax(), { era });
      const before = messagesSeen();
      await client.call("good");
      expect(messagesSeen()).toBeGreaterThan(before);
      expect(takeProblems()).toEqual([]);
      await client.callTool("bad");
      expect(takeProblems()).toEqual(told);
      await client.close();
    },
  );

  it.each(["application/json", "application/json, text/event-stream"])(
    "what is answered over HTTP as %s",
    async (accept) => {
      const { url, close } = await listen(lax());
      const _meta = { ...MODERN_META, progressToken: 1 };
      const answer = await fetch(url, envelope("tools/call", { name: "bad", _meta }, { accept }));
      await answer.text();
      expect(answer.headers.get("content-type")).toBe(accept.split(", ").at(-1));
      expect(takeProblems()).toEqual(told);
      await close();
    },
  );

  it("what a child process writes", async () => {
    const answer = { jsonrpc: "2.0", id: 1, result: { content: "none" } };
    const child = spawn(process.execPath, [
      "-e",
      `process.stdin.once("data", () => { console.log("starting"); console.log(${JSON.stringify(JSON.stringify(answer))}); process.stdin.destroy(); })`,
    ]);
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: {} })}\n`);
    child.stdout.resume();
    await once(child, "close");
    expect(takeProblems()).toEqual([
      expect.stringMatching(/^stdio.*CallToolResult\/content: must be array/s),
    ]);
  });
});

const MODERN_META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};

describe("the schemas do not allow", () => {
  const rpc = (rest: object) => ({ jsonrpc: "2.0", ...rest });

  it.each(REVISIONS)("a tool's result without content, in %s", (revision) => {
    expect(
      wireProblems(revision, rpc({ id: 1, result: { resultType: "complete" } }), "tools/call"),
    ).not.toEqual([]);
    const empty = { resultType: "complete", content: [] };
    expect(wireProblems(revision, rpc({ id: 1, result: empty }), "tools/call")).toEqual([]);
  });

  it.each(REVISIONS)("progress without a token, in %s", (revision) => {
    const method = "notifications/progress";
    expect(wireProblems(revision, rpc({ method, params: { progress: 1 } }), undefined)).not.toEqual([]);
    expect(
      wireProblems(revision, rpc({ method, params: { progress: 1, progressToken: 1 } }), undefined),
    ).toEqual([]);
  });

  it("questions to the client as requests of their own, in 2026-07-28", () => {
    const question = rpc({ id: 1, method: "roots/list" });
    expect(wireProblems("2026-07-28", question, undefined)).toEqual(["roots/list is no message of a server"]);
    expect(wireProblems("2025-11-25", question, undefined)).toEqual([]);
  });

  it("a result without its type, lists without cache hints, and an empty question, in 2026-07-28", () => {
    const tell = (result: object, method: string) =>
      wireProblems("2026-07-28", rpc({ id: 1, result }), method);
    expect(tell({ content: [] }, "tools/call")).not.toEqual([]);
    expect(tell({ resultType: "complete", tools: [] }, "tools/list")).not.toEqual([]);
    expect(tell({ resultType: "input_required" }, "tools/call")).toEqual([
      "an input_required result has neither inputRequests nor requestState",
    ]);
  });

  it("an unsupported version that does not say which are supported", () => {
    const error = { code: -32022, message: "Unsupported protocol version" };
    expect(wireProblems("2026-07-28", rpc({ id: 1, error }), "tools/list")).not.toEqual([]);
  });

  it("an answer to what nobody asked", () => {
    new Dialogue("2025-11-25").said(rpc({ id: 7, result: {} }), "here");
    expect(takeProblems()).toEqual([expect.stringContaining("answers no request of id 7")]);
    const dialogue = new Dialogue("2025-03-26");
    dialogue.heard(rpc({ id: 7, method: "ping" }), rpc({ id: 7, method: "tools/list" }));
    dialogue.said(rpc({ id: 7, result: {} }), "to one of two with one id");
    expect(takeProblems()).toEqual([]);
  });
});
