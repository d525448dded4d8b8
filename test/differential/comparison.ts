/** Where two answers to the same request disagree. */

import { type Answer, type Case, type Message, isResponse } from "./exchange.ts";

/** One point in which the answers differ. */
export interface Disagreement {
  readonly of: Case;
  /** The request's body, parsed as far as it can be. */
  readonly message: unknown;
  /** `answer` (status, kind and code), `type`, `allow`, or a path within a message with `[]` for any index. */
  readonly where: string;
  readonly gantry: unknown;
  readonly official: unknown;
}

/** What is compared of an answer before anything else: `200 result`, `400 -32602`, `202`. */
export function summary({ status, messages, oddities }: Answer): string {
  return [status, ...messages.map(kind), ...oddities].join(" ");
}

function kind({ method, error, result }: Message): string {
  if (typeof method === "string") return method;
  if (error !== undefined) return String((error as { readonly code?: unknown }).code);
  const { isError, resultType } = (result ?? {}) as Record<string, unknown>;
  if (resultType === "input_required") return "input_required";
  return isError === true ? "failure" : "result";
}

export function compare(of: Case, gantry: Answer, official: Answer): readonly Disagreement[] {
  const message = lenient(of.body);
  return comparePairs(of, message, gantry, official) ?? compareAnswers(of, message, gantry, official);
}

/** The answers to a batch of messages, each with its own message, where both sides answer the same ones. */
function comparePairs(
  of: Case,
  batch: unknown,
  gantry: Answer,
  official: Answer,
): readonly Disagreement[] | undefined {
  if (!Array.isArray(batch) || gantry.status !== 200 || official.status !== 200) return undefined;
  const [ours, theirs] = [byId(gantry), byId(official)];
  if (ours.size === 0 || [...ours.keys()].join() !== [...theirs.keys()].join()) return undefined;
  return [...ours].flatMap(([id, answer]) => {
    const own = (batch as readonly Message[]).find((message) => message["id"] === id);
    return compareAnswers(
      of,
      own,
      { ...gantry, messages: [answer] },
      { ...official, messages: [theirs.get(id) as Message] },
    );
  });
}

/** The answers of a batch: they may come in any order, and what is said on the way belongs to any of them. */
function byId({ messages }: Answer): ReadonlyMap<unknown, Message> {
  const answers = messages.filter(isResponse).map((message) => [message["id"], message] as const);
  return new Map(answers.toSorted(([a], [b]) => Number(a) - Number(b)));
}

function compareAnswers(
  of: Case,
  message: unknown,
  gantry: Answer,
  official: Answer,
): readonly Disagreement[] {
  const found: Disagreement[] = [];
  const note = (where: string, ours: unknown, theirs: unknown) =>
    found.push({ of, message, where, gantry: ours, official: theirs });
  const [ours, theirs] = [summary(gantry), summary(official)];
  if (ours !== theirs) {
    note("answer", ours, theirs);
    return found;
  }
  if (gantry.type !== official.type) note("type", gantry.type, official.type);
  if (gantry.allow !== official.allow) note("allow", gantry.allow, official.allow);
  for (const [index, each] of gantry.messages.entries())
    differ(readable(each), readable(official.messages[index] as Message), "", note);
  return found;
}

/** A message without the words that are meant for people, and with nothing that is drawn at random. */
function readable(message: Message): Message {
  const { error, result } = message as {
    readonly error?: Record<string, unknown>;
    readonly result?: Record<string, unknown>;
  };
  if (error) return { ...message, error: { ...error, message: typeof error["message"] } };
  if (!result) return message;
  const { content, requestState, isError } = result;
  return {
    ...message,
    result: {
      ...result,
      ...(requestState !== undefined && { requestState: typeof requestState }),
      ...(isError === true && { content: (content as readonly { type: string }[]).map(({ type }) => type) }),
    },
  };
}

function differ(
  ours: unknown,
  theirs: unknown,
  path: string,
  note: (where: string, ours: unknown, theirs: unknown) => void,
): void {
  if (Object.is(ours, theirs)) return;
  if (Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length) {
    for (const [index, item] of ours.entries()) differ(item, theirs[index], `${path}[]`, note);
  } else if (isRecord(ours) && isRecord(theirs)) {
    for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)]))
      differ(ours[key], theirs[key], path === "" ? key : `${path}.${key}`, note);
  } else note(path, ours, theirs);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A body as somebody would read it who forgives what can be forgiven; `undefined` where it is no JSON. */
function lenient(body: Case["body"]): unknown {
  const text = typeof body === "string" ? body : new TextDecoder().decode(body);
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return undefined;
  }
}
