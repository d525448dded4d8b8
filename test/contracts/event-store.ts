/** What every store of sessions' messages has to do, wherever it keeps them. */

import type { EventStore } from "gantry-mcp";
import { describe, expect, test } from "vitest";

/** Runs the suite against the stores that `make` makes; each is used for one test. */
export function eventStoreContract(name: string, make: () => EventStore | Promise<EventStore>) {
  const message = (data: string) => ({ jsonrpc: "2.0", method: "notifications/message", params: { data } });

  describe(`messages of sessions in ${name}`, () => {
    test("gives what followed an event on its stream, in order, as it was", async () => {
      const store = await make();
      const ids: string[] = [];
      for (const text of ["1", "2", "ü\u0000\n"]) ids.push(await store.append("s1/a", message(text)));
      await store.append("s1/b", message("other stream"));
      await store.append("s2/a", message("other session"));
      expect(new Set(ids).size).toBe(3);
      const replay = await store.after(ids[0] as string);
      expect(replay).toEqual({
        streamId: "s1/a",
        events: [
          { id: ids[1], message: message("2") },
          { id: ids[2], message: message("ü\u0000\n") },
        ],
      });
      expect(await store.after(ids[2] as string)).toEqual({ streamId: "s1/a", events: [] });
    });

    test("stream ids hold any characters", async () => {
      const store = await make();
      const id = await store.append("s/_GET_stream", message("1"));
      await store.append("s/_GET_stream", message("2"));
      expect((await store.after(id))?.events).toHaveLength(1);
    });

    test.each(["", "s1/a", "s1/a_0-1", "s1/a_zz", "_", "s1/a_1_2", "\n"])("does not know %j", async (id) => {
      const store = await make();
      await store.append("s1/a", message("1"));
      expect(await store.after(id)).toBe(undefined);
    });

    test("forgets a session's streams, and no other's", async () => {
      const store = await make();
      const [a, b, other] = [
        await store.append("s1/a", message("1")),
        await store.append("s1/b", message("2")),
        await store.append("s12/a", message("3")),
      ];
      await store.forget("s1/");
      expect([await store.after(a), await store.after(b)]).toEqual([undefined, undefined]);
      expect(await store.after(other)).toEqual({ streamId: "s12/a", events: [] });
    });
  });
}
