/** What is thrown where nobody catches it: by work that a handler began and did not wait for. */

import type { Logger } from "../../core/ports.ts";
import { leave } from "./signals.ts";

/** So many are logged in one second, and the rest is counted. What logs may itself fail in this way, without an end. */
const MOST_LOGGED = 20;

/**
 * Logs what nobody catches. Node would end the process at once for it, and with it the calls of everybody else: here the
 * server goes on, or ends in good order where there is an `end`. What calls do is contained before it gets here, so that
 * nothing of the framework was interrupted.
 */
export function onUncaught(logger: Logger, end: (() => Promise<void>) | undefined): () => void {
  let seen = 0;
  let second: NodeJS.Timeout | undefined;
  const endSecond = () => {
    clearTimeout(second);
    second = undefined;
    const notLogged = seen - MOST_LOGGED;
    seen = 0;
    if (notLogged > 0)
      logger.error({ notLogged }, "More was thrown that nobody catches than is logged in a second");
  };
  let ending = false;
  const note = (message: string) => (err: unknown) => {
    second ??= setTimeout(endSecond, 1_000).unref();
    if (++seen <= MOST_LOGGED) logger.error({ err }, message);
    if (!end || ending) return;
    ending = true;
    leave(end(), logger, 1);
  };
  const onException = note("Something was thrown that nobody catches, such as in a timer or a listener");
  const onRejection = note("A promise was rejected that nobody waits for: await it, or give it a catch()");
  process.on("uncaughtException", onException).on("unhandledRejection", onRejection);
  // Whoever read what is printed is gone, and that is no reason to print more.
  const ignore = () => {};
  process.stdout.on("error", ignore);
  process.stderr.on("error", ignore);
  return () => {
    endSecond();
    process.off("uncaughtException", onException).off("unhandledRejection", onRejection);
    process.stdout.off("error", ignore);
    process.stderr.off("error", ignore);
  };
}
