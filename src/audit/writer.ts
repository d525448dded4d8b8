/**
 * Writes records, those that wait together at once, and tells each when it is on the disk. While that fails, what comes is kept in
 * memory within bounds, and written when it works again.
 */

import type { Logger } from "../ports.ts";
import { type Head, type Link, link } from "./chain.ts";
import type { Signer } from "./crypto.ts";
import { type LogFiles, type OpenSegment, close, isInPlace, sync, truncate, write } from "./files.ts";
import { beginSegment, now } from "./segment.ts";

export interface WriterOptions {
  readonly files: LogFiles;
  readonly signer: Signer | undefined;
  readonly logger: Logger;
  /** A segment of so many bytes, or so old in milliseconds, is followed by another. */
  readonly rotation: { readonly bytes: number; readonly age: number };
  /** After so many records, or so many milliseconds, those so far are vouched for. */
  readonly checkpoints: { readonly records: number; readonly every: number };
  /** What comes of it that nothing can be written, in words. */
  readonly consequence: string;
}

/** Is told once whether a record is on the disk; where it is not, it will be written as soon as that works. */
type Done = (written: boolean) => void;

/** A record on its way. */
interface Entry {
  /** The members of the record as JSON, without braces. */
  readonly body: string;
  /** Whether it may wait a little for a disk that fails. */
  readonly patient: boolean;
  done: Done | undefined;
}

/** Records that are written together. */
interface Batch {
  readonly entries: readonly Entry[];
  /** The log behind it. */
  readonly head: Head;
  readonly size: number;
  /** A signed record among it, to be put down a second time. */
  readonly vouched: string | undefined;
}

/** A segment that is written. */
interface Segment {
  readonly file: OpenSegment;
  readonly since: number;
  /** As far as has been handed to the disk. */
  head: Head;
  size: number;
  /** As far as is on the disk. */
  safe: { readonly head: Head; readonly size: number };
  /** Signed records that are not in the list of checkpoints yet, how long that is, and what writes them. */
  unlisted: Buffer;
  listed: number;
  listing: Promise<void> | undefined;
}

/** So many batches may be on their way to the disk: while one gets there, the next is made. */
const MOST_AT_ONCE = 1;

/** What is kept while nothing can be written, in characters. Beyond, records are lost, and counted. */
const MOST_KEPT = 16 * 1_024 * 1_024;

/** How long calls that cannot be answered without a record wait for a disk that fails, in milliseconds. */
const PATIENCE = 2_000;

/** How often it is tried again while the disk fails, and looked whether the file is still in its place; in milliseconds. */
const TRY_AFTER = 500;

export class AuditWriter {
  readonly #options: WriterOptions;
  #segment: Segment | undefined;
  #waiting: Entry[] = [];
  #kept = 0;
  #driving = false;
  #driven: Promise<void> = Promise.resolve();
  #recovering: Promise<void> | undefined;
  /** What is on its way to the disk, the oldest first, and what became of it. */
  #batches: Batch[] = [];
  readonly #syncs = new Set<Promise<void>>();
  #broken: { readonly error: Error } | undefined;
  #failure: { readonly error: unknown; readonly since: string; lost: number } | undefined;
  /** Records since the last that vouches, and the timer that ends their wait. */
  #unvouched = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = false;
  #looked = performance.now();
  #closed: Promise<void> | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Whether nothing can be written now. */
  get fails(): boolean {
    return this.#failure !== undefined;
  }

  /** Begins a segment. Rejects where that is not possible. */
  async open(): Promise<void> {
    this.#segment = await this.#begin();
  }

