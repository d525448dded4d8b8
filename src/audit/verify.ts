/** Reads an audit log and tells whether it is what was written: the first record that is not, and what is wrong with it. */

import { ConfigurationError } from "../core/errors.ts";
import { type Names, checkKnown, shown } from "../core/options/known-options.ts";
import { type Head, type ReadRecord, START, isSigned, readRecord } from "./chain.ts";
import { type SignatureCheck, signatureCheck } from "./crypto.ts";
import { LogFiles, linesOf, segmentAt } from "./files.ts";
import { type Pin, firstOf } from "./segment.ts";

/** What is verified, and by which keys. */
export interface VerifyAuditOptions {
  /** The log's name as `audit()` was given it, such as `./audit.jsonl`: all its segments; or segments by their own names. */
  readonly file: string | readonly string[];
  /**
   * The Ed25519 public key in PEM, or the secret; several where it was replaced. Without it signatures are not checked: whoever can
   * write the files can have written them anew.
   */
  readonly key?: string | readonly string[];
}

/** What verifying an audit log came to. */
export type AuditVerification = Verified &
  (
    | {
        /** Whether every record is what was written. */
        readonly ok: true;
        readonly problem?: undefined;
      }
    | {
        readonly ok: false;
        /** The first record that is not what was written. */
        readonly problem: AuditProblem;
      }
  );

interface Verified {
  /** How many records are. */
  readonly records: number;
  /** How many segments have been read. */
  readonly segments: number;
  /** What need not be wrong, and is worth knowing: segments that were never ended, records that nothing vouches for yet. */
  readonly notes: readonly string[];
}

/** Where a log is not what was written. */
export interface AuditProblem {
  readonly file: string;
  /** From 1. The first line that is wrong, or where lines are missing. */
  readonly line: number;
  /** The sequence number of the record that should stand there. */
  readonly sequence: number;
  /** What is wrong, in words that follow the record's place. */
  readonly message: string;
}

const OPTIONS: Names<VerifyAuditOptions> = { file: true, key: true };

/**
 * Verifies an audit log.
 *
 * @throws {@link ConfigurationError} where there is no such log, or a key is none.
 * @example
 * ```ts
 * const { ok, problem } = await verifyAudit({ file: "./audit.jsonl", key: publicKey });
 * if (!ok) console.error(`${problem.file}:${problem.line} record ${problem.sequence} ${problem.message}`);
 * ```
 */
export async function verifyAudit(options: VerifyAuditOptions): Promise<AuditVerification> {
  checkKnown("verifyAudit()", options ?? {}, OPTIONS);
  const { file, key } = options;
  const files = typeof file === "string" ? [file] : file;
  if (!Array.isArray(files) || files.length === 0 || !files.every((each) => typeof each === "string"))
    throw new ConfigurationError(`verifyAudit(): file is ${shown(file)}: write "./audit.jsonl".`);
  if ("key" in options && key === undefined)
    throw new ConfigurationError(
      "verifyAudit(): key is undefined: is its environment variable set? Leave it out to check no signatures.",
    );
  const keys = key === undefined ? undefined : typeof key === "string" ? [key] : key;
  const checks = keys?.map((each) => signatureCheck(each, "verifyAudit(): key"));
  return new Verification(await segmentsOf(files), checks).run();
}

/** What is verified: a log, from a segment on. */
interface Extent {
  readonly log: LogFiles;
  readonly numbers: readonly number[];
  readonly first: number;
}

/** The segments that are meant: all of a log, or those that are named. */
async function segmentsOf(files: readonly string[]): Promise<Extent> {
  const named = files.map(segmentAt);
  const logs = new Set(files.map((file, index) => named[index]?.log ?? file));
  const [name = ""] = logs;
  if (logs.size > 1)
    throw new ConfigurationError(
      `These are files of several logs: ${[...logs].join(", ")}. Verify one at a time.`,
    );
  const log = new LogFiles(name);
  const own = named.flatMap((each) => each?.number ?? []).toSorted((a, b) => a - b);
  const isWhole = own.length < files.length;
  const numbers = isWhole ? await log.numbers().catch(() => []) : own;
  if (numbers.length === 0)
    throw new ConfigurationError(
      `There is no audit log ${shown(name)}: name it as audit() was given it; its records stand beside it, in ${log.segment(1)} and so on.`,
    );
  return { log, numbers, first: isWhole ? 1 : (numbers[0] as number) };
}

