/** What becomes of calls while the audit log cannot be written. */

import {
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type AuditOptions,
  ConfigurationError,
  type MCPServer,
  MCPServer as Server,
  audit,
} from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { AuditFolder, KEY, auditedServer } from "../../support/audited.ts";
import { type CapturedLog, capturedLog } from "../../support/captured-log.ts";

const unavailable = (retryable: boolean) => ({ code: "AUDIT_UNAVAILABLE", body: { retryable } });

interface Stage {
  readonly server: MCPServer;
  readonly folder: AuditFolder;
  readonly log: CapturedLog;
  readonly admin: TestClient;
  readonly anybody: TestClient;
  /** Takes the log's folder away, as a disk that is gone does; and brings it back. */
  readonly breakDisk: () => Promise<void>;
  readonly mendDisk: () => void;
}

async function stage(options: Partial<AuditOptions> = {}): Promise<Stage> {
  const folder = new AuditFolder();
  const log = capturedLog();
  const server = auditedServer({ file: folder.file, options, logger: log.logger });
  onTestFinished(() => server.close());
  const admin = await TestClient.connect(server, { token: "admin" });
  const anybody = await TestClient.connect(server);
  await admin.call("secret");
  const away = `${folder.path}.away`;
  return {
    server,
    folder,
    log,
    admin,
    anybody,
    breakDisk: async () => {
      renameSync(folder.path, away);
      writeFileSync(folder.path, "no folder");
      // The next record finds out.
      await sleep(600);
      await anybody.call("add", { a: 0 });
    },
    mendDisk: () => {
      rmSync(folder.path);
      renameSync(away, folder.path);
    },
  };
}

const ready = async (server: MCPServer): Promise<{ readonly status: number; readonly body: unknown }> => {
  const response = await server.fetch(new Request("http://127.0.0.1/health/ready"));
  return { status: response.status, body: await response.json() };
};

describe("while the log cannot be written", () => {
  test("what needs identity is refused before it runs, what is public goes on, and it is said once", async () => {
    const { server, admin, anybody, breakDisk, mendDisk, log, folder } = await stage();
    expect(await ready(server)).toMatchObject({ status: 200, body: { checks: { audit: "ok" } } });
    await breakDisk();
    for (let call = 0; call < 3; call++) {
      await expect(admin.call("secret")).rejects.toMatchObject(unavailable(true));
      expect(await anybody.call("add", { a: 1 })).toBe(2);
    }
    expect(await ready(server)).toMatchObject({ status: 503, body: { checks: { audit: "failed" } } });
    const lines = log.entries().filter(({ message }) => String(message).startsWith("The audit log cannot"));
    expect(lines).toHaveLength(1);

    mendDisk();
    await vi.waitFor(async () => expect(await admin.call("secret")).toBe("the secret"), 5_000);
    expect(await ready(server)).toMatchObject({ status: 200 });
    await server.close();
    // All that was called meanwhile has been written, and that it was late.
    expect(await folder.verify()).toMatchObject({ ok: true });
    expect(folder.records()).toContainEqual(expect.objectContaining({ type: "resumed", lost: 0 }));
    const refused = folder.calls().filter(({ code }) => code === "AUDIT_UNAVAILABLE");
    expect(refused.length).toBeGreaterThanOrEqual(3);
    expect(refused[0]).toMatchObject({ name: "secret", decision: "refused" });
    expect(folder.calls().filter(({ name }) => name === "add")).toHaveLength(4);
  }, 15_000);

  test("everything goes on where the author says why", async () => {
    const { admin, breakDisk, mendDisk } = await stage({ allowUnrecorded: "demonstration" });
    await breakDisk();
    expect(await admin.call("secret")).toBe("the secret");
    mendDisk();
  });

  test("a call that is running then is answered without its result", async () => {
    const folder = new AuditFolder();
    const server = auditedServer({ file: folder.file, logger: capturedLog().logger });
    onTestFinished(() => server.close());
    let finish = (_value: string) => {};
    server.tool(
      "slow",
      { description: "Slow.", auth: true },
      () => new Promise<string>((resolve) => (finish = resolve)),
    );
    const client = await TestClient.connect(server, { token: "ana" });
    const call = client.call("slow");
    await sleep(600);
    rmSync(folder.path, { recursive: true });
    writeFileSync(folder.path, "no folder");
    finish("the result");
    await expect(call).rejects.toMatchObject(unavailable(false));
    rmSync(folder.path);
  }, 15_000);
});

test.each<[string, (segment: string) => void]>([
  ["taken away", (segment) => rmSync(segment)],
  ["emptied", (segment) => truncateSync(segment)],
  ["cut", (segment) => truncateSync(segment, statSync(segment).size - 1)],
  ["emptied, and written behind the hole", (segment) => writeFileSync(segment, Buffer.alloc(1_000_000))],
])("a file that is %s is noticed, and the log goes on in another", async (how, harm) => {
  const { folder, admin, server, log } = await stage();
  harm(folder.segments()[0] as string);
  await sleep(600);
  await admin.call("secret");
  expect(folder.segments()).toHaveLength(how === "taken away" ? 1 : 2);
  expect(readFileSync(folder.segments().at(-1) as string, "utf8")).toContain('"name":"secret"');
  expect(log.entries()).toContainEqual(
    expect.objectContaining({
      level: "error",
      message: "A file of the audit log has been removed, replaced or cut",
    }),
  );
  await server.close();
  if (how === "cut") return;
  expect(await folder.verify()).toMatchObject({
    ok: false,
    problem: { file: expect.stringContaining("audit.000001.jsonl") },
  });
});

