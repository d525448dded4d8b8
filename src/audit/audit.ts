/** The audit log as a layer: what became of each operation, written before its answer leaves. */

import { type Pass, Refused, type Run, pass } from "../core/calls/compose.ts";
import type { RequestContext } from "../core/calls/context.ts";
import { type Duration, timeLimit } from "../core/options/duration.ts";
import { ConfigurationError, MCPError, refusal } from "../core/errors.ts";
import { type Names, checkCount, checkKnown, shown } from "../core/options/known-options.ts";
import type { Operation, OperationKind } from "../core/calls/operation.ts";
import { either } from "../core/values/promises.ts";
import type { Recorded, Recording, RecordingLayer } from "../core/sealed/recording.ts";
import { SHORTEST_SECRET, hmacSha256, sha256, signer } from "./crypto.ts";
import { LogFiles } from "./files.ts";
import {
  type Digest,
  type Ending,
  argumentsRecord,
  callRecord,
  operationRecord,
  verdictOf,
} from "./record.ts";
import { AuditWriter, type WriterOptions } from "./writer.ts";

/** How the audit log is written. */
export interface AuditOptions {
  /**
   * The log's name, such as `./audit.jsonl`. Its records stand in segments beside it, `audit.000001.jsonl` and so on; each process
   * writes its own.
   */
  readonly file: string;
  /**
   * What signs the log, so that nobody else can write it anew: an Ed25519 private key in PEM, or a secret of at least 32
   * characters. Needed, unless `allowUnsigned` is given.
   */
  readonly key?: string;
  /** Why the log may go without signatures: then only what happens to it by accident is found out. */
  readonly allowUnsigned?: string;
  /**
   * A secret of at least 32 characters. With it, digests of arguments are keyed (HMAC-SHA256), so that nobody without it can find
   * out arguments by trying. Default: plain SHA-256.
   */
  readonly digestKey?: string;
  /**
   * Why components that need identity may be called while the log cannot be written. Default: they are refused as
   * `AUDIT_UNAVAILABLE` before they run.
   */
  readonly allowUnrecorded?: string;
  /** What is recorded. Default: all kinds of operation. */
  readonly kinds?: readonly OperationKind[];
  /** When a segment is followed by another. */
  readonly rotation?: AuditRotation;
  /** When the records so far are vouched for by a signature. */
  readonly checkpoints?: AuditCheckpoints;
  /**
   * When records are synchronised with the disk (`fdatasync`). They are written before the answer in any case, which the end of the
   * process survives, however it ends; what is synchronised survives that of the machine. So much time after at most, or `"always"`:
   * before the answer. Default: `"1s"`.
   */
  readonly sync?: Duration | "always";
}

export interface AuditRotation {
  /** At this size in bytes. Default: 64 MiB. */
  readonly bytes?: number;
  /** At this age. Default: `"24h"`. */
  readonly age?: Duration;
}

export interface AuditCheckpoints {
  /** After so many records, and when the last that was signed is on the disk. Default: 1,000. */
  readonly records?: number;
  /** After so much time, where there are new records. Default: `"60s"`. */
  readonly every?: Duration;
}

const OPTIONS: Names<AuditOptions> = {
  file: true,
  key: true,
  allowUnsigned: true,
  digestKey: true,
  allowUnrecorded: true,
  kinds: true,
  rotation: true,
  checkpoints: true,
  sync: true,
};

/**
 * Records each operation in an audit log: who called, on whose behalf, what, whether it was allowed, what came of it, and a digest of
 * the arguments; as JSON lines, each with the hash of the one before. The answer leaves when its record is written. Wherever the
 * layer stands, it records all that the other layers refuse.
 *
 * @throws {@link ConfigurationError} where options are wrong; at the start, where the log cannot be written.
 * @example
 * ```ts
 * server.use(audit({ file: "./audit.jsonl", key: process.env.AUDIT_KEY! }));
 * ```
 */
export function audit(options: AuditOptions): RecordingLayer {
  const settings = checked(options);
  const { kinds, allowUnrecorded } = options;
  let writer: AuditWriter | undefined;
  let users = 0;
  const isClosed = (operation: Operation) =>
    allowUnrecorded === undefined && operation.access === "authenticated";
  const enter: Pass = (ctx, rest) => {
    if (writer?.fails && isClosed(ctx.operation)) throw unavailable();
    return rest();
  };
  const recording: Recording = {
    around: (run, recorded) => around(run, recorded, settings.digest, isClosed, () => writer),
    async open(logger) {
      users += 1;
      if (writer) return;
      const made = new AuditWriter({ ...settings.writing(), logger });
      try {
        await made.open();
      } catch (error) {
        users = 0;
        throw new ConfigurationError(
          `audit(): ${shown(options.file)} cannot be written (${(error as Error).message}). Name a file in a folder that the server may write, on a file system with hard links.`,
        );
      }
      writer = made;
      if (allowUnrecorded !== undefined)
        logger.warn({ reason: allowUnrecorded }, "Calls go on while the audit log cannot be written");
    },
    async close() {
      users -= 1;
      if (users === 0) await writer?.close();
    },
    probe: async () => writer?.look(),
  };
  return { name: "audit", passive: true, ...(kinds && { kinds }), handle: enter, [pass]: enter, recording };
}

interface Settings {
  readonly digest: Digest;
  /** Made when the server starts. */
  readonly writing: () => Omit<WriterOptions, "logger">;
}

