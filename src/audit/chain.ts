/**
 * Records as lines that hang together. Each line is a JSON object that ends with the hash of the record before it and, over every
 * byte so far, with its own: `…,"previous":"…","hash":"…"}`. Records that vouch for all before them are signed as well.
 */

import { type SignatureCheck, type Signer, sha256 } from "./crypto.ts";

/** The last record of a chain. */
export interface Head {
  readonly sequence: number;
  readonly hash: string;
}

/** Before the first record of a log. */
export const START: Head = { sequence: 0, hash: "0".repeat(64) };

const SIGNATURE = ',"signature":"';
const HASH = ',"hash":"';
/** `,"hash":"…"}` */
const HASH_LENGTH = HASH.length + 64 + 2;

/**
 * Where lines are made, for all who write: from `new Lines` to `take()` nothing is waited for, and no other lines are begun. If it had
 * to grow, it is not kept.
 */
const ROOM = 262_144;
let room = Buffer.allocUnsafeSlow(ROOM);

/** What a line takes in bytes, beside its body, at most. */
const FRAME = 512;

/** Lines that follow each other, their ends included. */
export class Lines {
  #head: Head;
  #length = 0;

  constructor(head: Head) {
    this.#head = head;
  }

  /** The last of them. */
  get head(): Head {
    return this.#head;
  }

  /**
   * @param body - The members of the record as JSON, without braces.
   * @returns how many bytes the line takes
   */
  add(body: string, signer?: Signer): number {
    const start = this.#length;
    // No character takes more than three bytes.
    const most = body.length * 3 + FRAME;
    if (room.length - start < most) this.#grow(most);
    const sequence = this.#head.sequence + 1;
    let end = start + room.write(`{"sequence":${sequence},`, start, "latin1");
    end += room.write(body, end);
    end += room.write(`,"previous":"${this.#head.hash}"`, end, "latin1");
    if (signer) end += room.write(`${SIGNATURE}${signer.sign(room.subarray(start, end))}"`, end);
    const hash = sha256(room.subarray(start, end));
    end += room.write(`${HASH}${hash}"}\n`, end, "latin1");
    this.#head = { sequence, hash };
    this.#length = end;
    return end - start;
  }

  /** Their bytes. */
  take(): Buffer {
    const lines = Buffer.from(room.subarray(0, this.#length));
    if (room.length > ROOM) room = Buffer.allocUnsafeSlow(ROOM);
    return lines;
  }

  #grow(more: number): void {
    const larger = Buffer.allocUnsafeSlow((this.#length + more) * 2);
    room.copy(larger, 0, 0, this.#length);
    room = larger;
  }
}

/** What a line says that links it to others. */
export interface ReadRecord extends Head {
  readonly previous: string;
  readonly type: string;
  /** The whole record. */
  readonly record: Readonly<Record<string, unknown>>;
  /** The record's bytes up to its signature, and the signature; of records that are signed. */
  readonly signed?: { readonly bytes: Uint8Array; readonly signature: string };
}

/** Reads a line without its end; gives what is wrong with it where it is no record, or its hash is not that of its bytes. */
export function readRecord(line: Uint8Array): ReadRecord | string {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const end = bytes.length - HASH_LENGTH;
  const [, hash] = end > 0 ? (/^,"hash":"([0-9a-f]{64})"\}$/.exec(bytes.toString("latin1", end)) ?? []) : [];
  const record = parsed(bytes);
  if (hash === undefined || record === undefined) return "is not a record of an audit log";
  const content = bytes.subarray(0, end);
  if (sha256(content) !== hash) return "has been changed: its hash is not that of its bytes";
  const { sequence, previous, type, signature } = record;
  if (!Number.isSafeInteger(sequence) || typeof previous !== "string" || typeof type !== "string")
    return "is not a record of an audit log";
  const head = { sequence: sequence as number, hash, previous, type, record };
  if (typeof signature !== "string") return head;
  const start = content.lastIndexOf(SIGNATURE);
  return { ...head, signed: { bytes: content.subarray(0, start), signature } };
}

/** Whether a record is signed with one of these keys. */
export function isSigned({ signed }: ReadRecord, checks: readonly SignatureCheck[]): boolean {
  return signed !== undefined && checks.some(({ holds }) => holds(signed.bytes, signed.signature));
}

function parsed(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
