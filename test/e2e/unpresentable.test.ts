/** What cannot be written as JSON ends a call, not the server. */

import { MCPServer, ToolError, type Logger, text } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "node:net";

const logged: { readonly fields: object; readonly message: string }[] = [];
const keep = (fields: object, message: string) => void logged.push({ fields, message });
const logger: Logger = {
  debug: keep,
  info: keep,
  warn: keep,
  error: (fields, message) => {
    keep(fields, message);
    throw new Error("The logger is broken, too.");
  },
};

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;
const hostile = new Proxy(new Error("hidden"), {
  getPrototypeOf: () => {
    throw new Error("trap");
  },
});

const server = new MCPServer({ name: "unpresentable", version: "1.0.0", logger });
const outcomes: Readonly<Record<string, () => unknown>> = {
  bigint_details: () => {
    throw new ToolError("Not that one", { details: { id: 10n } });
  },
  cyclic_details: () => {
    throw new ToolError("hidden", { details: cycle });
  },
  bigint_meta: () => text("hidden", { _meta: { n: 1n } }),
  hostile_error: () => {
    throw hostile;
  },
};
for (const [name, outcome] of Object.entries(outcomes)) {
  server.tool(name, { description: "Ends badly at once." }, outcome);
  server.tool(`${name}_later`, { description: "Ends badly later." }, async () => {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
    return outcome();
  });
}
server.tool("fine", { description: "Ends well." }, () => "fine");

let running: Awaited<ReturnType<typeof server.run>> & { readonly url: string };

beforeAll(async () => {
  running = await server.run({ transport: "http", port: 0, signals: false });
});

afterAll(() => running.close());

async function post(body: unknown): Promise<unknown> {
  const response = await fetch(running.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return response.json();
}

const call = (id: number, name: string) => ({ jsonrpc: "2.0", id, method: "tools/call", params: { name } });

const fine = { content: [{ type: "text", text: "fine" }] };

describe("over a socket", () => {
  test("an author's bigint is its digits", async () => {
    const { result } = (await post(call(1, "bigint_details"))) as { result: { content: { text: string }[] } };
    expect(JSON.parse(result.content[0]?.text ?? "")).toMatchObject({
      error: { code: "TOOL_ERROR", message: "Not that one", details: { id: "10" } },
    });
  });

  test.each(["cyclic_details", "bigint_meta", "hostile_error"].flatMap((name) => [name, `${name}_later`]))(
    "%s is an internal error under its request id, and the server goes on",
    async (name) => {
      const answer = JSON.stringify(await post(call(7, name)));
      expect(answer).toContain('"id":7');
      expect(answer).toContain("INTERNAL_ERROR");
      expect(answer).not.toMatch(/hidden|trap|serialize|circular/i);
      const requestId = /requestId\\?":\\?"([0-9a-f]{12})/.exec(answer)?.[1];
      expect(logged.some(({ fields }) => (fields as { requestId?: string }).requestId === requestId)).toBe(
        true,
      );
      expect(await post(call(8, "fine"))).toMatchObject({ id: 8, result: fine });
    },
  );

  test.each(["cyclic_details", "hostile_error"])("%s fails its call as other errors do", async (name) => {
    expect(await post(call(9, name))).toMatchObject({ id: 9, result: { isError: true } });
    expect(await post(call(9, `${name}_later`))).toMatchObject({ id: 9, result: { isError: true } });
  });

  test("in a batch, each request ends by itself", async () => {
    const answers = await post([call(1, "bigint_meta_later"), call(2, "fine"), call(3, "bigint_meta")]);
    expect(answers).toMatchObject([
      { id: 1, error: { code: -32603 } },
      { id: 2, result: fine },
      { id: 3, error: { code: -32603 } },
    ]);
  });
});

test("in process, as over a socket", async () => {
  const client = await TestClient.connect(server);
  await expect(client.callTool("bigint_meta")).rejects.toMatchObject({ code: -32603, status: 200 });
});

test("one member's time limit does not end the others of a batch", async () => {
  const batch = new MCPServer({ name: "batch", version: "1.0.0" });
  let ended = false;
  const after = (milliseconds: number) =>
    new Promise((resolve) => {
      setTimeout(resolve, milliseconds);
    });
  batch.tool("hasty", { description: "Gives up soon.", timeout: "20ms" }, () => after(200));
  batch.tool("patient", { description: "Takes its time." }, async (_args, { signal }) => {
    await after(100);
    ended = signal.aborted;
    return "done";
  });
  const client = await TestClient.connect(batch, { era: "2025-03-26" });
  const response = await client.post([call(1, "hasty"), call(2, "patient")]);
  expect(await response.json()).toMatchObject([
    { id: 1, result: { isError: true } },
    { id: 2, result: { content: [{ type: "text", text: "done" }] } },
  ]);
  expect(ended).toBe(false);
});

test("a wrong component added after the start is left out alone", async () => {
  const changing = new MCPServer({ name: "changing", version: "1.0.0", logger });
  changing.tool("secret", { description: "To be hidden." }, () => "secret");
  const client = await TestClient.connect(changing);
  changing.tool(
    "wrong",
    { description: "Wrong.", input: { type: "object", properties: { a: { type: "nonsense" } } } },
    () => 1,
  );
  changing.tool("good", { description: "Good." }, () => "good");
  changing.disable({ tool: "secret" });
  expect((await client.listTools()).map(({ name }) => name)).toEqual(["good"]);
  await expect(client.call("secret")).rejects.toMatchObject({ code: -32602 });
  expect(await client.call("good")).toBe("good");
  expect(logged.some(({ message }) => message.includes("left out"))).toBe(true);
});

test("bodies that are still arriving count as requests under way", async () => {
  const small = new MCPServer({ name: "small", version: "1.0.0", http: { maxInFlight: 3 } });
  small.tool("fine", { description: "Ends well." }, () => "fine");
  const { url, port, close } = await small.run({ transport: "http", port: 0, signals: false });
  const head = `POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`;
  const slow = [1, 2, 3].map(() =>
    connect(port, "127.0.0.1", function (this: { write(data: string): void }) {
      this.write(head);
    }),
  );
  const status = async () => {
    const { status: code } = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(call(1, "fine")),
    });
    return code;
  };
  await expect.poll(status).toBe(503);
  for (const socket of slow) socket.destroy();
  await expect.poll(status).toBe(200);
  await close();
});
