/** Writing on stderr so that it does no harm, and what tells who reads there. */

/** As much as may wait for whoever reads stderr, in bytes; lines beyond are dropped. */
const MOST_WAITING = 1_048_576;

/** After an error such as EPIPE nothing is tried for so long, in milliseconds. */
const PAUSE = 1_000;

/** As much as is gathered for one write, in characters: a pipe has room for four times that. */
const MOST_GATHERED = 16_384;

/** As much of a process as is used here: elsewhere than on Node there may be none. */
type Process = Pick<NodeJS.Process, "env" | "stderr" | "on">;

const { process, setImmediate } = globalThis as {
  readonly process?: Process;
  readonly setImmediate: typeof globalThis.setImmediate;
};

/** A variable of the environment that says something. */
export function environment(name: string): string | undefined {
  return process?.env?.[name] || undefined;
}

/** Whether people read stderr: it is a terminal, and none of an automatic build (`CI`). */
export function isInteractive(): boolean {
  return process?.stderr?.isTTY === true && environment("CI") === undefined;
}

/** Whether they want colours: `NO_COLOR` (no-color.org) and `FORCE_COLOR` (force-color.org) decide, else the terminal. */
export function wantsColours(): boolean {
  if (environment("NO_COLOR") !== undefined) return false;
  const forced = environment("FORCE_COLOR");
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  return isInteractive() && environment("TERM") !== "dumb";
}

/** Takes lines, each without its line break, and waits for nobody. */
export interface Lines {
  readonly write: (line: string) => void;
  /** Takes a line that may wait for others of the same turn of the event loop: a write costs more than what is written. */
  readonly gather: (line: string) => void;
}

/** When something went wrong with stderr the last time. */
let failed: number | undefined;
let isWatched = false;

/** What is to be written next, of all loggers: their lines stay in order. */
let gathered = "";

function flush(): void {
  if (gathered === "") return;
  const text = gathered;
  gathered = "";
  try {
    process?.stderr.write(text);
  } catch {
    // Whoever has put something in place of stderr: there is nobody left to tell.
  }
}

/**
 * What writes lines on stderr. What a slow reader has not read is kept up to {@link MOST_WAITING}, and lines that come then are dropped.
 *
 * @param lost - Makes the line that tells how many were dropped.
 */
export function stderrLines(lost: (count: number) => string): Lines {
  const stream = process?.stderr;
  if (!stream) return { write: (line) => console.error(line), gather: (line) => console.error(line) };
  if (!isWatched) {
    isWatched = true;
    // A reader that is gone must not end the process.
    stream.on("error", () => (failed = performance.now()));
    process.on("exit", flush);
  }
  let dropped = 0;
  const add = (line: string) => {
    const isPaused = failed !== undefined && performance.now() - failed < PAUSE;
    if (isPaused || stream.writableLength > MOST_WAITING) {
      dropped++;
      return;
    }
    if (dropped > 0) gathered += `${lost(dropped)}\n`;
    dropped = 0;
    gathered += `${line}\n`;
  };
  return {
    write: (line) => {
      add(line);
      flush();
    },
    gather: (line) => {
      if (gathered === "") setImmediate(flush);
      add(line);
      if (gathered.length > MOST_GATHERED) flush();
    },
  };
}