/** Ends a verification at the first thing that is wrong. */
class Wrong extends Error {
  readonly problem: AuditProblem;
  constructor(problem: AuditProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** Something that tells of a record: it must be there, with that hash. */
interface Witness extends Head {
  /** Who tells, in words. */
  readonly by: string;
}

/** Where in a segment the verification has come. */
interface Place {
  readonly file: string;
  line: number;
  head: Head;
}

class Verification {
  readonly #log: LogFiles;
  readonly #numbers: readonly number[];
  readonly #first: number;
  readonly #checks: readonly SignatureCheck[] | undefined;
  /** By segment. */
  readonly #witnesses = new Map<number, Witness[]>();
  /** Segments that have no list of checkpoints, as processes leave them that are killed while they begin one. */
  readonly #listless = new Set<number>();
  readonly #notes: string[] = [];
  #records = 0;
  /** The log that the first segment belongs to. */
  #id: unknown;

  constructor({ log, numbers, first }: Extent, checks: readonly SignatureCheck[] | undefined) {
    this.#log = log;
    this.#numbers = numbers;
    this.#first = first;
    this.#checks = checks;
  }

  async run(): Promise<AuditVerification> {
    let problem: AuditProblem | undefined;
    try {
      for (const number of this.#numbers) await this.#hear(number);
      let expected = this.#first;
      for (const number of this.#numbers) {
        if (number !== expected) throw missing(this.#log.segment(expected));
        await this.#segment(number);
        expected = number + 1;
      }
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      ({ problem } = error);
    }
    if (!this.#checks) this.#notes.push("No key was given: signatures have not been checked.");
    const { length: segments } = this.#numbers;
    const verified = { records: this.#records, segments, notes: this.#notes };
    return problem ? { ok: false, problem, ...verified } : { ok: true, ...verified };
  }

  /** Takes in what a segment tells of others, and its list of checkpoints of the segment itself. */
  async #hear(number: number): Promise<void> {
    const first = await firstOf(this.#log, number);
    // A segment of another log tells nothing of this one.
    if (first && this.#isTrusted(first) && (this.#id ??= first.record["log"]) === first.record["log"])
      for (const pin of pinsIn(first)) this.#tell(pin.segment, { ...pin, by: this.#log.segment(number) });
    const list = this.#log.checkpoints(number);
    let line = 0;
    let sequence = first?.sequence ?? 1;
    for await (const { bytes, ended } of linesOf(list)) {
      line += 1;
      const record = readRecord(bytes);
      if (typeof record === "object" && this.#isTrusted(record)) {
        this.#tell(number, { sequence: record.sequence, hash: record.hash, by: list });
        sequence = record.sequence + 1;
      } else if (ended || isPatched(bytes)) {
        const message =
          typeof record === "object"
            ? "of the list of checkpoints has no signature of the key: another key was given than it was signed with, or it has been written anew"
            : "of the list of checkpoints has been changed";
        throw new Wrong({ file: list, line, sequence, message });
      }
    }
    if (line === 0) this.#listless.add(number);
  }

  #tell(number: number, witness: Witness): void {
    const known = this.#witnesses.get(number);
    if (known) known.push(witness);
    else this.#witnesses.set(number, [witness]);
  }

  async #segment(number: number): Promise<void> {
    const place: Place = { file: this.#log.segment(number), line: 0, head: START };
    const witnesses = new Map<number, Witness[]>();
    for (const witness of this.#witnesses.get(number) ?? []) {
      if (witness.sequence === 0) continue;
      witnesses.set(witness.sequence, [...(witnesses.get(witness.sequence) ?? []), witness]);
    }
    const isListless = this.#listless.has(number);
    // Where it began is known from its list, whatever has become of its first record.
    if (witnesses.size > 0 && !isListless)
      place.head = { ...START, sequence: Math.min(...witnesses.keys()) - 1 };
    const list = this.#log.checkpoints(number);
    let ended = false;
    let vouched = 0;
    let unlisted: Place | undefined;
    for await (const line of linesOf(place.file)) {
      place.line += 1;
      if (!line.ended) {
        if (ended || isPatched(line.bytes)) throw wrong(place, "has been changed: its line has no end");
        this.#notes.push(
          `${place.file}:${place.line} ends in ${line.bytes.length} bytes of a record that was never finished.`,
        );
        place.line -= 1;
        break;
      }
      if (ended) throw wrong(place, "stands behind the end of its segment");
      const record = this.#next(place, line.bytes, number);
      if (isListless && place.line === 2)
        throw new Wrong({
          file: list,
          line: 1,
          sequence: 1,
          message: "is missing, with the whole list of checkpoints",
        });
      const heard = witnesses.get(record.sequence) ?? [];
      const other = heard.find(({ hash }) => hash !== record.hash);
      if (other) throw wrong(place, `or one before it has been written anew: ${other.by} has another`);
      // Killed between the two, a process leaves its last checkpoint unlisted, and no record behind the first one.
      if (unlisted && (VOUCHING.has(record.type) || unlisted.line === 1))
        throw wrong(unlisted, `is missing in ${list}, which has been cut`);
      witnesses.delete(record.sequence);
      if (VOUCHING.has(record.type)) {
        vouched = record.sequence;
        if (!heard.some(({ by }) => by === list)) unlisted = { ...place };
      }
      place.head = record;
      this.#records += 1;
      ended = record.type === "close";
    }
    const [cut] = [...witnesses.values()].flat();
    if (cut) {
      place.line += 1;
      throw wrong(place, `and what follows is missing: ${cut.by} tells of record ${cut.sequence}`);
    }
    if (place.line === 0) throw missing(place.file);
    if (ended) return;
    const { sequence } = place.head;
    this.#notes.push(
      `${place.file} has no end: its process was killed, or writes it still. ${sequence === vouched ? "All its records are vouched for." : `Nothing vouches yet for its last ${sequence - vouched} records.`}`,
    );
  }

  /** The record on a line, which must follow the one before. */
  #next(place: Place, bytes: Uint8Array, segment: number): ReadRecord {
    const record = readRecord(bytes);
    if (typeof record === "string") throw wrong(place, record);
    if (place.line === 1) {
      this.#opens(place, record, segment);
    } else {
      const { sequence, hash } = place.head;
      if (record.sequence !== sequence + 1)
        throw wrong(
          place,
          record.sequence <= sequence
            ? `should stand where record ${record.sequence} stands again`
            : `is missing: record ${record.sequence} stands in its place`,
        );
      if (record.previous !== hash)
        throw wrong(place, "does not follow the record before it: it is of another chain");
      if (record.type === "open") throw wrong(place, "begins a segment, and stands within one");
    }
    if (VOUCHING.has(record.type) && !this.#isTrusted(record))
      throw wrong(place, "has no signature of the key: it, or records before it, have been written anew");
    return record;
  }

  /** The first record of a segment goes on from the segment before it. */
  #opens(place: Place, record: ReadRecord, segment: number): void {
    const about = record.record;
    const pins = pinsIn(record);
    const before = pins.find((pin) => pin.segment === segment - 1);
    if (before) place.head = before;
    if (record.type !== "open" || about["segment"] !== segment)
      throw wrong(place, "is not the one that this segment begins with");
    if (segment > 1 && !before) throw wrong(place, "tells nothing of the segment before it");
    if (about["log"] !== this.#id) throw wrong(place, "is of another log");
    if (record.sequence !== place.head.sequence + 1 || record.previous !== place.head.hash)
      throw wrong(place, "does not follow the segment before it");
  }

  /** Whether a record that vouches for others is signed, where that can be checked. */
  #isTrusted(record: ReadRecord): boolean {
    return !this.#checks || isSigned(record, this.#checks);
  }
}

/** Whether a line without an end is more than the beginning of a record. */
function isPatched(bytes: Buffer): boolean {
  const end = /,"previous":"[0-9a-f]{64}"(?:,"signature":"[\w-]+")?,"hash":"[0-9a-f]{64}"\}/;
  return end.test(bytes.toString("latin1")) && typeof readRecord(bytes) === "string";
}

/** Records that vouch for all before them. */
const VOUCHING: ReadonlySet<string> = new Set(["open", "checkpoint", "close"]);

function wrong({ file, line, head }: Place, message: string): Wrong {
  return new Wrong({ file, line, sequence: head.sequence + 1, message });
}

function missing(file: string): Wrong {
  return new Wrong({ file, line: 1, sequence: 1, message: "is missing, with all of its segment" });
}

/** What the first record of a segment tells of those before it. */
function pinsIn({ record }: ReadRecord): readonly Pin[] {
  const { after } = record;
  return Array.isArray(after) ? (after as readonly Pin[]) : [];
}
