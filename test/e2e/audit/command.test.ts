/** `gantry audit verify`, as an operator runs it. */

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { AuditFolder, KEY, auditedServer } from "../../support/audited.ts";

const program = fileURLToPath(new URL("../../../src/cli/gantry.ts", import.meta.url));

function gantry(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", program, ...args], {
    encoding: "utf8",
    env: { ...process.env, AUDIT_KEY: KEY },
  });
  return { status, stdout, stderr };
}

async function log(): Promise<AuditFolder> {
  const folder = new AuditFolder();
  const server = auditedServer({ file: folder.file });
  const client = await TestClient.connect(server, { token: "ana" });
  for (let call = 0; call < 3; call++) await client.call("add", { a: call });
  await server.close();
  return folder;
}

describe("gantry audit verify", () => {
  test("tells that a log is what was written", async () => {
    const folder = await log();
    const { status, stdout } = gantry("audit", "verify", folder.file, "--key-env", "AUDIT_KEY");
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: "5 records in 1 segment: each is what was written.\n",
    });
  });

  test("names the first record that is not, and ends with 1", async () => {
    const folder = await log();
    const [segment] = folder.segments() as [string];
    writeFileSync(segment, readFileSync(segment, "utf8").replace('"boss"', '"bob!"'));
    const keyFile = `${folder.path}/secret`;
    writeFileSync(keyFile, `${KEY}\n`);
    const { status, stderr } = gantry("audit", "verify", segment, "--key", keyFile);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `${segment}:2: record 2 has been changed: its hash is not that of its bytes.\n`,
    });
    const { stdout } = gantry("audit", "verify", folder.file, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, problem: { file: segment, line: 2, sequence: 2 } });
  });

  test.each([
    ["no log of that name", ["audit", "verify", "nothing.jsonl"], 'There is no audit log "nothing.jsonl"'],
    ["no file", ["audit", "verify"], "audit verify needs the log's name"],
    ["a key that is not there", ["audit", "verify", "a.jsonl", "--key-env", "NOT_SET"], "NOT_SET is not set"],
    ["another command", ["audit", "rewrite"], 'There is no command "audit rewrite"'],
  ])("ends with 2 where there is %s", (_words, args, message) => {
    const { status, stderr } = gantry(...args);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });
});

test("gantry --help shows what there is", () => {
  const { status, stdout } = gantry("--help");
  expect(status).toBe(0);
  expect(stdout).toContain("audit verify FILE…");
});
