/** Whatever is done to an audit log, the verifier names the first record at which it shows. */

import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { verifyAudit } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { Random } from "../reliability/random.ts";
import { AuditFolder, KEY, auditedServer } from "../support/audited.ts";
import { type Files, readFiles, tamperings, writeFiles } from "./audit-tampering.ts";

const CASES = 500;

const pair = generateKeyPairSync("ed25519");
const pem = {
  private: pair.privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
  public: pair.publicKey.export({ format: "pem", type: "spki" }).toString(),
};

/** The log of a server that was started three times. */
async function log(key: string): Promise<Files> {
  const folder = new AuditFolder();
  for (const runs of [14, 23, 9]) {
    const options = { key, checkpoints: { records: 6 }, sync: "always" } as const;
    const server = auditedServer({ file: folder.file, options });
    const client = await TestClient.connect(server, { token: "ana" });
    for (let call = 0; call < runs; call++) await client.call("add", { a: call });
    await server.close();
  }
  return readFiles(folder.path);
}

describe.each([
  ["a secret", KEY, KEY],
  ["Ed25519", pem.private, pem.public],
])("a log signed by %s", (_words, signing, verifying) => {
  test(`shows each of ${CASES / 2} tamperings at its place`, async () => {
    const [own, other] = [await log(signing), await log(signing)];
    const random = new Random(20_261_121);
    const folder = new AuditFolder();
    const kinds = Object.entries(tamperings);
    for (let number = 0; number < CASES / 2; number++) {
      const [kind, tamper] = kinds[number % kinds.length] as (typeof kinds)[number];
      const files = new Map(own);
      const expected = tamper(files, random, other);
      const path = join(folder.path, String(number));
      mkdirSync(path);
      writeFiles(path, files);
      const found = await verifyAudit({ file: join(path, "audit.jsonl"), key: verifying });
      const where = { ...expected, file: join(path, expected.file) };
      expect(found, `${kind}, case ${number}, seed ${random.seed}`).toMatchObject({
        ok: false,
        problem: where,
      });
      rmSync(path, { recursive: true });
    }
  }, 60_000);

  test("is whole where nobody tampered with it", async () => {
    const folder = new AuditFolder();
    writeFiles(folder.path, await log(signing));
    const found = await verifyAudit({ file: folder.file, key: verifying });
    expect(found).toMatchObject({ ok: true, segments: 3, notes: [] });
    expect(found.records).toBeGreaterThan(52);
  });
});
