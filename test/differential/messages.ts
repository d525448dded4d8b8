/** What clients may say: every method and notification of both eras, found and not found. */

import { META, MODERN, modern } from "../support/wire.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** A message, with what does not follow from it. */
export interface Seed {
  readonly what: string;
  readonly message: Json;
  /** The revision in the header of a 2025-era message, where it has one. */
  readonly version?: string | undefined;
}

/** The calls of all revisions. */
const CALLS: readonly (readonly [method: string, params: object])[] = [
  ["tools/list", {}],
  ["tools/list", { cursor: "nobody gave this" }],
  ["tools/call", { name: "echo", arguments: { message: "hello", times: 2, loud: true } }],
  ["tools/call", { name: "echo", arguments: { message: "hé 🎉" } }],
  ["tools/call", { name: "add", arguments: { numbers: [1, 2.5], options: { round: true } } }],
  ["tools/call", { name: "count", arguments: { to: 3 } }],
  ["tools/call", { name: "now" }],
  ["tools/call", { name: "blocks", arguments: {} }],
  ["tools/call", { name: "refuse", arguments: {} }],
  ["tools/call", { name: "break", arguments: {} }],
  ["tools/call", { name: "work", arguments: { steps: 2 } }],
  ["tools/call", { name: "region", arguments: { region: "eu", shard: 7, dry: false } }],
  ["tools/call", { name: "region", arguments: { region: "é" } }],
  ["tools/call", { name: "nobody", arguments: {} }],
  ["tools/call", { name: 1 }],
  ["resources/list", {}],
  ["resources/templates/list", {}],
  ["resources/read", { uri: "config://app" }],
  ["resources/read", { uri: "image://logo" }],
  ["resources/read", { uri: "broken://it" }],
  ["resources/read", { uri: "notes://first" }],
  ["resources/read", { uri: "notes://a%20b" }],
  ["resources/read", { uri: "notes://{id}" }],
  ["resources/read", { uri: "notes://longer-than-any-note-there-is" }],
  ["resources/read", { uri: "files://ann/docs/plan.txt" }],
  ["resources/read", { uri: "nothing://here" }],
  ["resources/read", { uri: `nothing://${"far".repeat(500)}` }],
  ["prompts/list", {}],
  ["prompts/get", { name: "greet", arguments: { name: "Ada", tone: "dry" } }],
  ["prompts/get", { name: "greet", arguments: { name: "Ada", more: 1 } }],
  ["prompts/get", { name: "plain" }],
  ["prompts/get", { name: "broken" }],
  ["prompts/get", { name: "nobody" }],
  [
    "completion/complete",
    {
      ref: { type: "ref/prompt", name: "greet" },
      argument: { name: "name", value: "A" },
      context: { arguments: { tone: "dry" } },
    },
  ],
  [
    "completion/complete",
    { ref: { type: "ref/resource", uri: "notes://{id}" }, argument: { name: "id", value: "" } },
  ],
  [
    "completion/complete",
    { ref: { type: "ref/prompt", name: "greet" }, argument: { name: "tone", value: "x" } },
  ],
  [
    "completion/complete",
    { ref: { type: "ref/prompt", name: "nobody" }, argument: { name: "x", value: "" } },
  ],
  [
    "completion/complete",
    { ref: { type: "ref/resource", uri: "constructor" }, argument: { name: "x", value: "" } },
  ],
];

const MODERN_CALLS: typeof CALLS = [
  ["server/discover", {}],
  ["subscriptions/listen", { notifications: {} }],
  [
    "subscriptions/listen",
    {
      notifications: {
        toolsListChanged: true,
        promptsListChanged: true,
        resourcesListChanged: false,
        resourceSubscriptions: ["config://app", "notes://first"],
      },
    },
  ],
  ["tools/call", { name: "work", arguments: { steps: 3 }, _meta: wishes({ progressToken: "p-1" }) }],
  [
    "tools/call",
    {
      name: "work",
      arguments: { steps: 1 },
      _meta: wishes({ progressToken: 7, "io.modelcontextprotocol/logLevel": "info" }),
    },
  ],
  ["tools/call", { name: "ask", arguments: {}, _meta: asking() }],
  [
    "tools/call",
    {
      name: "ask",
      arguments: {},
      _meta: asking(),
      inputResponses: { form: { action: "accept", content: { colour: "red" } } },
    },
  ],
  [
    "tools/call",
    { name: "ask", arguments: {}, _meta: asking(), inputResponses: { form: { action: "decline" } } },
  ],
  ["tools/call", { name: "ask", arguments: {} }],
  ["tools/call", { name: "ask", arguments: {}, _meta: asking(), requestState: "v1.never.made" }],
  // What earlier revisions had.
  ["ping", {}],
  ["initialize", { protocolVersion: MODERN, capabilities: {}, clientInfo: { name: "c", version: "1" } }],
  ["logging/setLevel", { level: "info" }],
  ["resources/subscribe", { uri: "config://app" }],
  ["tasks/get", { taskId: "t" }],
];

