/**
 * Writes records, those that wait together at once, and tells each when it is written. While that fails, what comes is kept in memory
 * within bounds, and written when it works again.
 */

import type { Logger } from "../core/ports.ts";
import { Lines } from "./chain.ts";
import type { Signer } from "./crypto.ts";
import type { LogFiles } from "./files.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { now } from "./segment.ts";

export interface WriterOptions {
  readonly files: LogFiles;
  readonly signer: Signer | undefined;
  readonly logger: Logger;
  /** A segment of so many bytes, or so old in milliseconds, is followed by another. */
  readonly rotation: { readonly bytes: number; readonly age: number };
  /** After so many records, or so many milliseconds, those so far are vouched for. */
  readonly checkpoints: { readonly records: number; readonly every: number };
  /** How soon what is written is on the disk, in milliseconds; 0: before it counts as written. */
  readonly syncWithin: number;
  /** What comes of it that nothing can be written, in words. */
  readonly consequence: string;
}

/** Is told once whether a record is written; where it is not, it will be as soon as that works. */
type Done = (written: boolean) => void;

/** A record on its way. */
interface Entry {
  /** The members of the record as JSON, without braces. */
  readonly body: string;
  /** Whether it may wait a little for a disk that fails. */
  readonly patient: boolean;
  done: Done | undefined;
}

/** What is kept while nothing can be written, in characters. Beyond, records are lost, and counted. */
const MOST_KEPT = 16 * 1_024 * 1_024;

/** How long calls that cannot be answered without a record wait for a disk that fails, in milliseconds. */
const PATIENCE = 2_000;

/** How often it is tried again while the disk fails, and looked whether the file is still in its place; in milliseconds. */
const TRY_AFTER = 500;

export class AuditWriter {
  readonly #options: WriterOptions;
  #segment: SegmentWriter | undefined;
  #waiting: Entry[] = [];
  #kept = 0;
  #driving = false;
  #driven: Promise<void> = Promise.resolve();
  #recovering: Promise<void> | undefined;
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
    if (!this.#failure && this.#segment && !(await this.#segment.isIntact())) this.#due = true;
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
      this.#fail(error);
    }
    if (!this.#failure) return;
    this.#options.logger.error(
      { err: this.#failure.error, records: this.#waiting.map(({ body }) => body), lost: this.#failure.lost },
      "The audit log ends without its last records, which are recorded here",
    );
  }

  /** Writes what waits, until nothing does. */
  #drive(): Promise<void> {
    if (!this.#driving) this.#driven = this.#loop();
    return this.#driven;
  }

  async #loop(): Promise<void> {
    this.#driving = true;
    while (!this.#failure && (this.#waiting.length > 0 || this.#due)) {
      // What ends in this turn of the event loop is written together.
      await new Promise((resolve) => setImmediate(resolve));
      try {
        const segment = await this.#current();
        await this.#send(segment, this.#waiting.splice(0));
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#driving = false;
  }

  /** The segment to write to: another where the one that was has been removed, is full, or is old. */
  async #current(): Promise<SegmentWriter> {
    const { rotation, logger } = this.#options;
    const segment = (this.#segment ??= await this.#begin());
    const time = performance.now();
    if (time - this.#looked >= TRY_AFTER) {
      this.#looked = time;
      if (!(await segment.isIntact())) {
        logger.error({ file: segment.path }, "A file of the audit log has been removed, replaced or cut");
        await segment.end();
        return (this.#segment = await this.#begin());
      }
    }
    if (!segment.isFull(rotation.bytes, rotation.age)) return segment;
    await this.#finish(segment);
    return (this.#segment = await this.#begin());
  }

  #begin(): Promise<SegmentWriter> {
    const { files, signer, syncWithin: within } = this.#options;
    this.#segment = undefined;
    return SegmentWriter.begin(files, signer, {
      within,
      failed: (error) => this.#fail(error),
      listed: () => this.#vouchAgain(),
    });
  }

  /** Ends a segment. */
  async #finish(segment: SegmentWriter): Promise<void> {
    await segment.settle();
    await this.#send(segment, [], { last: "close" });
    await segment.end();
  }

  /**
   * Writes records, and tells those who wait for them. Where it rejects, they wait again as they stood.
   *
   * @param own - Records of the log's own that stand before and behind those of `entries`.
   */
  async #send(
    segment: SegmentWriter,
    entries: readonly Entry[],
    own: { readonly first?: string; readonly last?: "close" } = {},
  ): Promise<void> {
    const isVouched = own.last !== undefined || this.#isDue(segment, entries.length);
    if (isVouched) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#due = false;
    }
    try {
      // Of a process that is killed, no more than the last signed record is not in the list.
      if (isVouched && !segment.isListed) await segment.settle();
      const lines = new Lines(segment.head);
      if (own.first !== undefined) lines.add(own.first);
      for (const { body } of entries) lines.add(body);
      const vouching = `${now()},"type":"${own.last ?? "checkpoint"}"`;
      const signedBytes = isVouched ? lines.add(vouching, this.#options.signer) : 0;
      await segment.append({ lines, signedBytes });
    } catch (error) {
      this.#waiting = [...entries, ...this.#waiting];
      this.#due ||= isVouched;
      throw error;
    }
    this.#unvouched = isVouched ? 0 : this.#unvouched + entries.length;
    if (!isVouched) this.#vouchInTime();
    for (const entry of entries) {
      this.#kept -= entry.body.length;
      entry.done?.(true);
    }
  }

  /** Whether it is time to vouch; where records come faster than the disk takes them, when the last that vouches is safe. */
  #isDue(segment: SegmentWriter, more: number): boolean {
    const { records } = this.#options.checkpoints;
    return this.#due || (this.#unvouched + more >= records && segment.isListed);
  }

  /** Vouches for what came while the last that vouches was on its way. */
  #vouchAgain(): void {
    if (this.#closed || this.#unvouched < this.#options.checkpoints.records) return;
    this.#due = true;
    void this.#drive();
  }

  #vouchInTime(): void {
    this.#timer ??= setTimeout(() => {
      this.#due = true;
      void this.#drive();
    }, this.#options.checkpoints.every).unref();
  }

  #fail(error: unknown): void {
    if (this.#failure) return excuse(this.#waiting);
    this.#failure = { error, since: new Date().toISOString(), lost: 0 };
    this.#options.logger.error(
      { err: error },
      `The audit log cannot be written: ${this.#options.consequence}`,
    );
    excuse(this.#waiting);
    this.#tryLater();
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
    // What was being written when something else failed.
    await this.#driven;
    try {
      const segment = (this.#segment = await this.#mended(this.#segment));
      const told = JSON.stringify({ type: "resumed", since, lost }).slice(1, -1);
      await this.#send(segment, this.#waiting.splice(0), { first: `${now()},${told}` });
    } catch {
      // That it fails has been said.
      return this.#tryLater();
    }
    this.#failure = failure.lost > lost ? { ...failure, lost: failure.lost - lost } : undefined;
    if (this.#failure) return this.#tryLater();
    this.#options.logger.info({ since, lost }, "The audit log is written again");
    void this.#drive();
  }

  async #mended(segment: SegmentWriter | undefined): Promise<SegmentWriter> {
    if (segment && !(await segment.isInPlace())) await segment.abandon();
    else if (segment) {
      await segment.mend();
      return segment;
    }
    return this.#begin();
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
