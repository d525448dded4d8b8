/** How long each part of an orderly end may take. */

import { milliseconds } from "../duration.ts";
import type { ShutdownOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";

/** In milliseconds. */
export interface ShutdownLimits {
  readonly notice: number;
  readonly limit: number;
}

/** Background work has what is left of the limit, but at least so long; in milliseconds. */
const LEAST_FOR_WORK = 1_000;

/** Shutdown hooks have what is left of the limit, but at least so long; in milliseconds. */
const LEAST_FOR_HOOKS = 2_000;

export function shutdownLimits({ notice = "1s", limit = "25s" }: ShutdownOptions = {}): ShutdownLimits {
  return {
    notice: milliseconds(notice, "shutdown.notice"),
    limit: milliseconds(limit, "shutdown.limit"),
  };
}

/**
 * Ends a server whose calls have ended: waits for their background work until `deadline` on the clock of
 * `performance.now()`, and for the hooks as long or a little longer.
 */
export async function ended({ background, lifecycle, logger }: Runtime, deadline: number): Promise<void> {
  const left = Math.max(deadline - performance.now(), LEAST_FOR_WORK);
  if (!(await within(left, background.done())))
    logger.warn({ calls: background.size }, "Background tasks did not end in time");
  await hooksDone(lifecycle.stop(logger), deadline);
}

/** Waits for the hooks, until `deadline` on the clock of `performance.now()` or a little longer. */
async function hooksDone(hooks: Promise<void>, deadline: number): Promise<void> {
  const left = Math.max(deadline - performance.now(), LEAST_FOR_HOOKS);
  if (await within(left, hooks)) return;
  throw new Error(`A start-up or shutdown hook did not finish within ${Math.round(left)} ms`);
}

/** Whether `work` is done within so many milliseconds. */
export async function within(duration: number, work: Promise<void>): Promise<boolean> {
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

export function pause(duration: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, duration);
  });
}
