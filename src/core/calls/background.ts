/** Work after the answer: in order, contained, and waited for at the end. */

import type { Cancellation } from "./cancellation.ts";
import type { Logger } from "../ports.ts";
import type { Stages } from "./stages.ts";

interface Task {
  readonly name: string;
  readonly run: () => unknown;
}

/**
 * What a call has still to do once its answer is sent: nobody waits for it. Tasks run one after the other in the
 * order added, where the call succeeds; one that fails is logged and does not stop those after it. A shutdown waits
 * for them within its limit. For work that must not be lost when the process ends, or takes long, use a queue.
 *
 * @example
 * ```ts
 * server.tool("process", { description: "Process data.", input }, ({ data }, { background }) => {
 *   background.add(sendNotification, "Data processed", data);
 *   return "Processing started";
 * });
 * ```
 */
export class BackgroundTasks {
  readonly #tasks: Task[] = [];
  readonly #stages: Stages | undefined;
  readonly #cancellation: Cancellation | undefined;
  #state: "open" | "begun" | "done" = "open";

  /**
   * @param cancellation - That of the call that they belong to.
   * @internal
   */
  constructor(stages?: Stages, cancellation?: Cancellation) {
    this.#stages = stages;
    this.#cancellation = cancellation;
  }

  /**
   * Adds a task: `task(...args)` is called after the answer. What was injected into the handler is closed by then,
   * but for what the whole server shares.
   *
   * @throws TypeError where `task` is no function; an error where the call has ended, and nothing would run it.
   */
  add<const A extends readonly unknown[]>(task: (...args: A) => unknown, ...args: A): void {
    if (typeof task !== "function")
      throw new TypeError(
        "background.add() takes a function and its arguments: background.add(send, message).",
      );
    if (this.#state === "done" || (this.#state === "open" && this.#cancellation?.settled))
      throw new Error(
        "background.add() comes too late: the call has ended. Add tasks before the handler returns.",
      );
    const run = () => task(...args);
    this.#tasks.push({ name: task.name, run: this.#stages?.later(task.name, run) ?? run });
  }

  /** From now on what is added is run, until all is done. @internal */
  begin(): void {
    this.#state = "begun";
  }

  /** Runs what was added, and what is added meanwhile. @internal */
  async run(fields: object, logger: Logger): Promise<void> {
    for (let task = this.#tasks.shift(); task; task = this.#tasks.shift()) {
      try {
        await task.run();
      } catch (error) {
        logger.error({ ...fields, task: task.name, err: error }, "A background task failed");
      }
    }
    this.#state = "done";
  }
}

/** The background work of a server. */
export class Background {
  readonly #underWay = new Set<Promise<void>>();

  /** Runs `tasks` once the answer of their call is sent. */
  begin(tasks: BackgroundTasks, cancellation: Cancellation, fields: object, logger: Logger): void {
    tasks.begin();
    const work = new Promise<void>((resolve) => {
      cancellation.afterAnswer(() => resolve(tasks.run(fields, logger)));
    });
    this.track(work);
  }

  /** Keeps a shutdown from going on before `work` is done, which must not fail. */
  track(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.then(() => this.#underWay.delete(work));
  }

  /** How many calls have work under way. */
  get size(): number {
    return this.#underWay.size;
  }

  /** Resolves when nothing is under way any more. */
  async done(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }
}