test("a list of checkpoints that is taken away is noticed too", async () => {
  const { folder, admin, server, log } = await stage();
  rmSync((folder.segments()[0] as string).replace(/jsonl$/, "checkpoints"));
  await sleep(600);
  await admin.call("secret");
  await server.close();
  expect(JSON.stringify(log.entries())).toContain("has been removed, replaced or cut");
  expect(folder.segments()).toHaveLength(2);
  expect(await folder.verify()).toMatchObject({
    ok: false,
    problem: {
      file: expect.stringContaining("audit.000001.checkpoints"),
      line: 1,
      message: "is missing, with the whole list of checkpoints",
    },
  });
});

test("other kinds than tools are refused as unavailable, and told when to come again", async () => {
  const { server, breakDisk, mendDisk } = await stage();
  server.resource("vault://keys", { name: "keys", description: "Keys.", auth: true }, () => "keys");
  await breakDisk();
  const response = await server.fetch(
    new Request("http://127.0.0.1/mcp", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        authorization: "Bearer admin",
        "mcp-protocol-version": "2025-11-25",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "resources/read",
        params: { uri: "vault://keys" },
      }),
    }),
  );
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).toBe("1");
  mendDisk();
});

describe("a server whose log", () => {
  test("cannot be written does not start", async () => {
    const folder = new AuditFolder();
    writeFileSync(`${folder.path}/file`, "");
    const server = auditedServer({ file: `${folder.path}/file/audit.jsonl` });
    await expect(TestClient.connect(server)).rejects.toThrow(/cannot be written .* may write/);
  });

  // Elsewhere than on Linux these are folders that nobody has made.
  test.each(["/proc", "/proc/gantry", "/proc/self/gantry/audit"])(
    "would be in %s does not start, and does not try for ever",
    async (path) => {
      const server = auditedServer({ file: `${path}/audit.jsonl` });
      await expect(TestClient.connect(server)).rejects.toThrow(/cannot be written .* may write/);
    },
  );

  test("is to be in folders that are not there has them made, for its owner alone", async () => {
    const folder = new AuditFolder();
    const path = `${folder.path}/var/log`;
    const server = auditedServer({ file: `${path}/audit.jsonl` });
    await TestClient.connect(server);
    await server.close();
    expect(readdirSync(path)).toContain("audit.000001.jsonl");
    expect([dirname(path), path].map((made) => statSync(made).mode & 0o777)).toEqual([0o700, 0o700]);
  });

  test("is written ends it after its last call and before its hooks", async () => {
    const folder = new AuditFolder();
    const server = auditedServer({ file: folder.file });
    let seen: unknown;
    server.onShutdown(() => {
      seen = folder.records().at(-1)?.["type"];
    });
    const client = await TestClient.connect(server);
    await client.call("add", { a: 1 });
    await server.close();
    expect(seen).toBe("close");
  });

  test("is shared with another server ends with the last of them", async () => {
    const folder = new AuditFolder();
    const layer = audit({ file: folder.file, key: KEY, kinds: ["tool"] });
    const make = (name: string) =>
      new Server({ name, version: "1.0.0" }).use(layer).tool("t", { description: "It." }, () => name);
    const [one, two] = [make("one"), make("two")];
    const clients = [await TestClient.connect(one), await TestClient.connect(two)];
    await clients[0]?.call("t");
    await one.close();
    await clients[1]?.call("t");
    await two.close();
    expect(folder.calls()).toMatchObject([{ server: { name: "one" } }, { server: { name: "two" } }]);
    expect(await folder.verify()).toMatchObject({ ok: true, notes: [] });
  });
});

describe("audit() refuses", () => {
  test.each<[string, unknown, string]>([
    ["no key", { file: "a.jsonl" }, "key is undefined. Write"],
    [
      "a key that is not set",
      { file: "a.jsonl", key: undefined, allowUnsigned: "x" },
      "environment variable set?",
    ],
    ["a short key", { file: "a.jsonl", key: "short" }, "at least 32 characters"],
    ["a key that is no Ed25519 key", { file: "a.jsonl", key: "-----BEGIN NOTHING-----" }, "openssl genpkey"],
    ["a key and a reason for none", { file: "a.jsonl", key: KEY, allowUnsigned: "x" }, "exclude each other"],
    ["no file", { key: KEY }, 'write a name, such as "./audit.jsonl"'],
    ["a folder", { file: "logs/", key: KEY }, 'write a name, such as "./audit.jsonl"'],
    ["no reason", { file: "a.jsonl", key: KEY, allowUnrecorded: "" }, "write why, in a sentence"],
    [
      "a digest key that is not set",
      { file: "a.jsonl", key: KEY, digestKey: undefined },
      "environment variable set?",
    ],
    ["an unknown option", { file: "a.jsonl", keys: KEY }, 'Did you mean "key"?'],
    [
      "an unknown option of rotation",
      { file: "a.jsonl", key: KEY, rotation: { byte: 1 } },
      'Did you mean "bytes"?',
    ],
    ["no size", { file: "a.jsonl", key: KEY, rotation: { bytes: 0 } }, "rotation.bytes is 0"],
    ["no time", { file: "a.jsonl", key: KEY, checkpoints: { every: "0s" } }, "checkpoints.every"],
    ["another word", { file: "a.jsonl", key: KEY, sync: "never" }, 'sync ("always" or a time) is "never"'],
  ])("%s", (_words, options, message) => {
    expect(() => audit(options as AuditOptions)).toThrow(ConfigurationError);
    expect(() => audit(options as AuditOptions)).toThrow(message);
    expect(existsSync("a.000001.jsonl")).toBe(false);
  });
});
