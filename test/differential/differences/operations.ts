/** What differs in tools, resources, prompts and subscriptions. */

import {
  type Difference,
  asRecord,
  all,
  answers,
  any,
  gantryHasNone,
  isModern,
  member,
  method,
  officialHasNone,
  params,
} from "../matchers.ts";
import { isObject } from "../messages.ts";

export const inOperations: readonly Difference[] = [
  {
    name: "asked-before-capable",
    what: "A call that asks the user is refused (-32021) where the client cannot be asked, also where an answer came along; the SDK checks when it asks.",
    why: "Who declares no forms was shown none: the answer is made up.",
    source: '2026-07-28, Multi Round-Trip Requests, "Server Requirements"',
    fits: all(
      isModern,
      answers(/^400 -32021$/, /^200 (result|input_required|-32602)$/),
      params(({ name }) => name === "ask"),
    ),
  },
  {
    name: "answers-of-no-form",
    what: "`inputResponses` that is no object is -32602; the SDK goes on as if there were none.",
    why: "A client that sends its answers in a wrong form learns it, rather than being asked the same again.",
    source: "2026-07-28, schema, InputResponseRequestParams",
    fits: all(
      isModern,
      params(({ inputResponses }) => inputResponses !== undefined && !isObject(inputResponses)),
      answers(/^200 -32602$/, /^(200 |400 -32021)/),
    ),
  },
  {
    name: "arguments-of-prompts",
    what: "A prompt's arguments are held to its own schema, which ignores what it does not name; the SDK refuses any that is no text (-32603).",
    why: "What reaches the handler is what its author declared: nothing else of it matters.",
    source: "2026-07-28, schema, GetPromptRequestParams",
    fits: all(
      method(/^prompts\/get$/),
      params(({ arguments: args }) =>
        Object.values(asRecord(args)).some((value) => typeof value !== "string"),
      ),
      answers(/^200 result$/, /^200 -32603$/),
    ),
  },
  {
    name: "prompts-without-arguments",
    what: "A prompt without arguments lists none (`[]`); the SDK leaves the member out.",
    why: "Both are allowed.",
    source: "2026-07-28, schema, Prompt",
    fits: member(
      /^result\.prompts\[\]\.arguments$/,
      ({ gantry }) => Array.isArray(gantry) && gantry.length === 0,
      officialHasNone,
    ),
  },
  {
    name: "generated-schemas",
    what: "Schemas made from zod have no `$schema` and no bounds of safe integers; the SDK sends what zod makes.",
    why: "2020-12 is the default, hosts with validators for draft-07 refuse the key, and bounds that nobody wrote cost tokens.",
    source: '2026-07-28, Overview, "Schema Dialect"',
    fits: member(/(Schema|properties\.\w+|items)\.(\$schema|minimum|maximum)$/, gantryHasNone),
  },
  {
    name: "cache-scope",
    what: "What depends on no caller is `public`; the SDK says `private` unless told otherwise.",
    why: "`public` is appropriate where a result is the same for all users, and Gantry knows where it is.",
    source: '2026-07-28, Caching, "Choosing a Cache Scope"',
    fits: member(
      /^result\.cacheScope$/,
      ({ gantry, official }) => gantry === "public" && official === "private",
    ),
  },
  {
    name: "cursors",
    what: "A cursor that the server did not give is -32602; the SDK does not page, and ignores cursors.",
    why: "Servers should refuse invalid cursors: else a client reads the first page for ever.",
    source: '2026-07-28, Pagination, "Error Handling"',
    fits: all(
      method(/\/list$/),
      params(({ cursor }) => typeof cursor === "string"),
      any(answers(/^200 -32602$/, /^200 result$/), member(/^result\.\w+$/)),
    ),
  },
  {
    name: "names-of-javascript",
    what: "`constructor` or `__proto__` as the name of an argument or the URI of a template is a name like any other; the SDK finds what every JavaScript object has under it.",
    why: "What is not registered is not there.",
    source: '2026-07-28, Completion, "Error Handling"',
    fits: all(
      method(/^completion\/complete$/),
      ({ message }) => /"(constructor|__proto__|toString)"/.test(JSON.stringify(message)),
      answers(/^200 (result|-32602)$/, /^200 (result|-32603)$/),
    ),
  },
  {
    name: "total-of-nothing",
    what: "A completion without values has a `total` of 0; the SDK leaves it out.",
    why: "Both are allowed.",
    source: "2026-07-28, schema, CompleteResult",
    fits: member(/^result\.completion\.total$/, ({ gantry }) => gantry === 0, officialHasNone),
  },
  {
    name: "variables-of-templates",
    what: "The variables of a URI template are decoded; the SDK gives handlers the text of the URI.",
    why: "A template's expansion encodes values, so that reading it decodes them.",
    source: "RFC 6570, section 3.2.1",
    fits: all(
      method(/^resources\/read$/),
      member(/^result\.contents\[\]\.text$/, ({ gantry, official }) => decoded(official) === gantry),
    ),
  },
  {
    name: "characters-of-uris",
    what: "What may not stand in a URI is percent-encoded in the URI of the contents; the SDK sends what a URL parser makes of it.",
    why: "The member is a URI.",
    source: "RFC 3986, appendix A; 2026-07-28, schema, ResourceContents",
    fits: all(method(/^resources\/read$/), member(/^result\.contents\[\]\.uri$/)),
  },
  {
    name: "subscriptions-to-nothing",
    what: "Gantry acknowledges subscriptions to resources that are there; the SDK to whatever URI is named.",
    why: "The acknowledgement tells what is honoured: nothing will ever be told of what is not there.",
    source: '2026-07-28, Subscriptions, "Acknowledgment"',
    fits: any(
      member(/^params\.notifications\.resourceSubscriptions$/),
      answers(
        /^200 notifications\/subscriptions\/acknowledged result$/,
        /^200 notifications\/subscriptions\/acknowledged$/,
      ),
    ),
  },
];

function decoded(text: unknown): string | undefined {
  try {
    return decodeURIComponent(String(text));
  } catch {
    return undefined;
  }
}
