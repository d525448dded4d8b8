// The tools that every variant registers. A definition is a name, a description, zod schemas and a function
// from arguments to a value; how a value becomes a result is each variant's business.
import { z } from "zod";

/** @typedef {{ name: string, description: string, input: z.ZodType, output?: z.ZodType, run: (args: any) => unknown }} Tool */

/** @type {Tool} */
export const echo = {
  name: "echo",
  description: "Returns the text it is given.",
  input: z.object({ text: z.string().min(1).max(1000).describe("The text to return") }),
  run: ({ text }) => text,
};

const Address = z.object({
  street: z.string().min(1).max(120).describe("Street and house number"),
  city: z.string().min(1).max(80).describe("City"),
  postal_code: z.string().min(3).max(12).describe("Postal code"),
  country: z.string().length(2).describe("ISO 3166-1 alpha-2 country code"),
});

const Line = z.object({
  sku: z.string().min(3).max(32).describe("Stock keeping unit"),
  quantity: z.int().min(1).max(999).describe("How many to order"),
  unit_price: z.number().min(0).describe("Price of one unit, before tax"),
  options: z
    .object({
      gift_wrap: z.boolean().default(false).describe("Wrap this line as a gift"),
      engraving: z.string().max(40).optional().describe("Text to engrave"),
    })
    .default({ gift_wrap: false })
    .describe("What to do with the line before shipping"),
});

/** @type {Tool} */
export const placeOrder = {
  name: "orders_place",
  description:
    "Places an order for a customer. Prices are taken as given; the total includes tax at the rate of the shipping country. Returns the order with its computed lines.",
  input: z.object({
    order: z.object({
      customer: z.object({
        id: z.string().min(1).max(40).describe("Customer id"),
        name: z.string().min(1).max(120).describe("Full name"),
        email: z.string().min(3).max(200).describe("Where to send the confirmation"),
        address: Address.describe("Where to ship to"),
      }),
      lines: z.array(Line).min(1).max(100).describe("What is ordered"),
      priority: z.enum(["low", "normal", "express"]).default("normal").describe("Shipping priority"),
      currency: z.enum(["EUR", "USD", "GBP"]).default("EUR").describe("Currency of all prices"),
      note: z.string().max(500).default("").describe("A note for the warehouse"),
    }),
  }),
  output: z.object({
    order_id: z.string(),
    status: z.enum(["accepted", "held"]),
    ship_to: Address,
    lines: z.array(
      z.object({ sku: z.string(), quantity: z.int(), subtotal: z.number(), gift_wrap: z.boolean() }),
    ),
    totals: z.object({ net: z.number(), tax: z.number(), gross: z.number(), currency: z.string() }),
  }),
  run({ order }) {
    const lines = [];
    let net = 0;
    for (const { sku, quantity, unit_price, options } of order.lines) {
      const subtotal = cents(quantity * unit_price);
      net += subtotal;
      lines.push({ sku, quantity, subtotal, gift_wrap: options.gift_wrap });
    }
    const tax = cents(net * 0.19);
    return {
      order_id: `ord-${order.customer.id}`,
      status: "accepted",
      ship_to: order.customer.address,
      lines,
      totals: { net: cents(net), tax, gross: cents(net + tax), currency: order.currency },
    };
  },
};

const cents = (amount) => Math.round(amount * 100) / 100;

const fields = {
  query: () => z.string().max(200).optional().describe("Full-text query; all words must occur"),
  limit: () => z.int().min(1).max(200).default(50).describe("How many to return at most, between 1 and 200"),
  status: () =>
    z.enum(["open", "active", "done", "archived"]).optional().describe("Only those in this state"),
  id: () => z.string().min(1).max(64).describe("The id, as returned by the matching list or search tool"),
  title: () => z.string().min(1).max(200).describe("A short title, shown in lists"),
  tags: () => z.array(z.string().max(40)).max(20).default([]).describe("Labels used for filtering"),
  since: () => z.string().describe("Only what changed at or after this time, as ISO 8601"),
  notify: () => z.boolean().default(false).describe("Tell the people who watch it"),
};

const subjects = [
  "task",
  "project",
  "customer",
  "invoice",
  "contract",
  "document",
  "meeting",
  "ticket",
  "release",
  "budget",
];
const verbs = [
  ["list", "Lists", "Sorted by last change, newest first.", ["query", "status", "limit"]],
  ["search", "Searches", "Matches titles, descriptions and comments.", ["query", "tags", "status", "limit"]],
  ["get", "Returns one", "Includes its comments and its history.", ["id", "since", "limit"]],
  ["create", "Creates a new", "The new id is in the answer.", ["title", "status", "tags", "notify"]],
  [
    "update",
    "Changes an existing",
    "Only the given fields are changed.",
    ["id", "title", "status", "tags", "notify"],
  ],
  ["archive", "Archives a", "It can be restored within 30 days.", ["id", "status", "notify"]],
  ["restore", "Restores an archived", "Fails when it was never archived.", ["id", "tags", "notify"]],
  ["assign", "Assigns to a person the", "The previous assignee is told.", ["id", "title", "notify", "tags"]],
  [
    "export",
    "Exports as a file every matching",
    "Large exports are split.",
    ["query", "status", "since", "limit", "tags"],
  ],
  ["audit", "Shows who changed a", "At most one year back.", ["id", "since", "limit"]],
];

/** So many distinct tools with three to five described fields each. @returns {Tool[]} */
export function catalogue(count) {
  return Array.from({ length: count }, (_, index) => {
    const subject = subjects[index % 10];
    const [verb, does, also, names] = verbs[Math.floor(index / 10) % 10];
    const volume = Math.floor(index / 100);
    return {
      name: `${subject}_${verb}${volume === 0 ? "" : `_v${volume + 1}`}`,
      description: `${does} ${subject}. ${also} Needs no confirmation by a person.`,
      input: z.object(Object.fromEntries(names.map((name) => [name, fields[name]()]))),
      run: (args) => args,
    };
  });
}
