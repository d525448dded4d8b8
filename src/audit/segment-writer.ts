/** A segment as it is written: records behind each other, and those that are signed a second time in its list of checkpoints. */

import type { Head } from "./chain.ts";
import type { Signer } from "./crypto.ts";
import { type LogFiles, type OpenSegment, close, isInPlace, sync, truncate, write } from "./files.ts";
import { beginSegment } from "./segment.ts";

/** Records that are written together. */
export interface Batch {
  /** Their lines. */
  readonly text: string;
  /** The log behind them. */
  readonly head: Head;
  /** A signed record among them, to be put down a second time. */
  readonly vouched: string | undefined;
}

export class SegmentWriter {
  readonly #file: OpenSegment;
  readonly #since = performance.now();
  /** As far as is on the disk. */
  #head: Head;
  #size: number;
  /** Signed records that are not in the list of checkpoints yet, how long that is, and what writes them. */
  #unlisted: Buffer;
  #listed = 0;
  #listing: Promise<void> | undefined;

  private constructor(file: OpenSegment, head: Head, line: string) {
    this.#file = file;
    this.#head = head;
    this.#size = file.size;
    this.#unlisted = Buffer.from(line);
  }

  /** Begins a segment. Rejects where that is not possible. */
  static async begin(files: LogFiles, signer: Signer | undefined): Promise<SegmentWriter> {
    const { segment, head, line } = await beginSegment(files, signer);
    const writer = new SegmentWriter(segment, head, line);
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

  /** Whether it is still where it was made. */
  isInPlace(): Promise<boolean> {
    return isInPlace(this.#file);
  }

  /** Resolves when the records are on the disk. Where it rejects, nothing has been appended. */
  async append({ text, head, vouched }: Batch): Promise<void> {
    const data = Buffer.from(text);
    await write(this.#file.fd, data, this.#size);
    await sync(this.#file.fd);
    this.#size += data.length;
    this.#head = head;
    if (vouched === undefined) return;
    this.#unlisted = Buffer.concat([this.#unlisted, Buffer.from(vouched)]);
    // What fails is tried again with the next, and at the end.
    this.#list().catch(() => {});
  }

  /** Takes off what was not written whole. Rejects where the segment is not where it was made. */
  async mend(): Promise<void> {
    if (!(await this.isInPlace())) throw new Error("The file is gone");
    await truncate(this.#file.fd, this.#size);
  }

  /** Resolves when all that is signed stands in the list too, and the files are closed. */
  async end(): Promise<void> {
    await this.#list();
    this.abandon();
  }

  /** Closes the files as they are. */
  abandon(): void {
    close(this.#file.fd);
    close(this.#file.list);
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
