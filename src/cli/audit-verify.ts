/** `gantry audit verify` */

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type AuditVerification, verifyAudit } from "../audit/verify.ts";
import { UsageError, print } from "./usage.ts";

const OPTIONS = {
  key: { type: "string", multiple: true },
  "key-env": { type: "string", multiple: true },
  json: { type: "boolean" },
} as const;

/** Gives the exit code. */
export async function auditVerify(args: readonly string[]): Promise<number> {
  const { values, files } = read(args);
  const keys = [...(values.key ?? []).map(fromFile), ...(values["key-env"] ?? []).map(fromEnvironment)];
  const found = await verifyAudit({ file: files, ...(keys.length > 0 && { key: keys }) });
  if (values.json) print(JSON.stringify(found));
  else tell(found);
  return found.ok ? 0 : 1;
}

function read(args: readonly string[]) {
  try {
    const { values, positionals: files } = parseArgs({
      args: [...args],
      options: OPTIONS,
      allowPositionals: true,
    });
    if (files.length > 0) return { values, files };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  throw new UsageError(
    "audit verify needs the log's name: gantry audit verify ./audit.jsonl --key audit.pub.",
  );
}

function fromFile(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new UsageError(`--key: ${path} cannot be read (${(error as Error).message}).`);
  }
}

function fromEnvironment(name: string): string {
  const key = process.env[name];
  if (key === undefined || key === "")
    throw new UsageError(`--key-env: the environment variable ${name} is not set.`);
  return key;
}

function tell({ ok, records, segments, problem, notes }: AuditVerification): void {
  if (problem)
    console.error(`${problem.file}:${problem.line}: record ${problem.sequence} ${problem.message}.`);
  const extent = `${records} ${records === 1 ? "record" : "records"} in ${segments} ${segments === 1 ? "segment" : "segments"}`;
  print(ok ? `${extent}: each is what was written.` : `${extent} up to there.`);
  for (const note of notes) print(`Note: ${note}`);
}
