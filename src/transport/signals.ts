/** SIGTERM and SIGINT: the first ends the server gracefully, the second at once. */

import type { Logger } from "../ports.ts";

/** Calls `shutDown` at the first signal and leaves with 0, or with 1 where it fails or a second signal comes. */
export function onSignal(shutDown: () => Promise<void>, logger: Logger): () => void {
  let ending = false;
  const onceSignalled = (signal: NodeJS.Signals) => {
    if (ending) process.exit(1);
    ending = true;
    logger.info({ signal }, "Shutting down");
    shutDown().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, "The shutdown failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", onceSignalled).on("SIGINT", onceSignalled);
  return () => process.off("SIGTERM", onceSignalled).off("SIGINT", onceSignalled);
}
