/** A start that fails leaves nothing open, however the server is started. */

import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { MCPServer } from "gantry-mcp";
import { expect, test } from "vitest";
import { capturedLog } from "../support/captured-log.ts";
import { listen } from "../support/listening.ts";
import { envelope } from "../support/wire.ts";

const FIXTURE = fileURLToPath(new URL("../fixtures/failing-start.ts", import.meta.url));

function failing(): { readonly server: MCPServer; readonly events: string[] } {
  const events: string[] = [];
  const server = new MCPServer({ name: "task-api", version: "1.0.0", logger: capturedLog().logger })
    .onStartup(() => events.push("open"))
    .onStartup(() => {
      throw new Error("no database");
    })
    .onShutdown(() => events.push("close"));
  return { server, events };
}

const request = () => new Request("http://localhost/mcp", envelope("tools/list"));

test("over HTTP", async () => {
  const { server, events } = failing();
  await expect(listen(server)).rejects.toThrow("no database");
  expect(events).toEqual(["open", "close"]);
});

test("mounted by fetch: each request is told, and closing is not", async () => {
  const { server, events } = failing();
  await expect(server.fetch(request())).rejects.toThrow("no database");
  await expect(server.fetch(request())).rejects.toThrow("no database");
  expect(events).toEqual(["open", "close"]);
  await server.close();
  expect(events).toEqual(["open", "close"]);
});

test("mounted by node", async () => {
  const { server, events } = failing();
  const http = createServer(server.node);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as { readonly port: number };
  expect((await fetch(`http://127.0.0.1:${port}/mcp`, envelope("tools/list"))).status).toBe(500);
  await server.close();
  http.close();
  expect(events).toEqual(["open", "close"]);
});

test("over stdio", async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--import", "tsx", FIXTURE]);
  expect(stderr.trim().split("\n")).toEqual(["hook: open", "hook: close", "run: no database"]);
  expect(stdout).toBe("");
});
