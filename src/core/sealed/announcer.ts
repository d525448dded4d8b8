/** Tells clients that listen of what has changed, by way of the event bus. */

import type { ComponentDefinition } from "../components/definitions.ts";
import type { EventBus, Logger, ServerEvent } from "../ports.ts";

/** Tells clients that listen of changes. Changes of the lists are told by themselves. */
export interface Notifier {
  /** The resource at `uri` has changed. */
  resourceUpdated(uri: string): void;
}

export class Announcer implements Notifier {
  readonly #carrier: { readonly eventBus: EventBus };
  readonly #logger: () => Logger | undefined;
  readonly #changed = new Set<"tools" | "resources" | "prompts">();

  constructor(carrier: { readonly eventBus: EventBus }, logger: () => Logger | undefined) {
    this.#carrier = carrier;
    this.#logger = logger;
  }

  resourceUpdated(uri: string): void {
    this.publish({ kind: "resource_updated", uri });
  }

  /** Tells of changed lists, once for all that changes in one go. */
  listsChanged(definitions: readonly ComponentDefinition[]): void {
    if (this.#changed.size === 0) {
      queueMicrotask(() => {
        for (const list of this.#changed) this.publish({ kind: "list_changed", list });
        this.#changed.clear();
      });
    }
    for (const { kind } of definitions) this.#changed.add(`${kind}s`);
  }

  publish(event: ServerEvent): void {
    const failed = (error: unknown) =>
      this.#logger()?.error({ err: error }, "An event could not be published");
    try {
      void Promise.resolve(this.#carrier.eventBus.publish(event)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
