#!/usr/bin/env node
/** The command `gantry`. */

import { auditVerify } from "./audit-verify.ts";
import { HELP, UsageError, print, version } from "./usage.ts";

/** Runs the command and gives its exit code: 0 all is well, 1 it is not, 2 the command was wrong. */
async function run(args: readonly string[]): Promise<number> {
  const [first, second, ...rest] = args;
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    print(HELP);
    return first === undefined ? 2 : 0;
  }
  if (first === "--version") {
    print(version());
    return 0;
  }
  if (first === "audit" && second === "verify") return auditVerify(rest);
  throw new UsageError(`There is no command ${JSON.stringify(args.slice(0, 2).join(" "))}.`);
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof UsageError) console.error("gantry --help shows what there is.");
  process.exitCode = 2;
}
