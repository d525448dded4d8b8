/** Calls that ask the client, and what it answers. */

import type { Random } from "../reliability/random.ts";
import type { Question } from "./memory.ts";
import type { Request } from "./messages.ts";

/** A call that asks: the outcome depends on what the client can do. */
export function asking(random: Random): Request {
  const params = random.pick<Request["params"]>([
    { name: "ask", arguments: { about: random.pick(["the weather", "é😹"]) } },
    { name: "consult" },
    { uri: "fuzz://asked/1" },
  ]);
  return { method: "uri" in params ? "resources/read" : "tools/call", params, succeeds: false };
}

/** The next round of a call: with the answers asked for, or nearly. */
export function retry(random: Random, { method, params, requestState, requests }: Question): Request {
  const inputResponses = Object.fromEntries(
    Object.entries(requests).map(([key, request]) => [key, clientAnswer(random, request)]),
  );
  // A state is for one call: on another it is refused.
  const on = random.chance(0.1) ? { name: "echo", arguments: { text: "?" } } : params;
  return {
    method,
    params: {
      ...on,
      ...(random.chance(0.95) && { requestState }),
      ...(random.chance(0.95) && { inputResponses }),
    },
    succeeds: false,
  };
}

/** What a client answers to a question. */
export function clientAnswer(random: Random, request: unknown): unknown {
  const { method } = request as { readonly method?: unknown };
  switch (method) {
    case "sampling/createMessage":
      return {
        role: "assistant",
        content: { type: "text", text: "blue" },
        model: "m",
        stopReason: "endTurn",
      };
    case "roots/list":
      return { roots: [{ uri: "file:///home", name: "home" }].slice(0, random.int(0, 1)) };
    default:
      return random.pick<object>([
        { action: "accept", content: { sure: true } },
        { action: "accept", content: { sure: false, note: "no" } },
        { action: "decline" },
        { action: "cancel" },
        { action: "accept", content: { sure: "yes" } },
      ]);
  }
}
