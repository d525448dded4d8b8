/** A segment as it is written: records behind each other, and those that are signed a second time in its list of checkpoints. */

import type { Head, Lines } from "./chain.ts";
import type { Signer } from "./crypto.ts";
import {
  type LogFiles,
  type OpenSegment,
  close,
  isInPlace,
  isWhole,
  sync,
  truncate,
  write,
} from "./files.ts";
import { beginSegment } from "./segment.ts";

/** Records that are written together. */
export interface Batch {
  readonly lines: Lines;
  /** How many bytes the last of them takes, where it is signed, to be put down a second time; else 0. */
  readonly signedBytes: number;
}

export interface Synchronising {
  /** How soon what has been written is on the disk, in milliseconds; 0: before it counts as written. */
  readonly within: number;
  /** Is told that what has been written does not get there. */
  readonly failed: (error: unknown) => void;
  /** Is told that what is signed has got there, and stands in the list too. */
  readonly listed: () => void;
}

/** With more bytes than this on their way to the disk, no more are written. They are kept until they are there. */
const MOST_UNSYNCED = 8 * 1_024 * 1_024;

/**
 * A signed record waits so long at most before it is brought to the disk, in milliseconds: the next waits for it, and each costs two
 * synchronisations.
 */
const SIGNED_WITHIN = 100;

const NOTHING = Buffer.alloc(0);

export class SegmentWriter {
  readonly #file: OpenSegment;
  readonly #synchronising: Synchronising;
  readonly #since = performance.now();
  /** As far as has been written. */
  #head: Head;
  #size: number;
  /** What is not known to be on the disk, the oldest first, how long that is, and the signed records among it. */
  #unsynced: Buffer[] = [];
  #pending = 0;
  #signed: Buffer = NOTHING;
  /** What brings it there. Stays rejected until the segment is mended. */
  #syncing: Promise<void> | undefined;
  /** When that has to begin for what has been written since the last time, and the timer until then. */
  #due = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Signed records on the disk that are not in the list of checkpoints yet, how long that is, and what writes them. */
  #unlisted: Buffer;
  #listed = 0;
  #listing: Promise<void> | undefined;

  /** How long both were when they were last looked at. */
  #seen: { readonly size: number; readonly listed: number };

  private constructor(file: OpenSegment, head: Head, line: Buffer, synchronising: Synchronising) {
    this.#file = file;
    this.#synchronising = synchronising;
    this.#head = head;
    this.#size = file.size;
    this.#seen = { size: file.size, listed: 0 };
    this.#unlisted = line;
  }

  /** Begins a segment. Rejects where that is not possible. */
  static async begin(
    files: LogFiles,
    signer: Signer | undefined,
    synchronising: Synchronising,
  ): Promise<SegmentWriter> {
    const { segment, head, line } = await beginSegment(files, signer);
    const writer = new SegmentWriter(segment, head, line, synchronising);
    // What would be cut off behind it is missed from the first record on.
    await writer.#list();
    return writer;
  }

  get path(): string {
    return this.#file.path;
  }

  /** The log so far. */
  get head(): Head {
    return this.#head;
  }

  /** Whether it holds more than its first record, and is as large or as old as segments become. */
  isFull(bytes: number, age: number): boolean {
    const { size } = this.#file;
    return this.#size > size && (this.#size >= bytes || performance.now() - this.#since >= age);
  }

  /** Whether it and its list are still where they were made. */
  async isInPlace(): Promise<boolean> {
    const { fd, path, list, listPath } = this.#file;
    return (await isInPlace(fd, path)) && (await isInPlace(list, listPath));
  }

