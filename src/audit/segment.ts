/** Segments begin: what the first record of one says of those before it, and how it is known where they end. */

import { type Head, type ReadRecord, Lines, START, readRecord } from "./chain.ts";
import { type Signer, randomId } from "./crypto.ts";
import { type LogFiles, type OpenSegment, linesOf, settle, tailOf } from "./files.ts";

/** How far a segment had come when another began. */
export interface Pin extends Head {
  readonly segment: number;
  /** How many bytes stood behind its last record: of one that was never finished. */
  readonly torn?: number;
}

/** A segment, and the record that it begins with. */
export interface BegunSegment {
  readonly segment: OpenSegment;
  readonly head: Head;
  readonly line: Buffer;
}

/** How many segments before it a first record tells of: as many processes may write at once. */
const MOST_PINS = 32;

/** Begins a segment. The first record goes on from the segment before, and tells how far each of those before had come. */
export async function beginSegment(files: LogFiles, signer: Signer | undefined): Promise<BegunSegment> {
  let begun: { readonly head: Head; readonly line: Buffer } | undefined;
  const segment = await files.create(async (number) => {
    const { pins, log } = await before(files, number);
    const [{ sequence, hash } = START] = pins;
    const about = {
      type: "open",
      version: 1,
      log: log ?? randomId(),
      segment: number,
      process: process.pid,
      signing: signer?.algorithm ?? "none",
      after: pins,
    };
    const lines = new Lines({ sequence, hash });
    lines.add(`${now()},${JSON.stringify(about).slice(1, -1)}`, signer);
    begun = { head: lines.head, line: lines.take() };
    return begun.line;
  });
  return { segment, ...(begun as { head: Head; line: Buffer }) };
}

/** The member that tells the time. */
export function now(): string {
  return `"time":"${new Date().toISOString()}"`;
}

/** How far the segments before `number` have come, the nearest first, and the log that they belong to. */
async function before(
  files: LogFiles,
  number: number,
): Promise<{ readonly pins: readonly Pin[]; readonly log: string | undefined }> {
  const numbers = (await files.numbers()).filter((each) => each < number).slice(-MOST_PINS);
  const pins: Pin[] = [];
  for (const each of numbers.toReversed()) {
    // One that has been removed has left its list, and whoever verifies the log misses it.
    const pin = await pinOf(files, each).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      return undefined;
    });
    if (pin) pins.push(pin);
  }
  const nearest = numbers.at(-1);
  const first = nearest === undefined ? undefined : await firstOf(files, nearest);
  const log = first?.record["log"];
  return { pins, log: typeof log === "string" ? log : undefined };
}

/** A segment that has no whole record has come nowhere: it has been tampered with, and whoever verifies it is told. */
async function pinOf(files: LogFiles, segment: number): Promise<Pin> {
  const path = files.segment(segment);
  const { lines, torn } = await tailOf(path);
  // Else a machine that fails could leave less of it than is told here.
  await settle(path);
  const last = lines.map(readRecord).findLast((record) => typeof record === "object");
  const { sequence, hash } = last ?? START;
  return { segment, sequence, hash, ...(torn > 0 && { torn }) };
}

/** The record that a segment begins with; `undefined` where it has none. */
export async function firstOf(files: LogFiles, segment: number): Promise<ReadRecord | undefined> {
  for await (const { bytes } of linesOf(files.segment(segment))) {
    const first = readRecord(bytes);
    return typeof first === "object" ? first : undefined;
  }
  return undefined;
}
