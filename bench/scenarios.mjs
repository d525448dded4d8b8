// What is measured. A scenario is the tools of the server, one JSON-RPC request, what its answer must mean, and
// the targets Gantry is held to. Scenarios of one group are measured interleaved with each other.
import { signedToken } from "./token.mjs";
import { catalogue, echo, placeOrder } from "./tools.mjs";

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} title
 * @property {string} group
 * @property {import("./tools.mjs").Tool[]} tools
 * @property {string} method
 * @property {Record<string, unknown>} params
 * @property {string[]} [layers] the built-in layers around the tools, by name
 * @property {string[]} [variants] who can be compared; by default all
 * @property {true} [identified] callers must be known, and send a token
 * @property {{ text?: string, structured?: unknown, invalid?: string[], names?: string[] }} expect
 * @property {string} [without] the scenario without the layer, where only what the layer costs is measured
 * @property {{ toBare?: number, toScenario?: [name: string, ratio: number], peers?: number, cost?: number }} targets
 *   `cost` is in microseconds
 */

const text = "The quick brown fox jumps over the lazy dog.";

const order = {
  customer: {
    id: "c-20417",
    name: "Ada Lovelace",
    email: "ada@example.com",
    address: { street: "12 St James's Square", city: "London", postal_code: "SW1Y 4JH", country: "GB" },
  },
  lines: [
    { sku: "AE-1001", quantity: 2, unit_price: 49.9, options: { gift_wrap: true, engraving: "Note G" } },
    { sku: "AE-2040", quantity: 12, unit_price: 3.25 },
    { sku: "AE-7300", quantity: 1, unit_price: 1299 },
  ],
  priority: "express",
  currency: "GBP",
};

const wrongOrder = {
  ...order,
  customer: { ...order.customer, address: { ...order.customer.address, country: "United Kingdom" } },
  lines: [{ ...order.lines[0], quantity: 0 }, order.lines[1]],
};

const echoOf = (count) => ({
  group: "echo",
  tools: [echo, ...catalogue(count - 1)],
  method: "tools/call",
  params: { name: "echo", arguments: { text } },
  expect: { text },
});

/** The echo behind Gantry's own layers, which peers do not have. */
const layered = (name, layers) => ({
  name,
  title: `echo, ${layers.join(", ")}`,
  ...echoOf(1),
  group: "stack",
  layers,
  variants: ["gantry", "bare"],
  targets: {},
});

/** What one layer costs, at most so many microseconds. */
const layer = (name, cost, without = "layer-none") => ({
  ...layered(`layer-${name}`, [name]),
  title: name,
  group: "layers",
  without,
  targets: { cost },
});

/** The echo that others are held against. */
const base = (name, layers) => ({ ...layered(name, layers), group: "layers", variants: [] });

/** @type {Scenario[]} */
export const scenarios = [
  {
    name: "echo",
    title: "echo, 1 tool",
    ...echoOf(1),
    targets: { toBare: 1.8, peers: 5 },
  },
  {
    name: "echo-200",
    title: "echo, 200 tools",
    ...echoOf(200),
    targets: { toBare: 1.8, toScenario: ["echo", 1.1], peers: 5 },
  },
  {
    name: "echo-jwt",
    title: "echo behind a JWT, 1 tool",
    ...echoOf(1),
    identified: true,
    targets: { toScenario: ["echo", 1.35], peers: 5 },
  },
  {
    name: "nested",
    title: "nested arguments, structured output, 50 tools",
    group: "nested",
    tools: [...catalogue(49), placeOrder],
    method: "tools/call",
    params: { name: placeOrder.name, arguments: { order } },
    expect: { structured: placeOrder.run(placeOrder.input.parse({ order })) },
    targets: { toBare: 1.8, peers: 5 },
  },
  {
    name: "list",
    title: "list of 100 tools",
    group: "list",
    tools: catalogue(100),
    method: "tools/list",
    params: {},
    expect: { names: catalogue(100).map((tool) => tool.name) },
    targets: { toBare: 1.3, peers: 5 },
  },
  {
    name: "invalid",
    title: "invalid arguments, 50 tools",
    group: "invalid",
    tools: [...catalogue(49), placeOrder],
    method: "tools/call",
    params: { name: placeOrder.name, arguments: { order: wrongOrder } },
    expect: { invalid: ["country", "quantity"] },
    targets: { toBare: 1.8, peers: 5 },
  },
  base("layer-none", []),
  base("layer-untraced", ["untraced"]),
  layer("timeout"),
  layer("rateLimit"),
  layer("concurrency"),
  layer("circuitBreaker"),
  layer("idempotency"),
  layer("logging", 5),
  layer("metrics", 3),
  layer("audit"),
  layer("dependency"),
  layer("background"),
  layer("cacheMiss"),
  layer("cacheHit"),
  layer("tracingNoSdk", 0.5, "layer-untraced"),
  layer("tracingUnsampled"),
  layer("tracing"),
  {
    ...layered("cache-hit", ["cacheHit"]),
    targets: { toBare: 1.9 },
  },
  {
    ...layered("stack", ["identity", "timeout", "rateLimit", "concurrency", "cacheMiss", "metadata"]),
    identified: true,
    targets: { toBare: 2.2 },
  },
  {
    ...layered("stack-audit", [
      "audit",
      "identity",
      "timeout",
      "rateLimit",
      "concurrency",
      "cacheMiss",
      "metadata",
    ]),
    identified: true,
    variants: ["gantry"],
  },
];

const implementation = { name: "bench-client", version: "1.0.0" };

/** How one JSON-RPC request travels: the headers and the message, by protocol revision. */
export const wires = {
  "2026-07-28": ({ method, params }) => ({
    headers: {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(params.name === undefined ? {} : { "mcp-name": params.name }),
    },
    message: {
      jsonrpc: "2.0",
      id: 1,
      method,
      params: {
        ...params,
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientInfo": implementation,
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    },
  }),
  "2025-11-25": ({ method, params }) => ({
    headers: { "mcp-protocol-version": "2025-11-25" },
    message: { jsonrpc: "2.0", id: 1, method, params },
  }),
};

/** @returns {{ headers: Record<string, string>, body: string }} the HTTP request of a scenario on a wire */
export function requestOf(scenario, wire) {
  const { headers, message } = wires[wire](scenario);
  return {
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(scenario.identified && { authorization: `Bearer ${signedToken()}` }),
      ...headers,
    },
    body: JSON.stringify(message),
  };
}

export function scenarioNamed(name) {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found === undefined) {
    throw new Error(
      `No scenario "${name}". There are: ${scenarios.map((scenario) => scenario.name).join(", ")}.`,
    );
  }
  return found;
}
