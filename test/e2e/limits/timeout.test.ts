/** `timeout()`: the time of operations that set none themselves. */

import { ConfigurationError, MCPRouter, MCPServer, type TimeoutOptions, timeout } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";

const about = { description: "About it." };
const never = () => new Promise(() => {});

const server = () => {
  const quick = new MCPRouter({ prefix: "quick", middleware: [timeout({ default: 20 })] });
  quick.tool("hang", about, never).tool("own", { ...about, timeout: 60 }, never);
  return new MCPServer({ name: "timed", version: "1.0.0", timeout: "1h" })
    .use(timeout({ default: 40 }))
    .include(quick)
    .tool("hang", about, never)
    .tool("own", { ...about, timeout: 30 }, never)
    .prompt("plan", about, never);
};

describe.each(["2026-07-28", "2025-11-25"] as const)("timeout, revision %s", (era) => {
  test.each([
    ["hang", "0.04s", "the layer's, in place of the server's"],
    ["own", "0.03s", "the tool's own"],
    ["quick_hang", "0.02s", "the innermost layer's"],
    ["quick_own", "0.06s", "the tool's own within several layers"],
  ])("%s ends after %s: %s", async (name, time) => {
    const client = await TestClient.connect(server(), { era });
    await expect(client.call(name)).rejects.toMatchObject({
      code: "TIMEOUT",
      message: `Tool '${name}' timed out after ${time}`,
      body: { retryable: true },
    });
  });

  test("prompts and resources end as well", async () => {
    const client = await TestClient.connect(server(), { era });
    await expect(client.getPrompt("plan")).rejects.toMatchObject({
      data: { code: "TIMEOUT", message: "Prompt 'plan' timed out after 0.04s" },
    });
  });
});

test("what ends in time is as if there were no layer", async () => {
  let signal: AbortSignal | undefined;
  const quick = new MCPServer({ name: "timed", version: "1.0.0" })
    .use(timeout({ default: "5s" }))
    .tool("act", about, (_args, ctx) => {
      ({ signal } = ctx);
      return "done";
    });
  expect(await (await TestClient.connect(quick)).call("act")).toBe("done");
  expect(signal?.aborted).toBe(false);
});

test.each<readonly [unknown, string]>([
  [undefined, 'timeout() got undefined: write timeout({ default: "30s" }).'],
  [{}, 'timeout() got an object: write timeout({ default: "30s" }).'],
  [{ default: "soon" }, 'timeout(): default is "soon": write milliseconds or a string'],
  [{ default: 5, max: 6 }, 'timeout(): unknown option "max".'],
])("%j is refused, with what to write", (options, message) => {
  expect(() => timeout(options as TimeoutOptions)).toThrow(ConfigurationError);
  expect(() => timeout(options as TimeoutOptions)).toThrow(message);
});
