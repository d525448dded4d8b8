/** Places, circuits, events and messages in this process: the contracts. */

import { memoryCircuitStore, memoryEventBus, memoryEventStore, memoryPlaceStore } from "gantry-mcp";
import { circuitStoreContract } from "./circuit-store.ts";
import { eventBusContract } from "./event-bus.ts";
import { eventStoreContract } from "./event-store.ts";
import { placeStoreContract } from "./place-store.ts";

placeStoreContract("memory", memoryPlaceStore);

circuitStoreContract("memory", () => {
  let now = 1_000_000;
  return {
    store: memoryCircuitStore({ now: () => now }),
    advance: (milliseconds) => void (now += milliseconds),
  };
});

eventBusContract("memory", () => {
  const bus = memoryEventBus();
  return [bus, bus];
});

eventStoreContract("memory", () => memoryEventStore());