const LEGACY_CALLS: typeof CALLS = [
  [
    "initialize",
    {
      protocolVersion: "2025-06-18",
      capabilities: { roots: { listChanged: true }, elicitation: {} },
      clientInfo: { name: "client", version: "1.0.0", title: "A client" },
    },
  ],
  [
    "initialize",
    { protocolVersion: "2024-11-05", capabilities: {}, clientInfo: { name: "older", version: "1" } },
  ],
  [
    "initialize",
    { protocolVersion: "2099-01-01", capabilities: {}, clientInfo: { name: "newer", version: "1" } },
  ],
  ["ping", {}],
  ["logging/setLevel", { level: "warning" }],
  ["tools/call", { name: "work", arguments: { steps: 2 }, _meta: { progressToken: 3 } }],
  ["tools/call", { name: "ask", arguments: {} }],
  ["resources/subscribe", { uri: "config://app" }],
  ["resources/unsubscribe", { uri: "config://app" }],
  // What the next revision has.
  ["server/discover", {}],
  ["subscriptions/listen", { notifications: {} }],
];

const NOTIFICATIONS: typeof CALLS = [
  ["notifications/initialized", {}],
  ["notifications/cancelled", { requestId: 1, reason: "enough" }],
  ["notifications/progress", { progressToken: 1, progress: 0.5 }],
  ["notifications/roots/list_changed", {}],
  ["notifications/unheard-of", { a: 1 }],
];

export const LEGACY_VERSIONS: readonly string[] = ["2025-11-25", "2025-06-18", "2025-03-26"];

/** Methods that are there, that are elsewhere, and that are none. */
export const METHODS = [
  "tools/call",
  "tools/list",
  "prompts/get",
  "resources/read",
  "initialize",
  "ping",
  "server/discover",
  "logging/setLevel",
  "notifications/initialized",
  "sampling/createMessage",
  "roots/list",
  "tasks/list",
  "Tools/Call",
  "toString",
] as const;

export const SEEDS: readonly Seed[] = [
  ...[...CALLS, ...MODERN_CALLS].map(([method, params]) => ({
    what: `modern ${label(method, params)}`,
    message: plain(modern(method, params)),
  })),
  ...[...CALLS, ...LEGACY_CALLS].map(([method, params], index) => ({
    what: `2025-era ${label(method, params)}`,
    message: plain({ jsonrpc: "2.0", id: index, method, params }),
    version: method === "initialize" ? undefined : [...LEGACY_VERSIONS, undefined][index % 4],
  })),
  {
    what: "modern tools/list with a member that JSON-RPC does not know",
    message: plain({ ...modern("tools/list"), more: 1 }),
  },
  {
    what: "modern notifications/initialized of a later revision",
    message: plain({
      jsonrpc: "2.0",
      method: "notifications/initialized",
      params: { _meta: { ...META, "io.modelcontextprotocol/protocolVersion": "2027-01-01" } },
    }),
  },
  ...NOTIFICATIONS.flatMap(([method, params]) => [
    {
      what: `modern ${method}`,
      message: plain({ jsonrpc: "2.0", method, params: { _meta: META, ...params } }),
    },
    {
      what: `2025-era ${method}`,
      message: plain({ jsonrpc: "2.0", method, params }),
      version: "2025-11-25",
    },
  ]),
  ...[{ result: { ok: true } }, { error: { code: -1, message: "no" } }].map((response) => ({
    what: `2025-era ${Object.keys(response)[0]}`,
    message: plain({ jsonrpc: "2.0", id: 1, ...response }),
    version: "2025-11-25",
  })),
];

function wishes(more: object): object {
  return { ...META, ...more };
}

function asking(): object {
  return wishes({ "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } } });
}

function label(method: string, params: object): string {
  const { name, uri } = params as { readonly name?: string | number; readonly uri?: string };
  const target = name ?? uri;
  return target === undefined ? method : `${method} ${target}`;
}

function plain(message: object): JsonObject {
  return JSON.parse(JSON.stringify(message)) as JsonObject;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
