/** SIGTERM and SIGINT: the first ends the server gracefully, the second at once. */

import type { Logger } from "../../core/ports.ts";

/** Calls `shutDown` at the first signal and leaves as {@link leave} does, or with 1 at once where a second signal comes. */
export function onSignal(shutDown: () => Promise<void>, logger: Logger): () => void {
  let ending = false;
  const onceSignalled = (signal: NodeJS.Signals) => {
    if (ending) process.exit(1);
    ending = true;
    logger.info({ signal }, "Shutting down");
    leave(shutDown(), logger);
  };
  process.on("SIGTERM", onceSignalled).on("SIGINT", onceSignalled);
  return () => process.off("SIGTERM", onceSignalled).off("SIGINT", onceSignalled);
}

/** Ends the process when the shutdown is done: with `code`, or with 1 where it failed. */
export function leave(shutdown: Promise<void>, logger: Logger, code = 0): void {
  shutdown.then(
    () => process.exit(code),
    (error: unknown) => {
      logger.error({ err: error }, "The shutdown failed");
      process.exit(1);
    },
  );
}
