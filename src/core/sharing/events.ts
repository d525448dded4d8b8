/** The event bus and the event store of a server that is alone. */

import type { EventBus, EventReplay, EventStore, ServerEvent } from "../ports.ts";

/** A bus within one process. */
export function memoryEventBus(): EventBus {
  const listeners = new Set<(event: ServerEvent) => void>();
  return {
    publish(event) {
      for (const listener of listeners) listener(event);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/**
 * A store that keeps the last messages in memory, over all sessions.
 *
 * @param options.capacity - How many are kept. Default: 10,000.
 * @param options.maxLength - How long they may be all together, as JSON, in characters. Default: 33,554,432.
 */
export function memoryEventStore({
  capacity = 10_000,
  maxLength = 33_554_432,
}: { readonly capacity?: number; readonly maxLength?: number } = {}): EventStore {
  // As text, so that it is known how much there is; what is kept is seldom asked for.
  const events = new Map<string, { readonly streamId: string; readonly json: string }>();
  let last = 0;
  let length = 0;
  const drop = (id: string) => {
    length -= events.get(id)?.json.length ?? 0;
    events.delete(id);
  };
  return {
    append(streamId, message) {
      const id = `${streamId}_${(++last).toString(36)}`;
      const json = JSON.stringify(message);
      events.set(id, { streamId, json });
      length += json.length;
      for (const oldest of events.keys()) {
        if (events.size <= capacity && length <= maxLength) break;
        drop(oldest);
      }
      return id;
    },
    after(eventId): EventReplay | undefined {
      const known = events.get(eventId);
      if (!known) return undefined;
      const { streamId } = known;
      const all = [...events];
      const rest = all.slice(all.findIndex(([id]) => id === eventId) + 1);
      return {
        streamId,
        events: rest.flatMap(([id, event]) =>
          event.streamId === streamId ? [{ id, message: JSON.parse(event.json) as object }] : [],
        ),
      };
    },
    forget(prefix) {
      for (const [id, { streamId }] of events) if (streamId.startsWith(prefix)) drop(id);
    },
  };
}
