/**
 * The files of an audit log. `./audit.jsonl` names the log; its records stand in segments beside it, `audit.000001.jsonl` and so on.
 * A segment belongs to the process that made it, and to no other, ever: nothing has to be locked, and a process that is killed
 * leaves no lock behind. The signed records of a segment stand a second time in its list of checkpoints,
 * `audit.000001.checkpoints`.
 */

import type { BigIntStats } from "node:fs";

type Files = typeof import("node:fs");

let loaded: Files | undefined;

function fs(): Files {
  loaded ??= process.getBuiltinModule("node:fs");
  return loaded;
}

/** A segment that this process writes. */
export interface OpenSegment {
  readonly number: number;
  readonly path: string;
  readonly fd: number;
  /** How many bytes its first record takes. */
  readonly size: number;
  /** Its list of checkpoints. */
  readonly list: number;
  readonly listPath: string;
}

/** How a file ends. */
export interface Tail {
  /** The lines among its last bytes, without what stands behind the last line end. */
  readonly lines: readonly Buffer[];
  /** How many bytes stand behind the last line end. */
  readonly torn: number;
}

/** How much of the end of a file is looked at: more than the longest record takes. */
const TAIL = 256 * 1_024;

/** How old a file must be that was never finished, before it is cleared away, in milliseconds. */
const LEFTOVER_AFTER = 60_000;

/** Owner alone: records tell who does what. */
const MODE = 0o600;

/** The files of one log. */
export class LogFiles {
  readonly #folder: string;
  readonly #stem: string;
  readonly #extension: string;

  /** @param file - The log's name, such as `./audit.jsonl`. */
  constructor(file: string) {
    const path = process.getBuiltinModule("node:path");
    const whole = path.resolve(file);
    this.#extension = path.extname(whole);
    this.#folder = path.dirname(whole);
    this.#stem = path.basename(whole, this.#extension);
  }

  /** The path of a segment, from its number. */
  segment(number: number): string {
    return this.#path(`${String(number).padStart(6, "0")}${this.#extension}`);
  }

  /** The path of a segment's list of checkpoints. */
  checkpoints(number: number): string {
    return this.#path(`${String(number).padStart(6, "0")}.checkpoints`);
  }

  /** The numbers of the segments that there are, in order; also of one of which no more than its list is left. */
  async numbers(): Promise<readonly number[]> {
    const names = await fs().promises.readdir(this.#folder);
    const numbers = new Set(names.flatMap((name) => this.#numberOf(name) ?? []));
    return [...numbers].toSorted((a, b) => a - b);
  }

  /**
   * Makes the next segment, with its first record in it from the moment that it is there.
   *
   * @param first - Gives the first line of the segment of that number.
   */
  async create(first: (number: number) => Promise<Buffer>): Promise<OpenSegment> {
    const { promises, openSync, closeSync, writeSync, fsyncSync } = fs();
    await makeFolder(this.#folder);
    await this.#clear();
    const unfinished = this.#path(`${process.pid}-${performance.now()}.tmp`);
    for (let number = ((await this.numbers()).at(-1) ?? 0) + 1; ; number++) {
      const line = await first(number);
      const fd = openSync(unfinished, "wx+", MODE);
      try {
        writeSync(fd, line);
        fsyncSync(fd);
        // Where another process was faster, its segment has the number, and this one is the next.
        await promises.link(unfinished, this.segment(number));
        const listPath = this.checkpoints(number);
        const list = openSync(listPath, "wx+", MODE);
        await this.#syncFolder();
        return { number, path: this.segment(number), fd, size: line.length, list, listPath };
      } catch (error) {
        closeSync(fd);
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      } finally {
        await promises.unlink(unfinished).catch(() => {});
      }
    }
  }

  /** Removes what processes left that were killed while they made a segment. */
  async #clear(): Promise<void> {
    const { promises } = fs();
    for (const name of await promises.readdir(this.#folder)) {
      if (!name.startsWith(`${this.#stem}.`) || !name.endsWith(".tmp")) continue;
      const path = `${this.#folder}/${name}`;
      const { mtimeMs } = await promises.stat(path).catch(() => ({ mtimeMs: Infinity }));
      if (Date.now() - mtimeMs > LEFTOVER_AFTER) await promises.unlink(path).catch(() => {});
    }
  }

  /** Makes the name of a new file last; where folders cannot be synchronised, as on Windows, they need not be. */
  async #syncFolder(): Promise<void> {
    try {
      const folder = await fs().promises.open(this.#folder, "r");
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    } catch {
      // See above.
    }
  }

  #path(rest: string): string {
    return `${this.#folder}/${this.#stem}.${rest}`;
  }

  #numberOf(name: string): number | undefined {
    const end = [this.#extension, ".checkpoints"].find((each) => name.endsWith(each));
    if (end === undefined || !name.startsWith(`${this.#stem}.`)) return undefined;
    const digits = name.slice(this.#stem.length + 1, name.length - end.length);
    return /^\d{6,15}$/.test(digits) ? Number(digits) : undefined;
  }
}

/** Makes a folder, and those that it stands in: Node's own way never ends below folders that take none in, such as `/proc`. */
async function makeFolder(path: string): Promise<void> {
  const { mkdir, stat } = fs().promises;
  const make = async () => {
    try {
      await mkdir(path, { mode: 0o700 });
    } catch (error) {
      const there = await stat(path).catch(() => undefined);
      if (!there?.isDirectory()) throw error;
    }
  };
  try {
    await make();
  } catch (error) {
    const around = process.getBuiltinModule("node:path").dirname(path);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || around === path) throw error;
    await makeFolder(around);
    await make();
  }
}

/** The log and the number of the segment at `path`, where its name is that of a segment. */
export function segmentAt(path: string): { readonly log: string; readonly number: number } | undefined {
  const [, log, digits, extension = ""] = /^(.*)\.(\d{6,15})(\.[^./\\]+)?$/s.exec(path) ?? [];
  return log === undefined || extension === ".checkpoints"
    ? undefined
    : { log: `${log}${extension}`, number: Number(digits) };
}

/** Writes all of `data` where it belongs. */
export function write(fd: number, data: Buffer, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs().write(fd, data, 0, data.length, position, (error, written) => {
      if (error) reject(error);
      else
        resolve(written === data.length ? undefined : write(fd, data.subarray(written), position + written));
    });
  });
}

/** Resolves when what has been written is on the disk. */
export function sync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs().fdatasync(fd, (error) => (error ? reject(error) : resolve()));
  });
}

