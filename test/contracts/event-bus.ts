/** What every bus has to do, however far it reaches. */

import type { EventBus, ServerEvent } from "gantry-mcp";
import { describe, expect, test } from "vitest";

/** Runs the suite against the buses that `make` makes, two that are one: each pair is used for one test. */
export function eventBusContract(
  name: string,
  make: () => readonly [EventBus, EventBus] | Promise<readonly [EventBus, EventBus]>,
) {
  const updated = (uri: string): ServerEvent => ({ kind: "resource_updated", uri });
  const changed: ServerEvent = { kind: "list_changed", list: "tools" };

  describe(`events over ${name}`, () => {
    test("every listener hears each event once, wherever it was published, in order", async () => {
      const [here, there] = await make();
      const heard: ServerEvent[][] = [[], [], []];
      here.subscribe((event) => heard[0]?.push(event));
      here.subscribe((event) => heard[1]?.push(event));
      there.subscribe((event) => heard[2]?.push(event));
      const sent = [changed, ...Array.from({ length: 50 }, (_, index) => updated(`data://${index}`))];
      for (const event of sent) await here.publish(event);
      await expect.poll(() => heard.map((events) => events.length)).toEqual([51, 51, 51]);
      await there.publish(updated("data://ü\n"));
      await expect.poll(() => heard.map((events) => events.length)).toEqual([52, 52, 52]);
      for (const events of heard) expect(events).toEqual([...sent, updated("data://ü\n")]);
    });

    test("who no longer listens hears nothing, and the others go on", async () => {
      const [here, there] = await make();
      const heard: string[] = [];
      const stop = there.subscribe(() => heard.push("first"));
      there.subscribe(() => heard.push("second"));
      stop();
      await here.publish(changed);
      await expect.poll(() => heard).toEqual(["second"]);
    });
  });
}
