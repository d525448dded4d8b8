/** Messages as clients send them, in order and with sense: what is spoilt afterwards. */

import type { Random } from "../reliability/random.ts";
import { META } from "../support/wire.ts";
import type { SessionMemory } from "./case.ts";
import type { Memory } from "./memory.ts";
import { asking, retry } from "./questions.ts";

type Params = Record<string, unknown>;

export interface Request {
  readonly method: string;
  readonly params: Params;
  /** Whether the answer is a result; unknown where that depends on what was before. */
  readonly succeeds: boolean;
}

const ITEMS = ["lamp", "Stuhl", "机", "a".repeat(40)];
const ABOUT = ["the weather", "", "é😹", "x".repeat(60)];
const NAMES = ["alpha", "b-2", "%C3%A9t%C3%A9", "a%20b"];

/** Arguments that fit, by tool. */
const TOOLS: Readonly<Record<string, (random: Random) => Params>> = {
  echo: (random) => ({ text: random.pick(ABOUT) }),
  order: (random) => ({
    item: random.pick(ITEMS),
    price: random.pick(["free", 0, 12.5, 1e6]),
    ...(random.chance(0.5) && { quantity: random.int(1, 99) }),
    ...(random.chance(0.5) && { ship: { to: { city: random.pick(ITEMS), zip: "01234" } } }),
    ...(random.chance(0.5) && { tags: ["gift", "fragile", "gift"].slice(0, random.int(0, 3)) }),
  }),
  tree: (random) => ({ root: tree(random, 0) }),
  any: (random) => ({ [random.pick(["a", "b c", "constructor", "é"])]: [1, { deep: [null, true] }, "x"] }),
  strict: (random) => ({ on: random.chance(0.5) }),
  report: (random) => ({ steps: random.int(0, 5) }),
  touch: () => ({}),
  refuses: () => ({}),
  fails: () => ({}),
  wait: () => ({}),
};
const SELDOM = new Set(["wait"]);

function tree(random: Random, depth: number): Params {
  const children = Array.from({ length: depth < 4 ? random.int(0, 2) : 0 }, () => tree(random, depth + 1));
  return { label: random.pick(["", "root", "😹".repeat(20)]), children, weight: random.pick([0, 7, null]) };
}

const CAPABILITIES = { elicitation: { form: {}, url: {} }, sampling: {}, roots: { listChanged: true } };

/** What both eras have. */
function common(random: Random, memory: Memory): Request {
  switch (random.int(0, 9)) {
    case 0:
      return list(random, memory);
    case 1:
      return {
        method: "resources/read",
        params: { uri: `fuzz://item/${random.pick(NAMES)}` },
        succeeds: true,
      };
    case 2:
      return {
        method: "resources/read",
        params: { uri: random.pick(["fuzz://text", "fuzz://bytes", "fuzz://file/a/b.txt", "fuzz://file/x"]) },
        succeeds: true,
      };
    case 3: {
      const args = {
        topic: random.pick(ABOUT),
        ...(random.chance(0.5) && { tone: random.pick(["dry", "warm"]) }),
      };
      const params = random.chance(0.7) ? { name: "brief", arguments: args } : { name: "plain" };
      return { method: "prompts/get", params, succeeds: true };
    }
    case 4:
      return { method: "completion/complete", params: completion(random), succeeds: true };
    case 5:
      return failing(random);
    default: {
      const names = Object.keys(TOOLS).filter((name) => !SELDOM.has(name) || random.chance(0.1));
      const name = random.pick(names);
      return { method: "tools/call", params: { name, arguments: TOOLS[name]?.(random) }, succeeds: true };
    }
  }
}

function list(random: Random, { cursors }: Memory): Request {
  const method = random.pick(["tools/list", "prompts/list", "resources/list", "resources/templates/list"]);
  // A cursor of another list is none of this one.
  const own = cursors.filter((cursor) => cursor.method === method);
  const known = own.length > 0 && random.chance(0.5) ? { cursor: random.pick(own).cursor } : {};
  const foreign =
    cursors.length > 0 && random.chance(0.1) ? { cursor: random.pick(cursors).cursor } : undefined;
  return { method, params: { ...(foreign ?? known) }, succeeds: foreign === undefined };
}

function completion(random: Random): Params {
  const ref = random.pick([
    { type: "ref/prompt", name: "brief" },
    { type: "ref/resource", uri: "fuzz://item/{id}" },
  ]);
  const argument = { name: "name" in ref ? "topic" : "id", value: random.pick(["", "a", "GAM", "é"]) };
  return { ref, argument, ...(random.chance(0.3) && { context: { arguments: { tone: "dry" } } }) };
}

