/** The chain over restarts, crashes, rotation, and processes that write at once. */

import { appendFileSync, copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { verifyAudit } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { AuditFolder, KEY, auditedServer } from "../../support/audited.ts";

async function calls(folder: AuditFolder, times: number, options = {}) {
  const server = auditedServer({ file: folder.file, options });
  const client = await TestClient.connect(server, { token: "ana" });
  for (let call = 0; call < times; call++) await client.call("add", { a: call });
  return server;
}

/** The files as a process leaves them that is killed now. */
function killedNow(folder: AuditFolder): AuditFolder {
  const left = new AuditFolder();
  for (const name of readdirSync(folder.path)) copyFileSync(join(folder.path, name), join(left.path, name));
  return left;
}

describe("after a crash", () => {
  test("a record that was never finished is kept aside, and told of", async () => {
    const folder = new AuditFolder();
    const server = await calls(folder, 3);
    const left = killedNow(folder);
    await server.close();
    const [segment] = left.segments() as [string];
    appendFileSync(segment, '{"sequence":5,"time":"2026');
    const next = await calls(left, 2);
    await next.close();

    const { ok, notes } = await left.verify();
    expect(ok).toBe(true);
    expect(notes).toEqual([
      `${segment}:5 ends in 26 bytes of a record that was never finished.`,
      `${segment} has no end: its process was killed, or writes it still. Nothing vouches yet for its last 3 records.`,
    ]);
    const [, second] = left.segments() as [string, string];
    const opened = JSON.parse(readFileSync(second, "utf8").split("\n")[0] as string) as Record<
      string,
      unknown
    >;
    expect(opened).toMatchObject({ type: "open", after: [{ segment: 1, sequence: 4, torn: 26 }] });
  });

  test("what is cut off meanwhile is missed once the server has started again", async () => {
    const folder = new AuditFolder();
    const server = await calls(folder, 3);
    const left = killedNow(folder);
    await server.close();
    await (await calls(left, 1)).close();
    const [segment] = left.segments() as [string];
    const lines = readFileSync(segment, "utf8").trimEnd().split("\n");
    writeFileSync(segment, `${lines.slice(0, -1).join("\n")}\n`);
    expect(await left.verify()).toMatchObject({
      ok: false,
      problem: { file: segment, line: 4, sequence: 4 },
    });
  });

  test("an end that is more than the beginning of a record is none", async () => {
    const folder = new AuditFolder();
    const server = await calls(folder, 2);
    const left = killedNow(folder);
    await server.close();
    const [segment] = left.segments() as [string];
    writeFileSync(segment, readFileSync(segment, "utf8").replace(/\n$/, " "));
    expect(await left.verify()).toMatchObject({
      ok: false,
      problem: { file: segment, line: 3, sequence: 3 },
    });
  });
});

test("a segment that is full is followed by another, and the chain goes on", async () => {
  const folder = new AuditFolder();
  await (await calls(folder, 30, { rotation: { bytes: 5_000 } })).close();
  expect(folder.segments().length).toBeGreaterThan(2);
  const records = folder.records();
  expect(records.map(({ sequence }) => sequence)).toEqual(records.map((_record, index) => index + 1));
  expect(folder.calls()).toHaveLength(30);
  expect(await folder.verify()).toMatchObject({ ok: true, notes: [] });
});

test("a segment that is old is followed by another", async () => {
  const folder = new AuditFolder();
  const server = await calls(folder, 1, { rotation: { age: 50 } });
  await new Promise((resolve) => setTimeout(resolve, 80));
  const client = await TestClient.connect(server);
  await client.call("add", { a: 1 });
  await server.close();
  expect(folder.segments()).toHaveLength(2);
  expect(await folder.verify()).toMatchObject({ ok: true });
});

test("records are vouched for in time, also where no more come", async () => {
  const folder = new AuditFolder();
  const server = await calls(folder, 2, { checkpoints: { every: 40 } });
  await expect.poll(() => folder.records().at(-1)?.["type"]).toBe("checkpoint");
  await server.close();
});

test("servers that write one log at once have a segment each, and each is told of", async () => {
  const folder = new AuditFolder();
  const servers = await Promise.all([calls(folder, 8), calls(folder, 8), calls(folder, 8)]);
  await Promise.all(servers.map((server) => server.close()));
  expect(folder.segments()).toHaveLength(3);
  expect(folder.calls()).toHaveLength(24);
  expect(await folder.verify()).toMatchObject({ ok: true, notes: [] });
});

describe("verifyAudit", () => {
  test("verifies the rest of a log whose first segments are elsewhere, where they are named", async () => {
    const folder = new AuditFolder();
    for (let run = 0; run < 3; run++) await (await calls(folder, 2)).close();
    const kept = folder.segments().slice(1);
    const moved = new AuditFolder();
    mkdirSync(join(moved.path, "rest"));
    for (const path of kept.flatMap((segment) => [segment, segment.replace(/jsonl$/, "checkpoints")]))
      copyFileSync(path, path.replace(folder.path, join(moved.path, "rest")));
    const named = kept.map((path) => path.replace(folder.path, join(moved.path, "rest")));
    expect(await verifyAudit({ file: named, key: KEY })).toMatchObject({ ok: true, segments: 2 });
    const whole = await verifyAudit({ file: join(moved.path, "rest", "audit.jsonl"), key: KEY });
    expect(whole).toMatchObject({ ok: false, problem: { message: "is missing, with all of its segment" } });
  });

  test("takes several keys, where one was replaced, and none of another", async () => {
    const folder = new AuditFolder();
    const other = "another secret that signs the log, later";
    await (await calls(folder, 1)).close();
    await (await calls(folder, 1, { key: other })).close();
    expect(await verifyAudit({ file: folder.file, key: [KEY, other] })).toMatchObject({ ok: true });
    expect(await verifyAudit({ file: folder.file, key: other })).toMatchObject({
      ok: false,
      problem: { line: 1, sequence: 1, message: expect.stringContaining("another key was given") },
    });
    expect(await verifyAudit({ file: folder.file })).toMatchObject({
      ok: true,
      notes: ["No key was given: signatures have not been checked."],
    });
  });
});
