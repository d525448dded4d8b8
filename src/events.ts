/** The event bus and the event store of a server that is alone. */

import type { EventBus, EventReplay, EventStore, ServerEvent } from "./ports.ts";

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
 * A store that keeps the last `capacity` messages in memory.
 *
 * @param options.capacity - How many messages are kept over all sessions. Default: 10,000.
 */
export function memoryEventStore({ capacity = 10_000 }: { readonly capacity?: number } = {}): EventStore {
  const events = new Map<string, { readonly streamId: string; readonly message: object }>();
  let last = 0;
  return {
    append(streamId, message) {
      const id = `${streamId}_${(++last).toString(36)}`;
      events.set(id, { streamId, message });
      if (events.size > capacity) events.delete(events.keys().next().value as string);
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
          event.streamId === streamId ? [{ id, message: event.message }] : [],
        ),
      };
    },
    forget(prefix) {
      for (const [id, { streamId }] of events) if (streamId.startsWith(prefix)) events.delete(id);
    },
  };
}
