/** What may be answered to whatever is sent, and what may not. */

import { HttpExchange, takeProblems } from "../support/schema-recorder.ts";
import type { Case } from "./case.ts";
import { CANARY } from "./tools.ts";

export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** The body, as far as it came. */
  readonly text: string;
  /** Whether the body came to its end: streams are left when nothing comes any more. */
  readonly ended: boolean;
}

/** When nothing has come on a stream for so long, it is left; in milliseconds. */
export const QUIET = 20;
/** What has to come may take so long. */
export const LATE = 5_000;

/** Whether a stream has brought a result, or the first word of a subscription. */
export function isSatisfied(text: string): boolean {
  return /"result":|subscriptions\/acknowledged/.test(text);
}

/** Statuses that speak of a request, and 503, which speaks of a limit. */
const STATUSES: ReadonlySet<number> = new Set([
  200, 202, 204, 400, 403, 404, 405, 406, 408, 413, 415, 417, 431, 503, 505,
]);

const LIMITS = /^Service unavailable: (?:too many requests are under way|there are too many sessions)\.$/;

/** Traces of code in a text. */
const STACK = /\n\s+at |\\n\s+at |node_modules|node:internal|\/src\/|\.ts:\d+/;

/** What is wrong with an answer, whatever it answers. */
export function traitsOf(answer: Answer): readonly string[] {
  const { status, text } = answer;
  const faults: string[] = [];
  if (!STATUSES.has(status)) faults.push(`status ${status}`);
  if (text.includes(CANARY)) faults.push("the canary");
  if (STACK.test(text)) faults.push("a trace of code");
  const messages = messagesOf(answer);
  if (typeof messages === "string") faults.push(messages);
  return faults;
}

/** What is wrong with the answer to `sent`; nothing where all is well. */
export function faultsOf(sent: Case, answer: Answer): readonly string[] {
  const { status, header, text } = answer;
  const faults = [...traitsOf(answer)];
  const messages = messagesOf(answer);
  const isEndpoint = sent.path.split("?", 1)[0] === "/mcp";
  if (!isEndpoint || isNodes(answer) || sent.method === "HEAD" || typeof messages === "string") return faults;
  if ((status === 202 || status === 204) && text !== "") faults.push(`status ${status} with a body`);
  if (status >= 400 && messages.length !== 1) faults.push("an error without a message");
  // The stream of a session may tell again what answers earlier requests.
  const ids = sent.method === "GET" ? undefined : idsOf(sent.body);
  for (const message of messages) faults.push(...faultsOfMessage(message, status, ids));
  // Also what is in order may come at a limit.
  const isAnswered = status === 503 || (status === 200 && isSatisfied(text));
  if (sent.sound && !isAnswered) faults.push("no result");
  // Nothing that was sent may become a header of the answer.
  if (header("x-injected") !== undefined) faults.push("an injected header");
  return [...faults, ...schemaFaults(sent, answer)];
}

/** Refusals of node:http itself, which has not understood the request, have no body. */
function isNodes({ status, header, text }: Answer): boolean {
  return status >= 400 && text === "" && header("connection") === "close";
}

/** The messages of a body: one, some in a batch, or the events of a stream. Text where it holds something else. */
export function messagesOf({ text, header, ended }: Answer): readonly unknown[] | string {
  if (text === "") return [];
  const type = header("content-type");
  try {
    if (type === "application/json") return inBatch(JSON.parse(text));
    if (type !== "text/event-stream") return `a body of type ${type}`;
    const events = text.split("\n\n");
    const rest = events.pop();
    if (ended && rest !== "") return "a stream that ends within an event";
    return events.flatMap((event) => {
      const data = event.split("\n").flatMap((line) => (line.startsWith("data: ") ? [line.slice(6)] : []));
      return data.join("\n") === "" ? [] : inBatch(JSON.parse(data.join("\n")));
    });
  } catch {
    return `no JSON: ${text.slice(0, 200)}`;
  }
}

/** Answers may be batched, also within a stream (2025-03-26, "Sending Messages to the Server"). */
function inBatch(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** The ids of the requests in a body, as anybody would read them. */
function idsOf(body: Buffer): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(body.toString());
    return inBatch(value).map((message) => (message as { id?: unknown } | null)?.id);
  } catch {
    return [];
  }
}

function faultsOfMessage(
  message: unknown,
  status: number,
  ids: readonly unknown[] | undefined,
): readonly string[] {
  const { jsonrpc, id, method, result, error } = (message ?? {}) as Record<string, unknown>;
  if (jsonrpc !== "2.0") return ["no JSON-RPC message"];
  if (method !== undefined) return [];
  const faults: string[] = [];
  if ((result === undefined) === (error === undefined)) faults.push("neither a result nor an error, or both");
  if (result !== undefined && status !== 200) faults.push(`a result with status ${status}`);
  if (id !== undefined && ids && !ids.includes(id))
    faults.push(`the id ${JSON.stringify(id)}, which was not sent`);
  const { message: words } = (error ?? {}) as { message?: unknown };
  if (status === 503 && !(typeof words === "string" && LIMITS.test(words)))
    faults.push("503 for something else than a limit");
  return faults;
}

/** What the official schemas say. */
function schemaFaults({ fields, body }: Case, { header, text }: Answer): readonly string[] {
  const sent = new Map<string, string>();
  for (const [name, value] of fields) sent.set(name, sent.has(name) ? `${sent.get(name)}, ${value}` : value);
  const exchange = new HttpExchange("fuzz", (name) => sent.get(name));
  exchange.began(body, header);
  exchange.wrote(text);
  exchange.ended();
  return takeProblems();
}
