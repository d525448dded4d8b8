/** What differs in HTTP: verbs, headers, media types, bytes. */

import {
  type Difference,
  all,
  answers,
  any,
  header,
  is2025,
  isLoose,
  isModern,
  isNotification,
  member,
  params,
} from "../matchers.ts";
import { MODERN } from "../../support/wire.ts";
import { LEGACY_VERSIONS } from "../messages.ts";

const HTTP = "2026-07-28, Streamable HTTP";
const OLD_HTTP = "2025-11-25, Transports";

export const inHttp: readonly Difference[] = [
  {
    name: "origin-and-host",
    what: "Gantry refuses foreign Origins and Hosts with 403; the SDK's handler leaves that to middleware.",
    why: "A server must validate Origin, so Gantry does it without being told.",
    source: `${HTTP}, "Security & Endpoint"`,
    fits: all(answers(/^403 -32600$/, /./), any(header("origin", isThere), header("host", isThere))),
  },
  {
    name: "charset",
    what: "Gantry refuses a Content-Type with a charset other than UTF-8 (415); the SDK ignores the charset.",
    why: "JSON-RPC messages are UTF-8: bytes that claim to be something else would be misread.",
    source: `${OLD_HTTP}, introduction`,
    fits: all(
      answers(/^415 -32600$/, /^(?!415)/),
      header("content-type", (value = "") => value.includes("charset=latin1")),
    ),
  },
  {
    name: "own-codes",
    what: "Refusals for the verb, the media type or the Accept header have the code -32600; the SDK's have -32000.",
    why: "Codes from -32000 to -32019 should not be used by new implementations.",
    source: '2026-07-28, Overview, "Error Codes"',
    fits: answers(/^(405|406|415) -32600$/, /^(405|406|415) -32000$/),
  },
  {
    name: "strict-json",
    what: "Gantry refuses JSON with a key twice, a byte order mark, invalid UTF-8, `__proto__`, more than 64 levels or whole numbers that no double holds; the SDK reads it as far as it can.",
    why: "Where two parsers read the same bytes differently, a check in front of the server can be bypassed.",
    source: "RFC 8259, sections 4, 6 and 8.1; 2025-11-25, Transports, introduction",
    fits: all(answers(/^400 -32700$/, /./), isLoose),
  },
  {
    name: "both-media-types",
    what: "In the 2025 era the SDK refuses (406) whoever does not accept both JSON and event streams; Gantry asks for what it sends: JSON, and nothing for a notification.",
    why: "Listing both is a duty of clients; servers are not told to refuse.",
    source: `${OLD_HTTP}, "Sending Messages to the Server"`,
    fits: all(
      any(answers(/./, /^406 -32000$/), answers(/^406 -32600$/, /^400 /)),
      header(
        "accept",
        (value = "") => !value.includes("application/json") || !value.includes("text/event-stream"),
      ),
    ),
  },
  {
    name: "streams-for-who-reads-them",
    what: "Gantry opens no subscription for a client that does not accept event streams (406), and leaves out what would come before an answer; the SDK sends an event stream all the same.",
    why: "What a client says that it cannot read is not sent.",
    source: `RFC 9110, section 12.5.1; ${HTTP}, "Sending Messages"`,
    fits: all(
      isModern,
      any(
        answers(/^406 -32600$/, /^200 notifications\/subscriptions\/acknowledged/),
        answers(/^(200 result|200 failure)$/, /^200 notifications\//),
      ),
      header("accept", (value = "") => !value.includes("text/event-stream")),
    ),
  },
  {
    name: "json-or-events",
    what: "A 2025-era answer is JSON where nothing is said before it; the SDK's is always an event stream.",
    why: "Both are allowed, and JSON costs less on both sides.",
    source: `${OLD_HTTP}, "Sending Messages to the Server" (5)`,
    fits: all(
      is2025,
      ({ where, gantry, official }) => where === "type" && gantry === "json" && official === "events",
    ),
  },
  {
    name: "revisions-not-served",
    what: "Gantry answers any revision in a header that it does not serve over HTTP, 2024-11-05 among them, with -32022 and every revision that it does; the SDK serves 2024-11-05, takes later ones for 2026-07-28 without its envelope (-32602), says -32000 to the rest, and names 2026-07-28 alone.",
    why: "2024-11-05 has another transport over HTTP. -32022 names what is served, so that a client can try that.",
    source: `${HTTP}, "Protocol Version Header"; ${OLD_HTTP}, "Protocol Version Header"`,
    fits: all(
      is2025,
      header("mcp-protocol-version", isNotServed),
      any(answers(/^400 -32022$/, /./), member(/^error\.data\.supported$/)),
    ),
  },
  {
    name: "order-of-refusals",
    what: "A notification of a revision that is not served (-32022) may have a header that contradicts it too (-32020): the two sides see one or the other first.",
    why: "Both are refusals that the specification names, and it gives notifications no order.",
    source: `${HTTP}, "Server Validation" and "Protocol Version Header"`,
    fits: all(isNotification, answers(/^400 -320(20|22)$/, /^400 -320(20|22)$/)),
  },
  {
    name: "characters-of-headers",
    what: "Mirrored headers with characters beyond ASCII are refused (-32020); the SDK compares them with the body, where that has anything to compare.",
    why: "A header with invalid characters must be refused: in between, not everybody reads them alike.",
    source: `${HTTP}, "Server Behavior for Custom Headers" and "Server Validation"`,
    fits: all(
      isModern,
      answers(/^400 -32020$/, /^200 /),
      any(header("mcp-name", isBeyondAscii), header("mcp-param-region", isBeyondAscii)),
    ),
  },
  {
    name: "headers-for-no-parameter",
    what: "An `Mcp-Param-*` header whose parameter is not among the arguments is refused (-32020); the SDK ignores it.",
    why: "A proxy that routes by the header would believe what the server does not do.",
    source: `${HTTP}, "Server Validation"`,
    fits: all(
      isModern,
      answers(/^400 -32020$/, /^200 (result|failure)$/),
      params(({ name }) => name === "region"),
      any(...["region", "shard", "dry"].map((name) => header(`mcp-param-${name}`, isThere))),
    ),
  },
];

function isThere(value: string | undefined): boolean {
  return value !== undefined;
}

function isBeyondAscii(value = ""): boolean {
  return /[^\x20-\x7e]/.test(value);
}

function isNotServed(version = MODERN): boolean {
  return version !== MODERN && !LEGACY_VERSIONS.includes(version);
}