  /**
   * Writes a record.
   *
   * @param body - The members of the record as JSON, without braces.
   * @param patient - Whether it may wait a little for a disk that fails.
   */
  append(body: string, patient: boolean, done: Done): void {
    if (this.#closed) {
      this.#options.logger.error({ record: body }, "A call ended after the audit log, and is recorded here");
      return done(false);
    }
    if (this.#failure && this.#kept > MOST_KEPT) {
      this.#failure.lost += 1;
      return done(false);
    }
    const entry: Entry = { body, patient, done };
    this.#waiting.push(entry);
    this.#kept += body.length;
    if (this.#failure) excuse([entry]);
    else void this.#drive();
  }

  /** Resolves when all that was appended is on the disk or given up, and the segment has ended. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  /** Rejects while nothing can be written; looks whether records still arrive where they should. */
  async look(): Promise<void> {
    this.#looked = 0;
    if (!this.#failure && this.#segment && !(await isInPlace(this.#segment.file))) this.#due = true;
    await this.#drive();
    if (this.#failure) throw this.#failure.error;
  }

  async #end(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#failure) await this.#recover();
    await this.#drive();
    try {
      if (this.#segment && !this.#failure) await this.#finish(this.#segment);
    } catch (error) {
      await this.#fail(error);
    }
    if (!this.#failure) return;
    this.#options.logger.error(
      { err: this.#failure.error, records: this.#waiting.map(({ body }) => body), lost: this.#failure.lost },
      "The audit log ends without its last records, which are recorded here",
    );
  }

  /** Hands what waits to the disk, until nothing does. */
  #drive(): Promise<void> {
    if (!this.#driving) this.#driven = this.#loop();
    return this.#driven;
  }

  async #loop(): Promise<void> {
    this.#driving = true;
    while (!this.#failure && (this.#waiting.length > 0 || this.#due)) {
      try {
        const segment = await this.#current();
        await this.#send(segment, this.#waiting.splice(0));
        if (this.#syncs.size >= MOST_AT_ONCE) await Promise.race(this.#syncs);
        if (this.#broken) throw this.#broken.error;
      } catch (error) {
        await this.#fail(error);
      }
    }
    this.#driving = false;
  }

  /** The segment to write to: another where the one that was has been removed, is full, or is old. */
  async #current(): Promise<Segment> {
    const { rotation, logger } = this.#options;
    const segment = (this.#segment ??= await this.#begin());
    const time = performance.now();
    if (time - this.#looked >= TRY_AFTER) {
      this.#looked = time;
      if (!(await isInPlace(segment.file))) {
        logger.error({ file: segment.file.path }, "A file of the audit log has been removed or replaced");
        await this.#leave(segment);
        return (this.#segment = await this.#begin());
      }
    }
    const isFull = segment.size >= rotation.bytes || time - segment.since >= rotation.age;
    if (!isFull || segment.size === segment.file.size) return segment;
    await this.#finish(segment);
    return (this.#segment = await this.#begin());
  }

  async #begin(): Promise<Segment> {
    const { files, signer } = this.#options;
    const { segment: file, head, line } = await beginSegment(files, signer);
    const segment: Segment = {
      file,
      since: performance.now(),
      head,
      size: file.size,
      safe: { head, size: file.size },
      unlisted: Buffer.from(line),
      listed: 0,
      listing: undefined,
    };
    // What would be cut off behind it is missed from the first record on.
    await this.#list(segment);
    return segment;
  }

  /** Ends a segment. */
  async #finish(segment: Segment): Promise<void> {
    await this.#send(segment, [], { last: this.#vouch(segment.head, "close") });
    await this.#leave(segment);
  }

  async #leave(segment: Segment): Promise<void> {
    await this.#settled();
    await this.#list(segment);
    this.#segment = undefined;
    close(segment.file.fd);
    close(segment.file.list);
  }

  /** Resolves when what was on its way is on the disk. */
  async #settled(): Promise<void> {
    await Promise.all(this.#syncs);
    if (this.#broken) throw this.#broken.error;
  }

  /** @param more - Records of the log's own that stand before and behind those of `entries`. */
  async #send(
    segment: Segment,
    entries: readonly Entry[],
    { first, last }: { readonly first?: Link; readonly last?: Link } = {},
  ): Promise<void> {
    let { head, line: lines } = first ?? { head: segment.head, line: "" };
    for (const { body } of entries) {
      const next = link(head, body);
      lines += next.line;
      ({ head } = next);
    }
    this.#unvouched += entries.length;
    const isDue = this.#due || this.#unvouched >= this.#options.checkpoints.records;
    const vouched = last ?? (isDue ? this.#vouch(head, "checkpoint") : undefined);
    if (!vouched) this.#vouchInTime();
    const data = Buffer.from(lines + (vouched?.line ?? ""));
    const size = segment.size + data.length;
    const batch: Batch = { entries, head: vouched?.head ?? head, size, vouched: vouched?.line };
    this.#batches.push(batch);
    await write(segment.file.fd, data, segment.size);
    segment.head = batch.head;
    segment.size = size;
    const synced = sync(segment.file.fd).then(
      () => this.#written(segment, batch),
      (error: Error) => {
        this.#broken ??= { error };
      },
    );
    this.#syncs.add(synced);
    void synced.then(() => this.#syncs.delete(synced));
  }

  /** With a batch, all before it are on the disk. */
  #written(segment: Segment, batch: Batch): void {
    const index = this.#batches.indexOf(batch);
    if (index < 0 || this.#broken) return;
    for (const { head, size, entries, vouched } of this.#batches.splice(0, index + 1)) {
      segment.safe = { head, size };
      for (const entry of entries) {
        this.#kept -= entry.body.length;
        entry.done?.(true);
      }
      if (vouched === undefined) continue;
      segment.unlisted = Buffer.concat([segment.unlisted, Buffer.from(vouched)]);
      // What fails is tried again with the next, and at the end.
      this.#list(segment).catch(() => {});
    }
  }

  #vouch(head: Head, type: "checkpoint" | "close"): Link {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = false;
    this.#unvouched = 0;
    return link(head, `${now()},"type":"${type}"`, this.#options.signer);
  }

  #vouchInTime(): void {
    this.#timer ??= setTimeout(() => {
      this.#due = true;
      void this.#drive();
    }, this.#options.checkpoints.every).unref();
  }

  /** Puts signed records down a second time: what is cut off the end of a segment is missed there. */
  #list(segment: Segment): Promise<void> {
    segment.listing ??= this.#addToList(segment).finally(() => {
      segment.listing = undefined;
    });
    return segment.listing;
  }

  async #addToList(segment: Segment): Promise<void> {
    while (segment.unlisted.length > 0) {
      const lines = segment.unlisted;
      await write(segment.file.list, lines, segment.listed);
      await sync(segment.file.list);
      segment.listed += lines.length;
      segment.unlisted = segment.unlisted.subarray(lines.length);
    }
  }

