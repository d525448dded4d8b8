/** Requests spoilt in one to three places, at any level. */

import type { Random } from "../reliability/random.ts";
import { MODERN } from "../support/wire.ts";
import type { Case, Draft, Field } from "./case.ts";
import { spoilBytes, spoilText } from "./texts.ts";
import { copy, junk, junkString, spoilValue } from "./values.ts";

type Level = "content" | "value" | "text" | "bytes" | "headers" | "line";

/** How often each is spoilt: what is refused early shows nothing of what is behind. */
const LEVELS: readonly Level[] = [
  ...Array.from({ length: 8 }, () => "content" as const),
  "value",
  "value",
  "value",
  "text",
  "bytes",
  "headers",
  "headers",
  "line",
];

export function spoilt(made: Draft, random: Random): Case {
  const levels = new Set<Level>();
  if (random.chance(0.75))
    for (let i = random.chance(0.6) ? 1 : random.int(2, 3); i > 0; i--) levels.add(random.pick(LEVELS));
  const isSound = levels.size === 0 && made.succeeds;
  let { message, headers } = made;
  if (message !== undefined && (levels.has("value") || levels.has("content"))) {
    message = copy(message);
    if (levels.has("content")) spoilContent(message as object, random);
    if (levels.has("value")) message = spoilValue(message, random);
    // Contradictions are refused before what is in the message is looked at.
    if (made.mirroring && random.chance(0.7)) headers = made.mirroring(message ?? {});
  }
  let text = message === undefined ? "" : (JSON.stringify(message) ?? "");
  if (levels.has("text") && text !== "") text = spoilText(text, random);
  // Half a pair of surrogates in a text is replaced on its way to UTF-8; escaped it arrives as it is.
  let body: Buffer = Buffer.from(text);
  if (levels.has("bytes")) body = spoilBytes(body, random);
  if (random.chance(0.0005))
    body = Buffer.alloc(random.int(1_048_000, 1_200_000), body.length > 0 ? body : " ");
  let fields: Field[] = Object.entries(headers);
  if (levels.has("headers")) for (let i = random.int(1, 2); i > 0; i--) fields = spoilFields(fields, random);
  const { method = "POST", path } = levels.has("line") ? spoilLine(made, random) : { ...made, path: "/mcp" };
  return { method, path, fields, body, session: made.session, sound: isSound && body.length < 1_000_000 };
}

/** Spoils what a method is given, or what a batch holds, and leaves the envelope. */
function spoilContent(message: object, random: Random): void {
  const { params, result } = message as { readonly params?: object; readonly result?: object };
  const { _meta, arguments: args, ...others } = (params ?? result ?? message) as Record<string, unknown>;
  const isDeep = typeof args === "object" && args !== null && random.chance(0.6);
  const other = spoilValue(
    isDeep ? args : { ...others, ...(args !== undefined && { arguments: args }) },
    random,
  );
  if (isDeep) (params as Record<string, unknown>)["arguments"] = other;
  else if (params !== undefined)
    (message as Record<string, unknown>)["params"] =
      typeof other === "object" && other !== null
        ? { ...(_meta !== undefined && { _meta }), ...other }
        : other;
}

function spoilLine(
  { method }: Draft,
  random: Random,
): { readonly method: string | undefined; readonly path: string } {
  const path = random.pick([
    "/mcp",
    "/mcp?x=%ff&y",
    "/mcp/",
    "/MCP",
    "/",
    "/health/live",
    "/health/ready",
    "/mcp%2f",
  ]);
  return { method: random.chance(0.5) ? method : random.pick(["POST", "PUT", "DELETE", "BREW"]), path };
}

/** Headers that mean something to the server, with values that are seldom right. */
const ODD_FIELDS: readonly Field[] = [
  ["content-type", "text/plain"],
  ["content-type", "application/json; charset=utf-16"],
  ["content-type", 'application/json;charset="UTF-8"'],
  ["content-type", "multipart/form-data; boundary=x"],
  ["content-encoding", "gzip"],
  ["accept", "text/html"],
  ["accept", "*/*"],
  ["accept", "text/event-stream"],
  ["accept", "application/json;q=0, text/event-stream;q=0"],
  ["origin", "https://evil.example"],
  ["origin", "null"],
  ["origin", "http://localhost:3000"],
  ["host", "evil.example"],
  ["host", "127.0.0.1:99999"],
  ["mcp-protocol-version", MODERN],
  ["mcp-protocol-version", "2025-11-25"],
  ["mcp-protocol-version", "2024-11-05"],
  ["mcp-protocol-version", "9".repeat(300)],
  ["mcp-method", "tools/call"],
  ["mcp-name", "echo"],
  ["mcp-name", "=?base64?4pyT?="],
  ["mcp-name", "=?base64?4pyT"],
  ["mcp-session-id", "00000000-0000-4000-8000-000000000000"],
  ["mcp-session-id", "__proto__"],
  ["mcp-param-region", "x"],
  ["mcp-param-", "x"],
  ["last-event-id", "__proto__"],
  ["last-event-id", "x_1"],
  ["x-request-id", "a".repeat(64)],
  ["x-request-id", "<b>"],
  ["traceparent", "00-zz-zz-zz"],
  ["authorization", "Bearer x"],
  ["access-control-request-headers", "mcp-param-a,x,,"],
  ["x-forwarded-for", "10.0.0.1"],
];

function spoilFields(fields: readonly Field[], random: Random): Field[] {
  const at = random.int(0, Math.max(0, fields.length - 1));
  const [name, value] = fields[at] ?? ["x", "y"];
  const others = fields.toSpliced(at, 1);
  switch (random.int(0, 5)) {
    case 0:
      return others;
    case 1:
      return [...others, [name, fieldText(`${value}${junkString(random)}`)]];
    case 2:
      return [...others, [name, fieldText(JSON.stringify(junk(random)))]];
    case 3:
      return [...fields, [name, value]];
    case 4:
      return [...fields, ...Array.from({ length: random.int(1, 120) }, (_, i): Field => [`x-${i}`, "v"])];
    default: {
      const odd = random.pick(ODD_FIELDS);
      return [...fields.filter(([other]) => other !== odd[0] || random.chance(0.2)), odd];
    }
  }
}

/** What may stand in a header's value (RFC 9110, section 5.5), in bytes. */
export function fieldText(text: string): string {
  const bytes = Buffer.from(text.slice(0, 3_000)).filter((byte) => (byte > 31 || byte === 9) && byte !== 127);
  return Buffer.from(bytes).toString("latin1").trim();
}