/** Brings to the disk what another process may have left on its way there, where that can be done. */
export async function settle(path: string): Promise<void> {
  try {
    const file = await fs().promises.open(path, "r+");
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch {
    // The system does it in its own time.
  }
}

/** Takes off what stands behind `size` bytes. */
export function truncate(fd: number, size: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs().ftruncate(fd, size, (error) => (error ? reject(error) : resolve()));
  });
}

export function close(fd: number): void {
  fs().close(fd, () => {});
}

/** Whether the file that is open is the one at its path: not where it has been removed, or another put in its place. */
export async function isInPlace(fd: number, path: string): Promise<boolean> {
  const [own, there] = await Promise.all([
    statOf(fd),
    fs()
      .promises.stat(path, BIG)
      .catch(() => undefined),
  ]);
  return there?.ino === own.ino && there.dev === own.dev;
}

/**
 * Whether nothing has been cut off a file.
 *
 * @param size - What has been written.
 * @param before - What had been when this was last asked: what is written behind a cut leaves a hole there.
 */
export async function isWhole(fd: number, size: number, before: number): Promise<boolean> {
  if ((await statOf(fd)).size < size) return false;
  return before === 0 || (await byteAt(fd, before - 1)) === LINE_END;
}

const BIG = { bigint: true } as const;

function statOf(fd: number): Promise<BigIntStats> {
  return new Promise((resolve, reject) => {
    fs().fstat(fd, BIG, (error, stats) => (error ? reject(error) : resolve(stats)));
  });
}

function byteAt(fd: number, position: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    fs().read(fd, Buffer.alloc(1), 0, 1, position, (error, _count, [byte]) =>
      error ? reject(error) : resolve(byte),
    );
  });
}

/** How the file at `path` ends. */
export async function tailOf(path: string): Promise<Tail> {
  const file = await fs().promises.open(path, "r");
  try {
    const { size } = await file.stat();
    const length = Math.min(size, TAIL);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const lines = linesIn(buffer.subarray(0, bytesRead));
    const torn = lines.pop()?.length ?? 0;
    return { lines: size > length ? lines.slice(1) : lines, torn };
  } finally {
    await file.close();
  }
}

/** What stands between line ends, and what stands behind the last one. */
function linesIn(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return [...lines, bytes.subarray(start)];
}

const LINE_END = 0x0a;

/** A line of a file; `ended` tells whether a line end follows. */
export interface Line {
  readonly bytes: Buffer;
  readonly ended: boolean;
}

/** A line that is longer than this is no record: it is given in pieces. */
const LONGEST_LINE = 1_048_576;

/** The lines of a file, read as they are needed. Nothing where there is no such file. */
export async function* linesOf(path: string): AsyncGenerator<Line, void, void> {
  const { openSync, readSync, closeSync, existsSync } = fs();
  if (!existsSync(path)) return;
  const fd = openSync(path, "r");
  try {
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.alloc(TAIL);
      const length = readSync(fd, chunk, 0, TAIL, null);
      if (length === 0) break;
      const lines = linesIn(Buffer.concat([rest, chunk.subarray(0, length)]));
      rest = lines.pop() ?? Buffer.alloc(0);
      for (const bytes of lines) yield { bytes, ended: true };
      if (rest.length > LONGEST_LINE) {
        yield { bytes: rest, ended: true };
        rest = Buffer.alloc(0);
      }
      // A server that verifies its own log goes on answering.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (rest.length > 0) yield { bytes: rest, ended: false };
  } finally {
    closeSync(fd);
  }
}
