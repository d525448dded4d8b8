/** When records are on the disk, and what becomes of those that the disk could not keep. */

import { setTimeout as sleep } from "node:timers/promises";
import type { AuditOptions } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { AuditFolder, auditedServer } from "../../support/audited.ts";
import { type CapturedLog, capturedLog } from "../../support/captured-log.ts";

const fs = process.getBuiltinModule("node:fs");
const { fdatasync } = fs;

/** Stands in for the disk: `answer` is asked at each synchronisation, which waits for `before`, and may do what a disk does. */
function disk(
  answer: () => Error | null,
  before: () => unknown = () => {},
): { readonly asked: () => number } {
  let asked = 0;
  fs.fdatasync = ((fd: number, done: (error: Error | null) => void) => {
    asked += 1;
    const error = answer();
    if (error) setImmediate(() => done(error));
    else void Promise.resolve(before()).then(() => fdatasync(fd, done));
  }) as typeof fdatasync;
  onTestFinished(() => {
    fs.fdatasync = fdatasync;
  });
  return { asked: () => asked };
}

interface Stage {
  readonly folder: AuditFolder;
  readonly log: CapturedLog;
  readonly admin: TestClient;
  readonly close: () => Promise<void>;
}

async function stage(options: Partial<AuditOptions>): Promise<Stage> {
  const folder = new AuditFolder();
  const log = capturedLog();
  const server = auditedServer({ file: folder.file, options, logger: log.logger });
  onTestFinished(() => server.close());
  const admin = await TestClient.connect(server, { token: "admin" });
  return { folder, log, admin, close: () => server.close() };
}

test("records are written before the answer, and on the disk within the time", async () => {
  const { folder, admin } = await stage({ sync: "150ms" });
  const { asked } = disk(() => null);
  await admin.call("secret");
  expect(folder.calls()).toMatchObject([{ name: "secret" }]);
  expect(asked()).toBe(0);
  await vi.waitFor(() => expect(asked()).toBe(1), 5_000);
});

test("records are on the disk before the answer where that is asked for", async () => {
  const { admin } = await stage({ sync: "always" });
  const { asked } = disk(() => null);
  await admin.call("secret");
  expect(asked()).toBeGreaterThanOrEqual(1);
});

test.each(["100ms", "always"] as const)(
  "what the disk loses is written again, and calls are refused meanwhile: sync %s",
  async (sync) => {
    const { folder, log, admin, close } = await stage({ sync });
    await admin.call("secret");
    await sleep(300);
    const [segment] = folder.segments() as [string];
    const kept = fs.statSync(segment).size;
    let failures = 2;
    disk(() => {
      if (failures-- <= 0) return null;
      // As where pages cannot be brought to the disk: the system drops them.
      const { size } = fs.statSync(segment);
      const fd = fs.openSync(segment, "r+");
      if (size > kept) fs.writeSync(fd, Buffer.alloc(size - kept), 0, size - kept, kept);
      fs.closeSync(fd);
      return new Error("EIO: i/o error, fdatasync");
    });
    const calls = [admin.call("secret"), admin.call("secret")];
    const told = () =>
      log.entries().filter(({ message }) => String(message).startsWith("The audit log cannot"));
    await vi.waitFor(() => expect(told()).toHaveLength(1), 5_000);
    await expect(admin.call("secret")).rejects.toMatchObject({ code: "AUDIT_UNAVAILABLE" });
    await vi.waitFor(() => expect(admin.call("secret")).resolves.toBe("the secret"), 5_000);
    expect(await Promise.all(calls)).toEqual(["the secret", "the secret"]);
    await close();
    expect(await folder.verify()).toMatchObject({ ok: true });
    expect(folder.records()).toContainEqual(expect.objectContaining({ type: "resumed", lost: 0 }));
    expect(folder.calls().filter(({ decision }) => decision === "allowed")).toHaveLength(4);
    expect(told()).toHaveLength(1);
  },
  20_000,
);

