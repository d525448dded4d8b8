/** The headers by which a message is sent, and what may be wrong with them. */

import type { Random } from "../reliability/random.ts";
import { MODERN, encodeHeader } from "../support/wire.ts";
import type { Case } from "./exchange.ts";
import { type Json, type JsonObject, LEGACY_VERSIONS, METHODS, type Seed, isObject } from "./messages.ts";

type Headers = Readonly<Record<string, string>>;

export const VERSIONS: readonly string[] = [
  ...LEGACY_VERSIONS,
  MODERN,
  "2024-11-05",
  "2026-07-29",
  "1999-01-01",
  "latest",
  "",
];

export const OTHER_VERBS = ["GET", "DELETE", "PUT", "PATCH", "HEAD"] as const;

/** A message as a client would send it, as far as it is one. */
export function asCase({ what, message, version }: Seed): Case {
  return { what, headers: headersOf(message, version), body: JSON.stringify(message) };
}

function headersOf(message: Json, version?: string): Headers {
  const { method, params } = asObject(message);
  const { _meta, name, uri, arguments: args } = asObject(params);
  const claimed = asObject(_meta)["io.modelcontextprotocol/protocolVersion"];
  const types = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  if (claimed === undefined)
    return { ...types, ...(version !== undefined && { "mcp-protocol-version": version }) };
  const mirrored = method === "resources/read" ? uri : name;
  const hasName = ["tools/call", "prompts/get", "resources/read"].includes(method as string);
  return {
    ...types,
    "mcp-protocol-version": typeof claimed === "string" ? visible(claimed) : MODERN,
    ...(typeof method === "string" && { "mcp-method": visible(method) }),
    ...(hasName && typeof mirrored === "string" && { "mcp-name": encodeHeader(mirrored) }),
    ...(name === "region" && paramHeaders(asObject(args))),
  };
}

function paramHeaders(args: JsonObject): Headers {
  const given = ["region", "shard", "dry"].flatMap((key) => {
    const value = args[key];
    return value === undefined || typeof value === "object"
      ? []
      : [[`mcp-param-${key}`, encodeHeader(String(value))]];
  });
  return Object.fromEntries(given) as Headers;
}

/** A text as a header can carry it: what none can is left out. */
function visible(value: string): string {
  return value.replaceAll(/[^\x20-\x7e]/g, "");
}

function asObject(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

const ODD: Readonly<Record<string, readonly string[]>> = {
  accept: [
    "application/json",
    "text/event-stream",
    "*/*",
    "text/html",
    "application/*",
    "text/event-stream, application/json;q=0.5",
    "",
  ],
  "content-type": [
    "application/json; charset=utf-8",
    "application/json;charset=latin1",
    "APPLICATION/JSON",
    "text/plain",
    "application/jsonp",
    "text/html; application/json",
    "",
  ],
  "mcp-protocol-version": VERSIONS,
  "mcp-method": [...METHODS, "", "tools/call, tools/call"],
  "mcp-name": [
    "echo",
    "nobody",
    "",
    "=?base64?ZWNobw==?=",
    "=?base64?ZWNobw?=",
    "=?base64?!?=",
    "=?BASE64?ZWNobw==?=",
    "ECHO",
    "\u00e9",
  ],
  "mcp-param-region": ["eu", "us", "\u00e9", "=?base64?ZXU=?=", "=?base64?ZXU?=", ""],
  "mcp-param-shard": ["7", "7.0", "07", "8", "x", "7e0"],
  "mcp-param-dry": ["false", "False", "0", "true"],
  "mcp-session-id": ["not-a-session"],
  "last-event-id": ["1"],
  origin: ["https://evil.example", "http://localhost:3000", "null"],
  host: ["evil.example", "localhost"],
};

/** A message with every header left out, and set to every odd value; and by every other verb. */
export function* everyHeader(seed: Seed): Generator<Case> {
  const sent = asCase(seed);
  const { what, headers } = sent;
  for (const name of Object.keys(headers))
    yield { ...sent, what: `${what}, no header ${name}`, headers: withoutHeader(headers, name) };
  for (const [name, values] of Object.entries(ODD))
    for (const value of values)
      yield { ...sent, what: `${what}, ${name}: ${value}`, headers: { ...headers, [name]: value } };
  for (const verb of OTHER_VERBS) yield { ...sent, what: `${verb} ${what}`, verb };
}

export function anyHeader(sent: Case, random: Random): Case {
  const { what, headers } = sent;
  const present = Object.keys(headers);
  if (random.chance(0.35)) {
    const gone = random.pick(present);
    return { ...sent, what: `${what}; no header ${gone}`, headers: withoutHeader(headers, gone) };
  }
  const name = random.chance(0.7) ? random.pick(present) : random.pick(Object.keys(ODD));
  const value = random.pick(ODD[name] as readonly string[]);
  return { ...sent, what: `${what}; ${name}: ${value}`, headers: { ...headers, [name]: value } };
}

function withoutHeader(headers: Headers, name: string): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
}