/** What is refused, and what fails inside. */
function failing(random: Random): Request {
  const [method, params] = random.pick<readonly [string, Params]>([
    ["tools/call", { name: "nothing" }],
    ["tools/call", { name: "vault" }],
    ["tools/call", { name: "tree", arguments: { root: {} } }],
    ["resources/read", { uri: "fuzz://nowhere" }],
    ["resources/read", { uri: "fuzz://broken" }],
    ["resources/read", { uri: "fuzz://file/%2e%2e/%2e%2e/etc" }],
    ["prompts/get", { name: "broken" }],
    ["prompts/get", { name: "brief" }],
    [
      "completion/complete",
      { ref: { type: "ref/prompt", name: "none" }, argument: { name: "a", value: "" } },
    ],
    ["tasks/get", { taskId: "1" }],
    ["sampling/createMessage", {}],
    ["rpc.discover", {}],
  ]);
  return { method, params, succeeds: false };
}

/** A request of 2026-07-28. */
export function modernRequest(random: Random, memory: Memory): Request {
  const meta = {
    ...META,
    ...(random.chance(0.6) && { "io.modelcontextprotocol/clientCapabilities": CAPABILITIES }),
    ...(random.chance(0.3) && { progressToken: random.pick([7, "token", ""]) }),
    ...(random.chance(0.3) && {
      "io.modelcontextprotocol/logLevel": random.pick(["debug", "info", "error"]),
    }),
  };
  const request = modernMethod(random, memory);
  return { ...request, params: { _meta: meta, ...request.params } };
}

function modernMethod(random: Random, memory: Memory): Request {
  switch (random.int(0, 11)) {
    case 0:
      return { method: "server/discover", params: {}, succeeds: true };
    case 1:
      return { method: "subscriptions/listen", params: { notifications: filter(random) }, succeeds: true };
    case 2:
      return {
        method: "tools/call",
        params: { name: "mirror", arguments: { region: random.pick(ABOUT), limits: { most: 3 } } },
        succeeds: true,
      };
    case 3:
    case 4:
      return asking(random);
    case 5:
    case 6:
      return memory.questions.length > 0 ? retry(random, random.pick(memory.questions)) : asking(random);
    default:
      return common(random, memory);
  }
}

function filter(random: Random): Params {
  const uris = ["fuzz://text", "fuzz://item/a", "fuzz://nowhere"].slice(0, random.int(0, 3));
  const flags = ["toolsListChanged", "promptsListChanged", "resourcesListChanged"];
  return {
    ...Object.fromEntries(flags.filter(() => random.chance(0.4)).map((flag) => [flag, random.chance(0.8)])),
    ...(random.chance(0.6) && { resourceSubscriptions: uris }),
  };
}

/** A request of the 2025 era. */
export function legacyRequest(random: Random, memory: Memory, session: SessionMemory | undefined): Request {
  const token = random.chance(0.3) ? { _meta: { progressToken: random.pick([1, "t"]) } } : {};
  const asked = session && random.chance(0.15) ? asking(random) : undefined;
  const request = asked ?? (random.chance(0.75) ? common(random, memory) : legacyMethod(random, session));
  return { ...request, params: { ...request.params, ...token }, succeeds: request.succeeds };
}

function legacyMethod(random: Random, session: SessionMemory | undefined): Request {
  switch (random.int(0, session ? 3 : 1)) {
    case 0:
      return { method: "ping", params: {}, succeeds: true };
    case 1:
      return { method: "logging/setLevel", params: { level: "debug" }, succeeds: session === undefined };
    default:
      return {
        method: random.pick(["resources/subscribe", "resources/unsubscribe"]),
        params: { uri: random.pick(["fuzz://text", "fuzz://item/a"]) },
        succeeds: true,
      };
  }
}

export function handshake(random: Random): Request {
  const params = {
    protocolVersion: random.pick(["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05", "2099-01-01"]),
    capabilities: random.chance(0.7) ? CAPABILITIES : {},
    clientInfo: { name: "fuzz", version: "1.0.0" },
  };
  return { method: "initialize", params, succeeds: true };
}

/** What is said without an answer. */
export function notification(random: Random): { readonly method: string; readonly params: Params } {
  return random.pick([
    { method: "notifications/initialized", params: {} },
    {
      method: "notifications/cancelled",
      params: { requestId: random.pick([1, "unknown", -1]), reason: "why not" },
    },
    { method: "notifications/progress", params: { progressToken: 1, progress: 1 } },
    { method: "notifications/roots/list_changed", params: {} },
    { method: "notifications/message", params: { level: "info", data: "x" } },
    { method: "notifications/nothing", params: {} },
    { method: "tools/call", params: { name: "fails" } },
  ]);
}
