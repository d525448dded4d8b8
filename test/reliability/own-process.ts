/** What a server in a process of its own tells the process that started it. */

import { getActiveResourcesInfo } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

/** What the driver may ask, by name. */
export type Answering = Readonly<Record<string, (question: never) => unknown>>;

export interface Memory {
  readonly rss: number;
  readonly heap: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

/** Memory after everything that is garbage has been collected; in bytes. */
export async function memory(): Promise<Memory> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await sleep(50);
  }
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { rss, heap: heapUsed, external, arrayBuffers };
}

/** What keeps the event loop awake, by kind; the pipe to the parent aside. */
export function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Answers what the parent asks until it goes, and tells it the port. */
export function answerParent(answers: Answering, port: number): void {
  process.on("message", (message: { id: number; ask: string; args: never }) => {
    void Promise.resolve(answers[message.ask]?.(message.args)).then((answer) =>
      process.send?.({ id: message.id, answer }),
    );
  });
  process.on("disconnect", () => process.exit(0));
  process.send?.({ port });
}
