/** The store of a server that is alone: it keeps the last messages, within its bounds. */

import { memoryEventStore } from "gantry-mcp";
import { expect, test } from "vitest";

const message = (text: string) => ({
  jsonrpc: "2.0",
  method: "notifications/message",
  params: { data: text },
});

test.each([
  ["many", { capacity: 3 }, 3],
  ["long", { maxLength: 3 * JSON.stringify(message("0")).length }, 3],
])("messages beyond so %s are forgotten, the oldest first", async (_what, options, kept) => {
  const store = memoryEventStore(options);
  const ids: string[] = [];
  for (let i = 0; i < 6; i++) ids.push(await store.append("session/stream", message(String(i))));
  for (const id of ids.slice(0, -kept)) expect(await store.after(id)).toBeUndefined();
  const replay = await store.after(ids.at(-kept) as string);
  expect(replay?.events.map(({ id }) => id)).toEqual(ids.slice(1 - kept));
});
