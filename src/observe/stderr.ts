/** Writing on stderr so that it does no harm, and what tells who reads there. */

/** As much as may wait for whoever reads stderr, in bytes; lines beyond are dropped. */
const MOST_WAITING = 1_048_576;

/** After an error such as EPIPE nothing is tried for so long, in milliseconds. */
const PAUSE = 1_000;

/** As much of a process as is used here: elsewhere than on Node there may be none. */
type Process = Pick<NodeJS.Process, "env" | "stderr">;

const { process } = globalThis as { readonly process?: Process };

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

/** When something went wrong with stderr the last time. */
let failed = -Infinity;
let isWatched = false;

/**
 * What writes lines on stderr. A line waits for nobody: what a slow reader has not read is kept up to {@link MOST_WAITING}, and lines
 * that come then are dropped.
 *
 * @param lost - Makes the line that tells how many were dropped.
 */
export function stderrSink(lost: (count: number) => string): (line: string) => void {
  const stream = process?.stderr;
  if (!stream) return (line) => console.error(line);
  if (!isWatched) {
    isWatched = true;
    // A reader that is gone must not end the process.
    stream.on("error", () => (failed = performance.now()));
  }
  let dropped = 0;
  return (line) => {
    if (stream.writableLength > MOST_WAITING || performance.now() - failed < PAUSE) {
      dropped++;
      return;
    }
    if (dropped > 0) stream.write(`${lost(dropped)}\n`);
    dropped = 0;
    stream.write(`${line}\n`);
  };
}
