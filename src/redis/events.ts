/** Changes told to all processes, and the messages of sessions, in Redis. */

import type { EventBus, EventStore, ServerEvent } from "../core/ports.ts";
import type { Connection } from "./connection.ts";
import { Script } from "./script.ts";

/** Listeners of this process are told at once; others by way of Redis. */
export function redisEventBus(connection: Connection): EventBus {
  const listeners = new Set<(event: ServerEvent) => void>();
  const tell = (event: ServerEvent) => {
    for (const listener of listeners) listener(event);
  };
  connection.listen("event", (text) => {
    const { from, event } = JSON.parse(text) as { from: string; event: ServerEvent };
    if (from !== connection.process) tell(event);
  });
  let isFirst = true;
  connection.onGap(() => {
    if (!isFirst) tell({ kind: "changes_missed" });
    isFirst = false;
  });
  return {
    publish(event) {
      tell(event);
      return connection.publish(JSON.stringify({ from: connection.process, event }));
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** How many messages of a session are kept, about, and for how long after the last of them; in milliseconds. */
const MESSAGES = 1_000;
const LIFETIME = 3_600_000;

/** A session's messages are one stream, each with which of the session's streams it was sent on. */
const APPEND = new Script(`
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ${MESSAGES}, '*', 'stream', ARGV[2], 'message', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ${LIFETIME})
return id
`);

const AFTER = new Script(`return redis.call('XRANGE', KEYS[1], ARGV[2], '+')`);
const FORGET = new Script(`redis.call('DEL', KEYS[1])`);

type Entry = readonly [id: string, fields: readonly [string, string, string, string]];

export function redisEventStore(connection: Connection): EventStore {
  const keys = (streamId: string) => [connection.key("session", streamId.split("/", 1)[0])];
  let lost = 0;
  return {
    async append(streamId, message) {
      const text = JSON.stringify(message);
      // What is not kept is sent all the same. Who comes back to it is told that it is not known.
      const append = () => connection.run(APPEND, keys(streamId), [streamId, text]).catch(() => undefined);
      const id = connection.fits(text) && connection.hasRoom(text) ? await append() : undefined;
      return `${streamId}_${id === undefined ? `0-${connection.process}.${++lost}` : (id as string)}`;
    },
    async after(eventId) {
      const [, streamId, id] = /^(.*)_(\d+-\d+)$/s.exec(eventId) ?? [];
      if (streamId === undefined || id === undefined) return undefined;
      const entries = (await connection.run(AFTER, keys(streamId), [id])) as Entry[];
      const [first, ...rest] = entries.filter(([, [, stream]]) => stream === streamId);
      if (first?.[0] !== id) return undefined;
      return {
        streamId,
        events: rest.map(([next, [, , , text]]) => ({
          id: `${streamId}_${next}`,
          message: JSON.parse(text) as object,
        })),
      };
    },
    async forget(prefix) {
      // What is not forgotten now is in an hour.
      await connection.run(FORGET, keys(prefix), []).catch(() => {});
    },
  };
}
