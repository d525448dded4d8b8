/** What `gantry --help` says, and what is said of commands that are none. */

import { readFileSync } from "node:fs";

export const HELP = `Usage: gantry <command>

Commands:
  audit verify FILE…      verify an audit log, and name the first record that is not what was written
      --key FILE          the Ed25519 public key in PEM, or a file with the secret; more than once where it was replaced
      --key-env NAME      the same from an environment variable
      --json              print the outcome as JSON

  FILE is the log's name as audit() was given it (./audit.jsonl), or names of its segments (./audit.000003.jsonl).

Options:
  --help                  print this
  --version               print the version

Exit code: 0 where all is well, 1 where it is not, 2 where the command is wrong.`;

/** A command that is written wrongly. */
export class UsageError extends Error {}

/** Prints a line of what the command was run for. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function version(): string {
  const about = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(about) as { readonly version: string }).version;
}