  /** Whether they are, with all that was written. What the disk could not keep is missing too, until the segment is mended. */
  async isIntact(): Promise<boolean> {
    const { fd, list } = this.#file;
    const seen = this.#seen;
    const { size, listed } = (this.#seen = { size: this.#size, listed: this.#listed });
    const whole = (await isWhole(fd, size, seen.size)) && (await isWhole(list, listed, seen.listed));
    return whole && (await this.isInPlace());
  }

  /** Whether all that is signed stands in the list too. */
  get isListed(): boolean {
    return this.#signed.length === 0 && this.#unlisted.length === 0;
  }

  /** Resolves when the records are the system's to keep, or on the disk. Where it rejects, nothing has been appended. */
  async append({ lines, signedBytes }: Batch): Promise<void> {
    const { within } = this.#synchronising;
    const { fd } = this.#file;
    const { head } = lines;
    const data = lines.take();
    const signed = data.subarray(data.length - signedBytes);
    if (this.#pending > MOST_UNSYNCED) await this.#sync();
    await write(fd, data, this.#size);
    if (within === 0) await sync(fd);
    this.#size += data.length;
    this.#head = head;
    if (within === 0) return this.#listLater(signed);
    this.#unsynced.push(data);
    this.#pending += data.length;
    if (signedBytes > 0) this.#signed = Buffer.concat([this.#signed, signed]);
    this.#syncWithin(signedBytes > 0 ? Math.min(within, SIGNED_WITHIN) : within);
  }

  #syncWithin(time: number): void {
    const due = performance.now() + time;
    if (due >= this.#due) return;
    this.#due = due;
    this.#syncWhenDue();
  }

  #syncWhenDue(): void {
    clearTimeout(this.#timer);
    const wait = Math.max(0, this.#due - performance.now());
    this.#timer = setTimeout(() => void this.#sync().catch(this.#synchronising.failed), wait).unref();
  }

  /**
   * Gets ready to be written again, after something failed: what may not have reached the disk is written once more, and what was not
   * written whole is taken off. Rejects where that does not work.
   */
  async mend(): Promise<void> {
    const { fd } = this.#file;
    await this.#syncing?.catch(() => {});
    // What the system could not bring to the disk it may have dropped, and takes for written from then on.
    await write(fd, Buffer.concat(this.#unsynced), this.#size - this.#pending);
    await truncate(fd, this.#size);
    this.#syncing = undefined;
    await this.#sync();
    await this.#list();
  }

  /** Resolves when all so far is on the disk, also in the list. */
  async settle(): Promise<void> {
    while (this.#pending > 0) await this.#sync();
    await this.#list();
  }

  /** Resolves when that is so, and the files are closed. */
  async end(): Promise<void> {
    await this.settle();
    await this.abandon();
  }

  /** Closes the files as they are. */
  async abandon(): Promise<void> {
    await this.#syncing?.catch(() => {});
    clearTimeout(this.#timer);
    await this.#listing?.catch(() => {});
    close(this.#file.fd);
    close(this.#file.list);
  }

  /** Brings what has been written so far to the disk. */
  #sync(): Promise<void> {
    this.#syncing ??= this.#bring();
    return this.#syncing;
  }

  async #bring(): Promise<void> {
    clearTimeout(this.#timer);
    this.#due = Infinity;
    const { length } = this.#unsynced;
    const signed = this.#signed;
    await sync(this.#file.fd);
    for (const data of this.#unsynced.splice(0, length)) this.#pending -= data.length;
    this.#signed = this.#signed.subarray(signed.length);
    this.#syncing = undefined;
    this.#listLater(signed);
    // What came meanwhile; its time may have passed.
    if (this.#due < Infinity) this.#syncWhenDue();
  }

  /** Never before they are on the disk themselves: one that stands in the list alone has been cut off. */
  #listLater(signed: Buffer): void {
    if (signed.length === 0) return;
    this.#unlisted = Buffer.concat([this.#unlisted, signed]);
    const { listed, failed } = this.#synchronising;
    this.#list().then(listed, failed);
  }

  /** Puts signed records down a second time: what is cut off the end of a segment is missed there. */
  #list(): Promise<void> {
    this.#listing ??= this.#addToList().finally(() => {
      this.#listing = undefined;
    });
    return this.#listing;
  }

  async #addToList(): Promise<void> {
    while (this.#unlisted.length > 0) {
      const lines = this.#unlisted;
      await write(this.#file.list, lines, this.#listed);
      await sync(this.#file.list);
      this.#listed += lines.length;
      this.#unlisted = this.#unlisted.subarray(lines.length);
    }
  }
}
