/** What differs in JSON-RPC messages, whatever their method. */

import {
  type Difference,
  asRecord,
  all,
  answers,
  any,
  gantryHasNone,
  hasStrangers,
  is2025,
  isBatch,
  isModern,
  isNotification,
  member,
  meta,
  method,
  officialHasNone,
  params,
} from "../matchers.ts";
import { isObject } from "../messages.ts";

const OLD_HTTP = "2025-11-25, Transports";

export const inMessages: readonly Difference[] = [
  {
    name: "posted-responses",
    what: "Gantry refuses posted responses in every revision; the SDK accepts those of the 2025 era.",
    why: "A server without sessions has asked nothing: who answers is mistaken, and learns it.",
    source: `${OLD_HTTP}, "Sending Messages to the Server" (4)`,
    fits: any(
      all(
        answers(/^400 -32600$/, /^(202|400 -32000)$/),
        ({ message }) => isObject(message) && !("method" in message),
      ),
      all(answers(/^200( -32600)+$/, /^202$/), isBatch),
    ),
  },
  {
    name: "batches",
    what: "Gantry takes batches of up to 20 messages in 2025-03-26 alone; the SDK up to 100 in every revision before 2026-07-28.",
    why: "Batches were removed with 2025-06-18. A small limit bounds what one request can cause.",
    source: '2025-06-18, Key Changes (1); 2025-03-26, Transports, "Sending Messages to the Server"',
    fits: all(answers(/^400 -32600$/, /./), isBatch),
  },
  {
    name: "parts-of-batches",
    what: "What is wrong with one message of a batch is told of that message; the SDK refuses the whole batch.",
    why: "JSON-RPC has it so: a batch is answered message by message.",
    source: 'JSON-RPC 2.0, section 6 "Batch"',
    fits: all(answers(/^(200|202)/, /^400 /), isBatch),
  },
  {
    name: "members-beside-json-rpc",
    what: "Gantry ignores members of a message that JSON-RPC does not know; the SDK refuses the message.",
    why: "Neither JSON-RPC nor the schema forbids them, and later revisions may bring some.",
    source: "2025-11-25 and 2026-07-28, schema, JSONRPCRequest",
    fits: all(answers(/./, /^400 -32600$/), hasStrangers),
  },
  {
    name: "malformed-params",
    what: "Params that are not of the method's form are -32602; the SDK says -32603 for all methods but `tools/call`, with the words of its parser.",
    why: "-32602 is the code for invalid params. An internal error would tell the caller to blame the server.",
    source: 'JSON-RPC 2.0, section 5.1; 2026-07-28, Overview, "Error Codes"',
    fits: answers(/^200 -32602$/, /^200 -32603$/),
  },
  {
    name: "malformed-meta",
    what: "`_meta` or a progress token of a wrong type is -32602, and of no concern in a notification; to the SDK the message is none (-32600).",
    why: "The message is one, and its params are wrong. A notification that is not read is not judged.",
    source: "JSON-RPC 2.0, section 5.1; 2025-11-25, schema, RequestParams",
    fits: all(
      is2025,
      params(({ _meta }) => _meta !== undefined),
      any(
        answers(/^[24]00 -32602$/, /^400 -32600$/),
        all(isNotification, answers(/^(202|400 -320\d\d)$/, /^400 -32600$/)),
      ),
    ),
  },
  {
    name: "tokens-in-the-envelope",
    what: "A progress token of a wrong type in the envelope is -32602; to the SDK the message is none (-32600). In a notification Gantry reads of the envelope no more than the revision.",
    why: "The message is one, and its params are wrong.",
    source: '2026-07-28, Overview, "Per-request protocol fields"',
    fits: all(
      isModern,
      meta((value) => isObject(value) && value["progressToken"] !== undefined),
      answers(/^(400 -326|202|200|404|400 -320)/, /^400 -32600$/),
    ),
  },
  {
    name: "who-the-client-is",
    what: "The SDK reads every member of the client's info and capabilities, and refuses a request where one is of a wrong type; Gantry reads what it uses: name, version and the capabilities that a call needs, where null or any other value that is no object declares nothing.",
    why: "A client's picture or title concerns no call. Clients that write null for what they do not have are served.",
    source: '2026-07-28, Overview, "Per-request protocol fields"; 2025-11-25, Lifecycle, "Initialization"',
    fits: any(
      all(
        isModern,
        meta((value) => {
          const envelope = asRecord(value);
          return describesOddly(envelope[`${PREFIX}clientInfo`], envelope[`${PREFIX}clientCapabilities`]);
        }),
        answers(/^(200|404|400 -32021|400 -32602|400 -32020|400 -32022)/, /^400 -32602$/),
      ),
      all(
        is2025,
        method(/^initialize$/),
        params(({ clientInfo, capabilities }) => describesOddly(clientInfo, capabilities)),
        answers(/^200 result$/, /^200 -32603$/),
      ),
    ),
  },
  {
    name: "ids-of-refusals",
    what: "A refusal has the id of its request where that could be read, and none where not. The SDK writes null in both cases, and gives back ids that are none, such as 1.5.",
    why: "An error must have its request's id; and null is no id in MCP.",
    source: '2026-07-28, Overview, "Error Responses" and "Requests"',
    fits: member(
      /^id$/,
      any(gantryHasNone, ({ official }) => official === null),
    ),
  },
  {
    name: "details-of-errors",
    what: "`data` of an error says its stable code, whether to try again, what to do, and the request's id in the log.",
    why: "`data` may be anything: an agent corrects itself by it.",
    source: '2026-07-28, Overview, "Error Responses"',
    fits: member(/^error\.data(\.(code|message|retryable|suggestion|details|requestId))?$/, officialHasNone),
  },
  {
    name: "details-of-the-sdk",
    what: "The SDK says in `data` which header or member was wrong; Gantry says it in the message.",
    why: "`data` may be left out.",
    source: '2026-07-28, Overview, "Error Responses"',
    fits: member(/^error\.data(\.(envelope|mismatch|reason))?$/, gantryHasNone),
  },
  {
    name: "long-names",
    what: "A URI that is not there is repeated to its sender up to 256 characters, a revision up to 64; the SDK repeats them whole.",
    why: "An answer is not to be larger than it has to.",
    source: '2026-07-28, Resources, "Error Handling", and Streamable HTTP, "Protocol Version Header"',
    fits: member(
      /^error\.data\.(uri|requested)$/,
      ({ gantry }) => String(gantry).length >= 64,
      ({ gantry, official }) => String(official).startsWith(String(gantry).replace(/…$/, "")),
    ),
  },
];

const PREFIX = "io.modelcontextprotocol/";

/** Whether the info or the capabilities of a client have a member of a type that the schema does not know. */
function describesOddly(info: unknown, capabilities: unknown): boolean {
  const { title, description, websiteUrl, icons } = asRecord(info);
  const { elicitation, sampling, roots, experimental, extensions } = asRecord(capabilities);
  const { form, url } = asRecord(elicitation);
  const { context, tools } = asRecord(sampling);
  const named = [experimental, extensions].flatMap((each) => Object.values(asRecord(each)));
  const objects = [elicitation, sampling, roots, experimental, extensions, form, url, context, tools];
  return (
    [title, description, websiteUrl].some((value) => !["string", "undefined"].includes(typeof value)) ||
    [...objects, ...named].some((value) => value !== undefined && !isObject(value)) ||
    (icons !== undefined && !Array.isArray(icons)) ||
    !["boolean", "undefined"].includes(typeof asRecord(roots)["listChanged"])
  );
}
