/** How long each part of an orderly end may take. */

import { milliseconds } from "../../core/options/duration.ts";
import type { ShutdownOptions } from "../../core/server-options.ts";
import type { Runtime } from "../../core/runtime.ts";

/** In milliseconds. */
export interface ShutdownLimits {
  readonly notice: number;
  readonly limit: number;
}

/** What comes after the calls has what is left of the limit, but at least so long; in milliseconds. */
const LEAST_AFTER_CALLS = 2_000;

/** Of that, so much at the end is for the hooks. */
const LEAST_FOR_HOOKS = 1_000;

export function shutdownLimits({ notice = "1s", limit = "25s" }: ShutdownOptions = {}): ShutdownLimits {
  return {
    notice: milliseconds(notice, "shutdown.notice"),
    limit: milliseconds(limit, "shutdown.limit"),
  };
}

/**
 * Ends a server whose calls have ended: waits for their background work, then for the hooks, until `deadline` on
 * the clock of `performance.now()` or a little longer.
 */
export async function ended({ background, lifecycle, logger }: Runtime, deadline: number): Promise<void> {
  const end = Math.max(deadline, performance.now() + LEAST_AFTER_CALLS);
  if (!(await within(end - LEAST_FOR_HOOKS - performance.now(), background.done())))
    logger.warn({ calls: background.size }, "Background tasks did not end in time");
  const left = end - performance.now();
  if (await within(left, lifecycle.stop(logger))) return;
  throw new Error(`A start-up or shutdown hook did not finish within ${Math.round(left)} ms`);
}

/** Whether `work` is done within so many milliseconds. */
export async function within(duration: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), duration);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
