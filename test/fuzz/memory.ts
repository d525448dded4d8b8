/** What a fuzzing client has seen and sends again, right or wrong: cursors, questions, sessions. */

import { forgetSession } from "../support/schema-recorder.ts";
import type { Case, SessionMemory } from "./case.ts";
import { type Answer, messagesOf } from "./verdict.ts";

export interface Question {
  readonly method: string;
  /** The params of the call that asked. */
  readonly params: Record<string, unknown>;
  readonly requestState: unknown;
  readonly requests: Readonly<Record<string, unknown>>;
}

/** So much of each kind is kept: the newest. */
const MOST = 12;

const LATEST = "2025-11-25";

export class Memory {
  readonly cursors: { readonly method: string; readonly cursor: string }[] = [];
  readonly questions: Question[] = [];
  readonly sessions: SessionMemory[] = [];
  #id = 0;

  /** Ids of requests differ within a client, and are numbers and strings in turn. */
  nextId(): string | number {
    this.#id++;
    return this.#id % 2 === 0 ? this.#id : `id-${this.#id}`;
  }

  /** Keeps what may be sent again of an answer to `asked`. */
  learn(sent: Case, answer: Answer): void {
    const messages = messagesOf(answer);
    if (typeof messages === "string") return;
    const asked = parsed(sent.body);
    for (const message of messages)
      this.#learnMessage(message as Message, asked as Message | undefined, sent.session);
    for (const [, id = ""] of answer.text.matchAll(/^id: (\S+)$/gm))
      if (sent.session) keep(sent.session.eventIds, id);
    const id = answer.header("mcp-session-id");
    if (id !== undefined && sent.session?.id !== id) {
      const version = /"protocolVersion":"([\d-]+)"/.exec(answer.text)?.[1] ?? LATEST;
      this.sessions.push({ id, version, isLeft: false, open: [], eventIds: [] });
    }
    const isOver =
      (sent.method === "DELETE" && answer.status === 200) || answer.text.includes("Session not found");
    if (sent.session && isOver) this.#forget(sent.session);
  }

  #forget(session: SessionMemory): void {
    const index = this.sessions.indexOf(session);
    if (index >= 0) this.sessions.splice(index, 1);
    forgetSession(session.id);
  }

  #learnMessage(
    { id, method, result }: Message,
    asked: Message | undefined,
    session: SessionMemory | undefined,
  ): void {
    if (session && typeof method === "string" && id !== undefined) keep(session.open, { id, method });
    if (typeof result !== "object" || result === null || typeof asked?.method !== "string") return;
    const { nextCursor, resultType, requestState, inputRequests } = result as Record<string, unknown>;
    if (typeof nextCursor === "string") keep(this.cursors, { method: asked.method, cursor: nextCursor });
    if (resultType !== "input_required") return;
    const requests = (inputRequests ?? {}) as Question["requests"];
    const params = asked.params as Question["params"];
    keep(this.questions, { method: asked.method, params, requestState, requests });
  }
}

type Message = Readonly<Record<string, unknown>>;

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function keep<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > MOST) list.shift();
}
