/** What must not be written down, and what is. */

import type { Room } from "./defence.ts";

export const auditRooms: readonly Room[] = [
  {
    name: "sensitive",
    tests: ["test/unit/core/schemas/sensitive"],
    defences: [
      {
        what: "writeOnly is sensitive",
        file: "src/core/schemas/sensitive.ts",
        find: 'schema["writeOnly"] === true ||',
        replace: "",
      },
      {
        what: "passwords are sensitive",
        file: "src/core/schemas/sensitive.ts",
        find: ' || schema["format"] === "password"',
        replace: "",
      },
      {
        what: "references followed",
        file: "src/core/schemas/sensitive.ts",
        find: 'for (const key of ["$ref", "$dynamicRef", "$recursiveRef"])',
        replace: "for (const key of [] as string[])",
      },
      {
        what: "branches followed",
        file: "src/core/schemas/sensitive.ts",
        find: 'for (const key of ["allOf", "anyOf", "oneOf"])',
        replace: "for (const key of [] as string[])",
      },
      {
        what: "texts where objects belong",
        file: "src/core/schemas/sensitive.ts",
        find: 'return typeof value === "string" ? REDACTED : value;',
        replace: "return value;",
      },
      {
        what: "lists where objects belong",
        file: "src/core/schemas/sensitive.ts",
        find: "if (!all.some(({ prefix, items, elements }) => [...prefix, ...items, ...elements].some(leads)))\n      return REDACTED;",
        replace: "",
      },
      {
        what: "objects where lists belong",
        file: "src/core/schemas/sensitive.ts",
        find: "if (!all.some(describesMembers)) return REDACTED;",
        replace: "",
      },
      {
        what: "names that are misspelt",
        file: "src/core/schemas/sensitive.ts",
        find: " ?? meant(name, properties)",
        replace: "",
      },
      {
        what: "depth bounded",
        file: "src/core/schemas/sensitive.ts",
        find: "depth > DEEPEST || ",
        replace: "",
      },
    ],
  },
  {
    name: "audit",
    tests: ["test/e2e/audit/records"],
    defences: [
      {
        what: "refusals in sessions recorded",
        file: "src/transport/endpoint/sessions.ts",
        find: 'if (!("refusal" in caller) || !asked || !ask) return caller;',
        replace: "if (true as boolean) return caller as { identity: undefined };",
      },
      {
        what: "sensitive arguments cannot be declared",
        file: "src/core/components/auditable.ts",
        find: "if (probe?.[field] === REDACTED)",
        replace: "if (false as boolean)",
      },
      {
        what: "declared arguments exist",
        file: "src/core/components/auditable.ts",
        find: "if (isClosed && !names.includes(field)) {",
        replace: "if (false as boolean) {",
      },
      {
        what: "resources recorded by their template",
        file: "src/audit/audit.ts",
        find: "operationRecord(kind, component.key, server)",
        replace: "operationRecord(kind, `${component.key} canary`, server)",
      },
      {
        what: "records before answers",
        file: "src/audit/writer.ts",
        find: "    this.#waiting.push(entry);\n    this.#kept += body.length;\n    if (this.#failure)",
        replace: "    this.#waiting.push(entry);\n    done(true);\n    if (this.#failure)",
      },
      {
        what: "records around the time limit",
        file: "src/core/sealed/seal.ts",
        find: "run: record(logged, layers, kind, definition),",
        replace:
          "run: timed(limit, layers, kind, record(heart(definition, policy, options), layers, kind, definition)),",
      },
      {
        what: "what cannot be answered is no success",
        file: "src/core/sealed/recording.ts",
        find: "(value instanceof Refused ? value : asResult(ctx.operation, value))",
        replace: "(value instanceof Refused ? value : (asResult, value))",
      },
      {
        what: "refusals told from failures",
        file: "src/audit/record.ts",
        find: "limitOf(ctx)?.admitted !== true",
        replace: "false",
      },
      {
        what: "keyed digests",
        file: "src/audit/audit.ts",
        find: "hmacSha256(digestKey, text)",
        replace: "sha256(text)",
      },
    ],
  },
  {
    name: "audit-failing",
    tests: ["test/e2e/audit/failing"],
    defences: [
      {
        what: "folders for their owner alone",
        file: "src/audit/files.ts",
        find: "await mkdir(path, { mode: 0o700 });",
        replace: "await mkdir(path);",
      },
      {
        what: "fails closed",
        file: "src/audit/audit.ts",
        find: "if (writer?.fails && isClosed(ctx.operation)) throw unavailable();",
        replace: "",
      },
      {
        what: "results withheld",
        file: "src/audit/audit.ts",
        find: "if (!written && mustBeWritten) reject(unrecorded());\n          else if",
        replace: "if",
      },
      {
        what: "a key is needed",
        file: "src/audit/audit.ts",
        find: 'if (key === undefined && (allowUnsigned === undefined || "key" in given))',
        replace: "if (false as boolean)",
      },
      {
        what: "keys are long",
        file: "src/audit/crypto.ts",
        find: 'if (typeof key !== "string" || key.length < SHORTEST_SECRET)',
        replace: 'if (typeof key !== "string")',
      },
      {
        what: "files that are gone noticed",
        file: "src/audit/writer.ts",
        find: "if (time - this.#looked >= TRY_AFTER) {",
        replace: "if (false as boolean) {",
      },
      {
        what: "goes on by itself",
        file: "src/audit/writer.ts",
        find: "if (!this.#closed) void this.#recover();",
        replace: "",
      },
      {
        what: "ended before the hooks",
        file: "src/core/sealed/recording.ts",
        find: "lifecycle.afterCalls(() => recording.close());",
        replace: "",
      },
      {
        what: "tells its readiness",
        file: "src/audit/writer.ts",
        find: "if (this.#failure) throw this.#failure.error;",
        replace: "",
      },
    ],
  },
  {
    name: "audit-sync",
    tests: ["test/e2e/audit/sync"],
    defences: [
      {
        what: "on the disk before the answer, where asked for",
        file: "src/audit/segment-writer.ts",
        find: "if (within === 0) await sync(fd);",
        replace: "",
      },
      {
        what: "on the disk within the time",
        file: "src/audit/segment-writer.ts",
        find: "this.#syncWithin(signedBytes > 0 ? Math.min(within, SIGNED_WITHIN) : within);",
        replace: "",
      },
      {
        what: "on the disk also where it was busy",
        file: "src/audit/segment-writer.ts",
        find: "if (this.#due < Infinity) this.#syncWhenDue();",
        replace: "",
      },
      {
        what: "lists that cannot be written",
        file: "src/audit/segment-writer.ts",
        find: "this.#list().then(listed, failed);",
        replace: "this.#list().then(listed, () => {});",
      },
      {
        what: "what is signed on the disk soon",
        file: "src/audit/segment-writer.ts",
        find: "Math.min(within, SIGNED_WITHIN)",
        replace: "(SIGNED_WITHIN, within)",
      },
      {
        what: "segments that are given up are left alone",
        file: "src/audit/segment-writer.ts",
        find: "    clearTimeout(this.#timer);\n    await this.#listing",
        replace: "    await this.#listing",
      },
      {
        what: "vouched for when the disk has caught up",
        file: "src/audit/segment-writer.ts",
        find: "this.#list().then(listed, failed)",
        replace: "(listed, this.#list().catch(failed))",
      },
      {
        what: "nothing waits for what is signed",
        file: "src/audit/writer.ts",
        find: " && segment.isListed);",
        replace: ");",
      },
      {
        what: "written again where the disk lost it",
        file: "src/audit/segment-writer.ts",
        find: "await write(fd, Buffer.concat(this.#unsynced), this.#size - this.#pending);",
        replace: "",
      },
      {
        what: "failures of the disk heard of",
        file: "src/audit/segment-writer.ts",
        find: "this.#sync().catch(this.#synchronising.failed)",
        replace: "this.#sync().catch(() => {})",
      },
      {
        what: "one signed record at most unlisted",
        file: "src/audit/writer.ts",
        find: "if (isVouched && !segment.isListed) await segment.settle();",
        replace: "",
      },
    ],
  },
  {
    name: "audit-verify",
    tests: ["test/properties/audit-tampering"],
    defences: [
      {
        what: "hashes checked",
        file: "src/audit/chain.ts",
        find: "if (sha256(content) !== hash) return",
        replace: "if (false as boolean) return",
      },
      {
        what: "chain checked",
        file: "src/audit/verify.ts",
        find: "if (record.previous !== hash)",
        replace: "if (false as boolean)",
      },
      {
        what: "signatures checked",
        file: "src/audit/verify.ts",
        find: "return !this.#checks || isSigned(record, this.#checks);",
        replace: "return true;",
      },
      {
        what: "cut tails found",
        file: "src/audit/verify.ts",
        find: "    if (cut) {",
        replace: "    if (false as boolean) {",
      },
      {
        what: "missing segments found",
        file: "src/audit/verify.ts",
        find: "if (number !== expected) throw missing(this.#log.segment(expected));",
        replace: "",
      },
      {
        what: "other logs found",
        file: "src/audit/verify.ts",
        find: 'if (about["log"] !== this.#id) throw',
        replace: "if (false as boolean) throw",
      },
      {
        what: "changed ends found",
        file: "src/audit/verify.ts",
        find: "if (ended || isPatched(line.bytes)) throw",
        replace: "if (false as boolean) throw",
        tests: ["test/e2e/audit/chain"],
      },
    ],
  },
  {
    name: "audit-harm",
    tests: ["test/e2e/audit/failing"],
    defences: [
      {
        what: "segments and lists that are removed",
        file: "src/audit/segment-writer.ts",
        find: "return whole && (await this.isInPlace());",
        replace: "return whole;",
      },
      {
        what: "segments that are cut",
        file: "src/audit/files.ts",
        find: "if ((await statOf(fd)).size < size) return false;",
        replace: "",
      },
      {
        what: "holes behind what was cut",
        file: "src/audit/files.ts",
        find: "(await byteAt(fd, before - 1)) === LINE_END",
        replace: "true",
      },
      {
        what: "lists that are missing",
        file: "src/audit/verify.ts",
        find: "if (isListless && place.line === 2)",
        replace: "if (place.line === 0)",
      },
    ],
  },
  {
    name: "audit-lines",
    tests: ["test/security/audit-injection"],
    defences: [
      {
        what: "line separators escaped",
        file: "src/audit/record.ts",
        find: "/[\\u007f-\\u009f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]/g",
        replace: "/[\\u007f-\\u009f]/g",
      },
      {
        what: "control characters escaped",
        file: "src/audit/record.ts",
        find: "const PLAIN = /^[ !#-[\\]-~]*$/;",
        replace: 'const PLAIN = /^[^"]*$/;',
      },
      {
        what: "names bounded",
        file: "src/audit/record.ts",
        find: "const short = shortened(value);",
        replace: "const short = value;",
      },
      {
        what: "fields bounded",
        file: "src/audit/record.ts",
        find: "return value.length > longest ? json(`${value.slice(0, longest)}…`) : json(value);",
        replace: "return json(value);",
      },
    ],
  },
];