test("the last signed record alone may be missing in the list of a process that is killed", async () => {
  const { folder, admin } = await stage({ checkpoints: { every: "20ms" } });
  disk(
    () => null,
    () => sleep(300),
  );
  for (let call = 0; call < 5; call++) {
    await admin.call("secret");
    await sleep(60);
    expect(await folder.verify()).toMatchObject({ ok: true });
  }
});

test("where records come faster than the disk takes them, calls do not wait for what is signed", async () => {
  const { folder, admin, close } = await stage({ checkpoints: { records: 1 } });
  let goOn = () => {};
  const busy = new Promise<void>((resolve) => (goOn = resolve));
  disk(
    () => null,
    () => busy,
  );
  for (let call = 0; call < 5; call++) await admin.call("secret");
  const types = () => folder.records().map(({ type }) => type);
  expect(types()).toEqual(["open", "call", "checkpoint", "call", "call", "call", "call"]);
  goOn();
  // What came meanwhile is vouched for when the disk has caught up, also where nothing follows.
  await vi.waitFor(() => expect(types().at(-1)).toBe("checkpoint"), 5_000);
  await close();
  expect(await folder.verify()).toMatchObject({ ok: true });
});

test("a list that cannot be written is told of, and written when that works again", async () => {
  const { folder, log, admin, close } = await stage({ checkpoints: { records: 2 } });
  let asked = 0;
  // The first is the segment's, the second its list's.
  disk(() => (++asked === 2 ? new Error("ENOSPC: no space left on device, fdatasync") : null));
  for (let call = 0; call < 3; call++) await admin.call("secret");
  const said = () => log.entries().map(({ message }) => String(message));
  await vi.waitFor(() => expect(said().join()).toContain("The audit log cannot be written"), 5_000);
  await vi.waitFor(() => expect(said().join()).toContain("The audit log is written again"), 5_000);
  for (let call = 0; call < 3; call++) await admin.call("secret");
  await vi.waitFor(
    () => expect(folder.records().filter(({ type }) => type === "checkpoint").length).toBeGreaterThan(2),
    5_000,
  );
  await close();
  expect(await folder.verify()).toMatchObject({ ok: true });
});

test("a segment that is given up while the disk is busy writes nothing into another", async () => {
  const { folder, log, admin, close } = await stage({ sync: "50ms", checkpoints: { records: 2 } });
  disk(
    () => null,
    () => sleep(1_200),
  );
  await admin.call("secret");
  await sleep(100);
  // While what came before is on its way to the disk, another is signed; then writing fails, and the file is gone.
  await admin.call("secret");
  const [given] = folder.segments() as [string];
  fs.renameSync(given, `${given}.away`);
  const { write } = fs;
  fs.write = ((...args: unknown[]) => {
    fs.write = write;
    (args.at(-1) as (error: Error) => void)(new Error("ENOSPC: no space left on device, write"));
  }) as typeof write;
  await admin.call("secret").catch(() => {});
  const said = () => log.entries().map(({ message }) => String(message));
  await vi.waitFor(() => expect(said().join()).toContain("The audit log is written again"), 8_000);
  await sleep(1_500);
  await close();
  const segment = folder.segments().at(-1) as string;
  const signed = fs.readFileSync(segment.replace(/\.jsonl$/, ".checkpoints"), "utf8").split("\n");
  for (const line of signed) expect(fs.readFileSync(segment, "utf8")).toContain(line);
}, 20_000);

test("what is signed is on the disk and in the list long before the rest has to be", async () => {
  const { folder, admin } = await stage({ sync: "60s", checkpoints: { records: 1 } });
  await admin.call("secret");
  const list = (folder.segments()[0] as string).replace(/\.jsonl$/, ".checkpoints");
  await vi.waitFor(() => expect(fs.readFileSync(list, "utf8")).toContain('"type":"checkpoint"'), 5_000);
});

test("what is written while the disk is busy gets there too", async () => {
  const { admin } = await stage({ sync: "50ms" });
  const { asked } = disk(
    () => null,
    () => sleep(200),
  );
  await admin.call("secret");
  await vi.waitFor(() => expect(asked()).toBe(1), 5_000);
  await admin.call("secret");
  await vi.waitFor(() => expect(asked()).toBe(2), 5_000);
});
