/** What a test hears of changes (2026-07-28, "Subscriptions"). */

import type { MessageReader } from "./message-reader.ts";

/** Which changes to hear of. */
export interface TestFilter {
  readonly toolsListChanged?: boolean;
  readonly promptsListChanged?: boolean;
  readonly resourcesListChanged?: boolean;
  /** The URIs of resources to follow. */
  readonly resourceSubscriptions?: readonly string[];
}

/** A change, as it is told: `notifications/tools/list_changed`, `notifications/resources/updated` with its `uri`, … */
export interface TestChange {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** An open subscription. Iterate over it, or take one change after the other. */
export class TestSubscription implements AsyncIterable<TestChange> {
  /** What the server agreed to tell. */
  readonly acknowledged: TestFilter;
  readonly #reader: MessageReader;
  #endedGracefully = false;

  /** @internal */
  constructor(acknowledged: TestFilter, reader: MessageReader) {
    this.acknowledged = acknowledged;
    this.#reader = reader;
  }

  /** Whether the server has ended it with a result, as it does when it is closed. */
  get endedGracefully(): boolean {
    return this.#endedGracefully;
  }

  /** Waits for the next change; `undefined` where the subscription has ended. */
  async next(): Promise<TestChange | undefined> {
    const message = await this.#reader.read();
    if (message?.result) this.#endedGracefully = true;
    if (message?.method === undefined) return undefined;
    const { _meta, ...params } = message.params ?? {};
    return { method: message.method, params };
  }

  /** Ends the subscription, as a client does that goes away. */
  close(): Promise<void> {
    return this.#reader.cancel();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TestChange, void> {
    for (let change = await this.next(); change; change = await this.next()) yield change;
  }
}
