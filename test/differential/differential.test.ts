/** Gantry and the official SDK's own handler, made of the same registrations, are asked the same. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { Random } from "../reliability/random.ts";
import { META, modern, modernHeaders } from "../support/wire.ts";
import { atRandom, byRule } from "./corpus.ts";
import { DIFFERENCES, page } from "./differences.ts";
import { Differential, described } from "./differential.ts";
import { type Answer, type Case, type Side, exchange } from "./exchange.ts";
import { gantrySide } from "./gantry-side.ts";
import { officialSide } from "./official-side.ts";
import { recordings } from "./recordings.ts";

let gantry: Side;
let official: Side;

beforeAll(() => {
  gantry = gantrySide();
  official = officialSide();
});

afterAll(async () => {
  await gantry.close();
  await official.close();
});

const shown = ({ unlisted }: Differential) => unlisted.slice(0, 20).map(described);

// What is drawn is the same in every run: `node test/long/differential.mjs` draws anew.
test("messages that are right, and wrong in every single way, are answered alike but for what is listed", async () => {
  const differential = new Differential(gantry, official);
  await differential.send(byRule(new Random(1), { thorough: false }));
  expect(shown(differential)).toEqual([]);
  expect(differential.needless, "differences that are listed and are none").toEqual([]);
  expect(differential.cases).toBeGreaterThan(5_000);
  expect(differential.alike).toBeGreaterThan(1_000);
}, 240_000);

test("messages that several things were done to at random are, too", async () => {
  const differential = new Differential(gantry, official);
  await differential.send(atRandom(1_000, new Random(1)));
  expect(shown(differential)).toEqual([]);
}, 240_000);

test("so is all that the official clients sent on a visit", async () => {
  const recorded = await recordings(gantry);
  expect(recorded.length).toBeGreaterThan(50);
  const differential = new Differential(gantry, official);
  await differential.send(recorded);
  expect(shown(differential)).toEqual([]);
});

test("rounds of questions go alike, with the state that each side gave, and with the other's", async () => {
  const can = { ...META, "io.modelcontextprotocol/clientCapabilities": { elicitation: {} } };
  const round = (params: object): Case => ({
    what: `ask ${JSON.stringify(params)}`,
    headers: modernHeaders("tools/call", "ask"),
    body: JSON.stringify(modern("tools/call", { name: "ask", arguments: {}, _meta: can, ...params })),
  });
  const ours = stateOf(await exchange(gantry, round({})));
  const theirs = stateOf(await exchange(official, round({})));
  const differential = new Differential(gantry, official);
  for (const inputResponses of [
    { form: { action: "accept", content: { colour: "red" } } },
    { form: { action: "accept", content: { colour: 7 } } },
    { form: { action: "accept", content: {} } },
    { form: { action: "accept" } },
    { form: { action: "decline" } },
    { form: { action: "cancel" } },
    { other: { action: "accept", content: { colour: "red" } } },
    {},
  ]) {
    const answered = (requestState: string) => round({ inputResponses, requestState });
    await differential.sendPair(answered(ours), answered(theirs));
    await differential.sendPair(answered(theirs), answered(ours));
  }
  expect(shown(differential)).toEqual([]);
});

function stateOf({ messages }: Answer): string {
  const [message] = messages as readonly [{ readonly result: { readonly requestState: string } }];
  return message.result.requestState;
}

test("changes are told alike, and subscriptions end alike", async () => {
  const heard = await Promise.all([listened(gantrySide()), listened(officialSide())]);
  expect(heard[0]).toEqual(heard[1]);
  expect(heard[0]).toMatchObject([
    { method: "notifications/subscriptions/acknowledged" },
    { method: "notifications/tools/list_changed" },
    { method: "notifications/resources/updated", params: { uri: "config://app" } },
    { id: "listening", result: { resultType: "complete" } },
  ]);
});

/** Everything that who listens is told of a change, and then of the end. */
async function listened(side: Side): Promise<readonly unknown[]> {
  const notifications = {
    toolsListChanged: true,
    promptsListChanged: true,
    resourceSubscriptions: ["config://app"],
  };
  const response = await side.fetch(
    new Request("http://localhost:8080/mcp", {
      method: "POST",
      headers: modernHeaders("subscriptions/listen"),
      body: JSON.stringify(modern("subscriptions/listen", { notifications }, "listening")),
    }),
  );
  const text = response.text();
  side.change();
  // Changes are told in the next turn, and changes of lists together.
  await new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
  await side.close();
  const frames = (await text).split("\n\n").filter((frame) => frame.includes("data:"));
  return frames
    .map((frame) => JSON.parse(frame.slice(frame.indexOf("data:") + "data:".length)) as Case)
    .toSorted((a, b) => order(a) - order(b));
}

const ORDER = ["acknowledged", "list_changed", "updated", "result"];

/** What is told in one turn comes in any order. */
function order(message: unknown): number {
  return ORDER.findIndex((word) => JSON.stringify(message).includes(word));
}

test("what is not listed is found, and so is what is listed and does not occur", async () => {
  const unaware = new Differential(gantry, official, []);
  await unaware.send(await recordings(gantry));
  expect(unaware.unlisted.length).toBeGreaterThan(0);
  const withItself = new Differential(official, official);
  await withItself.send(await recordings(gantry));
  expect([withItself.alike, withItself.unlisted]).toEqual([withItself.cases, []]);
  expect(withItself.needless).toEqual(DIFFERENCES.map(({ name }) => name));
});

test("every difference has a name of its own, and the page tells its reason and source", async () => {
  expect(new Set(DIFFERENCES.map(({ name }) => name)).size).toBe(DIFFERENCES.length);
  await expect(page()).toMatchFileSnapshot("../../docs/differences.md");
});