function checked(options: AuditOptions): Settings {
  const given = (options ?? {}) as Partial<AuditOptions>;
  checkKnown("audit()", given, OPTIONS);
  const {
    file,
    key,
    allowUnsigned,
    digestKey,
    allowUnrecorded,
    rotation = {},
    checkpoints = {},
    sync = "1s",
  } = given;
  if (typeof file !== "string" || file === "" || /[/\\]$/.test(file))
    throw new ConfigurationError(`audit(): file is ${shown(file)}: write a name, such as "./audit.jsonl".`);
  for (const [name, reason] of Object.entries({ allowUnsigned, allowUnrecorded }))
    if (reason !== undefined && (typeof reason !== "string" || reason.trim() === ""))
      throw new ConfigurationError(`audit(): ${name} is ${shown(reason)}: write why, in a sentence.`);
  // An environment variable that is not set would leave the log open to whoever can write the file.
  if (key === undefined && (allowUnsigned === undefined || "key" in given))
    throw new ConfigurationError(
      `audit(): key is undefined${"key" in given ? ": is its environment variable set?" : "."} Write an Ed25519 private key in PEM or a secret of at least ${SHORTEST_SECRET} characters, or say why none is needed: { allowUnsigned: "development" }.`,
    );
  if (key !== undefined && allowUnsigned !== undefined)
    throw new ConfigurationError(
      "audit(): key and allowUnsigned exclude each other. Leave out one of the two.",
    );
  const own = key === undefined ? undefined : signer(key, "audit(): key");
  if ("digestKey" in given && (typeof digestKey !== "string" || digestKey.length < SHORTEST_SECRET))
    throw new ConfigurationError(
      `audit(): digestKey is not a secret of at least ${SHORTEST_SECRET} characters. Is its environment variable set? Leave it out for plain SHA-256.`,
    );
  checkKnown("audit(): rotation", rotation, { bytes: true, age: true });
  checkKnown("audit(): checkpoints", checkpoints, { records: true, every: true });
  const { bytes = 64 * 1_024 * 1_024, age = "24h" } = rotation;
  const { records = 1_000, every = "60s" } = checkpoints;
  const writing = {
    signer: own,
    rotation: {
      bytes: checkCount("audit(): rotation.bytes", bytes),
      age: timeLimit(age, "audit(): rotation.age"),
    },
    checkpoints: {
      records: checkCount("audit(): checkpoints.records", records),
      every: timeLimit(every, "audit(): checkpoints.every"),
    },
    syncWithin: sync === "always" ? 0 : timeLimit(sync, 'audit(): sync ("always" or a time)'),
    consequence:
      allowUnrecorded === undefined
        ? "what needs identity is refused until it can, and what is public goes on"
        : "calls go on, and are recorded when it can",
  };
  return {
    digest:
      digestKey === undefined
        ? { name: "sha256", of: sha256 }
        : { name: "hmacSha256", of: (text) => hmacSha256(digestKey, text) },
    writing: () => ({ ...writing, files: new LogFiles(file) }),
  };
}

function around<A>(
  run: Run<A>,
  { server, component }: Recorded,
  digest: Digest,
  isClosed: (operation: Operation) => boolean,
  writerOf: () => AuditWriter | undefined,
): Run<A> {
  const known = new Map<OperationKind, string>();
  const aboutOf = ({ operation }: RequestContext): string => {
    const { kind, name } = operation;
    if (!component) return operationRecord(kind, name, server);
    let about = known.get(kind);
    if (about === undefined) known.set(kind, (about = operationRecord(kind, component.key, server)));
    return about;
  };
  return (ctx, ask) => {
    const started = performance.now();
    // As they were sent: validation may fill in defaults.
    const args = argumentsRecord(ask, digest, component?.auditable?.(ask));
    const end = (ending: Ending): unknown => {
      const writer = writerOf();
      if (!writer) return settle(ending);
      const verdict = verdictOf(ctx, ending);
      const body = callRecord({
        ctx,
        about: aboutOf(ctx),
        verdict,
        duration: performance.now() - started,
        args,
      });
      // What was refused told its caller nothing that had to be recorded first.
      const mustBeWritten = isClosed(ctx.operation) && verdict.decision === "allowed";
      return new Promise((resolve, reject) => {
        writer.append(body, mustBeWritten, (written) => {
          if (!written && mustBeWritten) reject(unrecorded());
          else if ("error" in ending) reject(ending.error);
          else resolve(ending.result);
        });
      });
    };
    return either(
      () => run(ctx, ask),
      (result) => end(result instanceof Refused ? { error: result.error } : { result }),
      (error) => end({ error }),
    );
  };
}

function settle(ending: Ending): unknown {
  if ("error" in ending) throw ending.error;
  return ending.result;
}

/** How soon a call may be tried again, in seconds. */
const TRY_AGAIN = 1;

function unavailable(): MCPError {
  return refusal(
    () =>
      new MCPError("The call cannot be recorded in the audit log, and was not run.", {
        code: "AUDIT_UNAVAILABLE",
        suggestion: "Try again in a few seconds.",
        details: { retry_after_seconds: TRY_AGAIN },
      }),
  );
}

function unrecorded(): MCPError {
  return refusal(
    () =>
      new MCPError("The call ran, and could not be recorded in the audit log: its result is withheld.", {
        code: "AUDIT_UNAVAILABLE",
        retryable: false,
        suggestion: "It may have had its effect: look before you call again.",
      }),
  );
}
