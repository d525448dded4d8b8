/** What differs in the handshake, and between the eras of the protocol. */

import {
  type Difference,
  all,
  answers,
  gantryHasNone,
  header,
  is2025,
  isModern,
  member,
  method,
  params,
} from "../matchers.ts";
import { LEGACY_VERSIONS } from "../messages.ts";

export const betweenEras: readonly Difference[] = [
  {
    name: "initialize-with-an-envelope",
    what: "A request with an envelope is one of 2026-07-28 to Gantry, also where the envelope is wrong; the SDK takes `initialize` with a wrong envelope for the handshake of the 2025 era.",
    why: "The envelope alone decides the era, so that every server in between decides alike.",
    source: '2026-07-28, Versioning, "Backward Compatibility with Initialization-Based Versions"',
    fits: all(isModern, method(/^initialize$/), answers(/^(40[04]) /, /./)),
  },
  {
    name: "initialize-with-a-header",
    what: "The handshake of the 2025 era names its revision in its params, and a header that names one unknown is not held against it; the SDK takes that header for a later revision (-32020), or refuses it (-32000) where the handshake is malformed too. With the header of 2026-07-28, which has no handshake, Gantry misses the envelope (-32602), the SDK again says -32020.",
    why: "Whoever asks which revisions are served is told.",
    source: '2025-11-25, Lifecycle, "Version Negotiation"',
    fits: all(
      is2025,
      method(/^initialize$/),
      header("mcp-protocol-version", (value) => value !== undefined && !LEGACY_VERSIONS.includes(value)),
      answers(/^(200 result|200 -32602|400 -32602)$/, /^400 -320(20|00)$/),
    ),
  },
  {
    name: "initialize-in-a-batch",
    what: "A handshake is refused in any batch; the SDK takes it in a batch of one.",
    why: "It must not be part of a batch.",
    source: '2025-03-26, Lifecycle, "Initialization"',
    fits: all(method(/^initialize$/), answers(/^200 -32600$/, /^200 /), ({ of }) => of.body[0] === "["),
  },
  {
    name: "handshake-of-2024",
    what: "A client of 2024-11-05 is offered 2025-11-25; the SDK agrees on 2024-11-05.",
    why: "That revision has another transport over HTTP, with other duties.",
    source: '2025-11-25, Lifecycle, "Version Negotiation"',
    fits: all(
      member(/^result\.protocolVersion$/, ({ official }) => official === "2024-11-05"),
      params(({ protocolVersion }) => protocolVersion === "2024-11-05"),
    ),
  },
  {
    name: "changes-without-sessions",
    what: "Without sessions Gantry promises 2025-era clients no news of changes; the SDK does, and has no way to tell them.",
    why: "A capability that is declared is one that works.",
    source: '2025-11-25, Lifecycle, "Capability Negotiation"',
    fits: member(/^result\.capabilities\.\w+\.(listChanged|subscribe)$/, all(is2025, gantryHasNone)),
  },
  {
    name: "log-level-in-2025",
    what: "Where no level was set, Gantry sends 2025-era clients log messages from `info` on; the SDK sends all.",
    why: "Without a level the server may decide. Details for debugging are for who asks for them.",
    source: "2025-11-25, schema, LoggingMessageNotification",
    fits: all(
      is2025,
      ({ where, gantry, official }) =>
        where === "answer" &&
        String(official).replace(" notifications/message", "") === String(gantry) &&
        String(gantry).includes("notifications/message"),
    ),
  },
  {
    name: "resource-not-found",
    what: "A resource that is not there is -32002 in the 2025 era; the SDK says -32602 in every era.",
    why: "The code changed with 2026-07-28, and older clients wait for the older one.",
    source: '2025-11-25, Resources, "Error Handling"',
    fits: all(is2025, method(/^resources\/read$/), answers(/^200 -32002$/, /^200 -32602$/)),
  },
  {
    name: "answers-in-2025",
    what: "`inputResponses` and `requestState` mean nothing to Gantry in the 2025 era; the SDK takes answers out of them, and refuses a state that it did not make.",
    why: "Revisions before 2026-07-28 do not have them: what is not specified is ignored.",
    source: "2025-11-25, schema, CallToolRequestParams",
    fits: all(
      is2025,
      params(
        ({ inputResponses, requestState }) => inputResponses !== undefined || requestState !== undefined,
      ),
      answers(/^200 /, /^200 (result|-32602)$/),
    ),
  },
  {
    name: "methods-of-tasks",
    what: "`tasks/*` is not served: 404 -32601. The SDK first wants the header that mirrors the task's id (-32020).",
    why: "A method that is not implemented is -32601, and headers of an extension are for servers that have it.",
    source: '2026-07-28, Streamable HTTP, "Protocol Version Header"',
    fits: all(isModern, method(/^tasks\//), answers(/^404 -32601$/, /^400 -32020$/)),
  },
];