  async #fail(error: unknown): Promise<void> {
    await this.#restore();
    this.#failure = { error, since: new Date().toISOString(), lost: 0 };
    this.#options.logger.error(
      { err: error },
      `The audit log cannot be written: ${this.#options.consequence}`,
    );
    excuse(this.#waiting);
    this.#tryLater();
  }

  /** What was on its way waits again, as it stood. */
  async #restore(): Promise<void> {
    await Promise.all(this.#syncs);
    const batches = this.#batches.splice(0);
    this.#waiting.unshift(...batches.flatMap(({ entries }) => entries));
    this.#due ||= batches.some(({ vouched }) => vouched !== undefined);
    this.#broken = undefined;
    if (this.#segment) Object.assign(this.#segment, this.#segment.safe);
  }

  #tryLater(): void {
    setTimeout(() => {
      if (!this.#closed) void this.#recover();
    }, TRY_AFTER).unref();
  }

  #recover(): Promise<void> {
    this.#recovering ??= this.#resume().finally(() => {
      this.#recovering = undefined;
    });
    return this.#recovering;
  }

  /** Tries to write again: behind what is safely on the disk, or in another segment. */
  async #resume(): Promise<void> {
    const failure = this.#failure;
    if (!failure) return;
    const { since, lost } = failure;
    try {
      const mended = this.#segment && (await this.#mended(this.#segment));
      const segment = (this.#segment = mended ?? (await this.#begin()));
      const told = JSON.stringify({ type: "resumed", since, lost }).slice(1, -1);
      const first = link(segment.head, `${now()},${told}`);
      await this.#send(segment, this.#waiting.splice(0), { first });
      await this.#settled();
    } catch {
      // That it fails has been said.
      await this.#restore();
      return this.#tryLater();
    }
    this.#failure = failure.lost > lost ? { ...failure, lost: failure.lost - lost } : undefined;
    if (this.#failure) return this.#tryLater();
    this.#options.logger.info({ since, lost }, "The audit log is written again");
    void this.#drive();
  }

  async #mended(segment: Segment): Promise<Segment | undefined> {
    try {
      if (!(await isInPlace(segment.file))) throw new Error("The file is gone");
      await truncate(segment.file.fd, segment.safe.size);
      return segment;
    } catch {
      this.#segment = undefined;
      close(segment.file.fd);
      close(segment.file.list);
      return undefined;
    }
  }
}

/** Lets go of what does not wait for a disk that fails; the rest waits a little. */
function excuse(entries: readonly Entry[]): void {
  const give = (entry: Entry) => {
    entry.done?.(false);
    entry.done = undefined;
  };
  const patient = entries.filter((entry) => entry.patient && entry.done);
  for (const entry of entries) if (!entry.patient) give(entry);
  if (patient.length > 0) setTimeout(() => patient.forEach(give), PATIENCE);
}
